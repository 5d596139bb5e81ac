"""A script of package.json calls a tool that no dependency brings.

`npm run` looks for programs in `node_modules/.bin`. What isn't a dependency isn't there, on the next machine at the
latest: the check that everybody believes in ends with "not found", or asks a question that nobody answers.

Anti-pattern:

    {
      "scripts": {"lint": "eslint src"},
      "devDependencies": {"vite": "^7.0.0"}
    }

Better:

    {
      "scripts": {"lint": "eslint src"},
      "devDependencies": {"eslint": "^9.0.0", "vite": "^7.0.0"}
    }

Recommendation:

    Install the tool as a dependency for development and give it its configuration, or remove the script.

References:

- https://docs.npmjs.com/cli/commands/npm-run/
- https://nextjs.org/docs/app/api-reference/config/eslint
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest, Requirement, ScriptTarget
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Run
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TOOLS = frozenset({"eslint", "prettier", "stylelint", "jest", "vitest", "mocha"})
_BRINGS = regex(
    r"react-scripts|react-app-rewired|craco|^@?umi|kcd-scripts|^xo$|^standard$|^ts-standard$|^gts$|^@wordpress/|^@vue/cli|"
    r"tsdx|^nx$|^@nx/|^@nrwl/|^@ionic|laravel-mix|^aegir$|^@strapi|^@backstage|^sku$|^@sanity|^@nuxt/|^lerna$|^vite-plus"
)
"""Packages that bring such tools along."""
_LINKED = ("workspace:", "file:", "link:", "portal:", "git", "http")


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each package.json and tool one finding for the scripts that call it, where nothing installed may bring it."""
    npm = [item for item in inventory.manifests if item.kind == "npm"]
    for manifest in npm:
        folder = posixpath.dirname(manifest.path)
        around = [item for item in npm if mounts.is_below(folder, posixpath.dirname(item.path))]
        needs = [need for item in around for need in item.requirements]
        for tool, targets in _called(manifest).items() if manifest.requirements else ():
            if not any(_may_bring(need, tool) for need in needs):
                yield _evidence(inventory, manifest, tool, targets)


def _called(manifest: Manifest) -> dict[str, list[ScriptTarget]]:
    """The tools that scripts start by their bare names."""
    found: dict[str, list[ScriptTarget]] = {}
    for target in manifest.targets:
        tools = {tool: None for command in target.commands if (tool := _tool(command.words))}
        for tool in tools:
            found.setdefault(tool, []).append(target)
    return found


def _tool(words: tuple[str, ...]) -> str:
    """The tool that a command needs; Next.js calls ESLint."""
    if words[:2] == ("next", "lint"):
        return "eslint"
    return words[0] if words and words[0] in _TOOLS else ""


def _may_bring(need: Requirement, tool: str) -> bool:
    linked = need.constraint.startswith(_LINKED)
    return tool in need.name or linked or bool(_BRINGS.search(need.name))


def _runs(inventory: Inventory, folder: str, targets: list[ScriptTarget]) -> list[Run]:
    """The steps of pipelines that come to such a script."""
    texts = {" ".join(command.words) for target in targets for command in target.commands if _tool(command.words)}
    return [run for run in pipeline.of(inventory).runs if run.text in texts and run.folder == folder]


def _evidence(inventory: Inventory, manifest: Manifest, tool: str, targets: list[ScriptTarget]) -> Evidence:
    first, *others = targets
    runs = _runs(inventory, posixpath.dirname(manifest.path), targets)
    places = dict.fromkeys(run.location for run in runs)
    return Evidence(
        f"{listed(item.name for item in targets)} of {manifest.path} {'calls' if not others else 'call'} {tool}, which "
        "none of its dependencies brings, unless one of them does so unseen: without it the script fails or checks "
        "nothing.",
        first.location,
        subject=f"{manifest.path}/{tool}",
        related=(
            *(Related(place, f"runs {first.name}") for place in places),
            *(Related(item.location, f"{item.name} too", member=True) for item in others),
        ),
        recommendation=f"Add {tool} to `devDependencies` of {manifest.path}, or remove the script.",
        severity=Severity.MEDIUM if places else None,
        example=files.into(manifest.path, f"# in its folder\nnpm install --save-dev {tool}"),
    )
