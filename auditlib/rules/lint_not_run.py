"""A linter or type checker has a configuration or a script, and no workflow runs it.

The configuration says what the team agreed on; what nothing checks is kept for some weeks. The next person who runs
the tool gets hundreds of findings at once and switches it off.

Anti-pattern:

    # pyproject.toml
    [tool.mypy]
    strict = true
    # and no workflow runs mypy

Better:

    # .github/workflows/ci.yml
    - run: mypy app

Recommendation:

    Run the tool on every pull request, or remove its configuration.

References:

- https://docs.github.com/en/actions/use-cases-and-examples/building-and-testing
- https://pre-commit.com/#usage-in-continuous-integration
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from auditlib import pipeline
from auditlib.conventions import deployment, package_installs, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.pipeline import Pipeline
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each folder one finding for all tools of it that no workflow runs, with the folders that have the same."""
    if deployment.unfollowed_ci(inventory):  # what it runs isn't read
        return
    found = pipeline.of(inventory)
    if _runs_everything(inventory, found):
        return
    idle: defaultdict[str, dict[str, _Sign]] = defaultdict(dict)
    for tool, sign in _signs(inventory):
        if not found.matching(tools.LINTERS[tool]):
            idle[posixpath.dirname(sign.location.file)].setdefault(tool, sign)
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for folder, signs in idle.items():
        alike[tuple(sorted(signs))].append(folder)
    for folders in alike.values():
        yield _evidence(inventory, folders[0], idle[folders[0]], found, [idle[each] for each in folders[1:]])


class _Sign(Struct, frozen=True):
    """What says that a tool is to be used: its configuration, or a script or target of this name that calls it.

    It is bare where the tool does nothing without a configuration, and no file holds any.
    """

    location: Location
    script: str = ""
    bare: bool = False


def _signs(inventory: Inventory) -> Iterator[tuple[str, _Sign]]:
    """The tools that files of their own and manifests configure, before those that scripts call."""
    found = [(tool, _Sign(Location(path))) for path in inventory.files if (tool := tools.configured_linter(path))]
    for manifest in inventory.manifests:
        found += [(tool, _Sign(manifest.location)) for name in manifest.tools if (tool := _known(name))]
    yield from found
    lacking = _WITHOUT_DEFAULTS.difference(tool for tool, _ in found)
    for manifest in inventory.manifests:
        yield from _called(manifest, lacking)


def _called(manifest: Manifest, lacking: Collection[str]) -> Iterator[tuple[str, _Sign]]:
    """What scripts for linting call; an option may name a configuration."""
    for target in manifest.targets:
        for item in target.commands if target.name.partition(":")[0] == "lint" else ():
            if tool := _started(item.words):
                told = any(word.startswith(("-c", "--config")) for word in item.words)
                yield tool, _Sign(target.location, target.name, tool in lacking and not told)


def _known(name: str) -> str | None:
    tool = name.removesuffix("Config").lower()
    return tool if tool in tools.LINTERS else None


def _started(words: tuple[str, ...]) -> str | None:
    """The linter that a script called `lint` starts."""
    text = " ".join(words)
    return next((tool for tool, pattern in tools.LINTERS.items() if pattern.search(text)), None)


def _runs_everything(inventory: Inventory, found: Pipeline) -> bool:
    """Whether hooks, an all-round linter, or something that can't be followed may run any tool."""
    hooked = any(posixpath.basename(path) in tools.PRE_COMMIT_FILES for path in inventory.files)
    unknown = any(tools.MAY_LINT.search(run.text) for run in found.opaque)
    return bool((hooked and found.matching(tools.PRE_COMMIT)) or found.matching(tools.ALL_LINTERS) or unknown)


_RUN = {
    "ruff": "ruff check .", "mypy": "mypy .", "black": "black --check .", "bandit": "bandit -r .",
    "flake8": "flake8 .", "pylint": "pylint --recursive=y .", "yamllint": "yamllint .", "pyright": "pyright",
}  # fmt: skip
"""How a tool of Python checks all that is in its folder."""
_OF_NODE = {"eslint": "eslint .", "biome": "biome ci .", "stylelint": "stylelint '**/*.css'"}
_STARTS = {"npm": "npx", "yarn": "yarn", "pnpm": "pnpm exec", "bun": "bunx"}
_OTHERS = {
    "golangci-lint": "- uses: golangci/golangci-lint-action@<full commit hash>  # <version>{inside}",
    "rubocop": "- run: gem install rubocop && rubocop",
    "clippy": "- run: cargo clippy --all-targets -- -D warnings",
    "rustfmt": "- run: cargo fmt --all -- --check",
    "phpstan": "- run: composer install && vendor/bin/phpstan analyse",
    "psalm": "- run: composer install && vendor/bin/psalm",
    "phpcs": "- run: composer install && vendor/bin/phpcs",
    "php-cs-fixer": "- run: composer install && vendor/bin/php-cs-fixer check",
    "pint": "- run: composer install && vendor/bin/pint --test",
    "shellcheck": "- run: shellcheck $(git ls-files '*.sh')",
    "markdownlint": "- run: npx markdownlint-cli2 '**/*.md'",
    "ansible-lint": "- run: pip install ansible-lint && ansible-lint",
    "tflint": "- run: tflint --recursive",
    "credo": "- run: mix deps.get && mix credo",
    "hadolint": '- run: docker run --rm -v "$PWD:/src:ro" -w /src hadolint/hadolint hadolint <the Dockerfiles>',
}
_BUNDLED = (
    "- uses: ruby/setup-ruby@<full commit hash>  # <version>\n  with: {{bundler-cache: true}}\n"
    "- run: bundle exec rubocop"
)
_IMPORTING = frozenset({"mypy", "pyright", "pylint"})
"""Those that need the packages which the code imports."""
_WITHOUT_DEFAULTS = frozenset({"eslint", "stylelint"})
"""Those that do nothing without a configuration."""


def _job(inventory: Inventory, workflow: str, folder: str, signs: Mapping[str, _Sign]) -> str:
    """A job that installs what the folder needs and runs its tools."""
    place = f"defaults:\n  run:\n    working-directory: {folder}\n" if folder else ""
    inside = f"\n  with: {{working-directory: {folder}}}" if folder else ""
    steps = [
        *_of_python(inventory, folder, [name for name in signs if name in _RUN]),
        *_of_node(inventory, folder, {name: sign for name, sign in signs.items() if name in _OF_NODE}),
        *(_other(inventory, folder, name).format(inside=inside) for name in signs if name in _OTHERS),
    ]
    return workflow_lines.new_job(inventory, workflow, "lint", "\n".join(steps), place)


def _other(inventory: Inventory, folder: str, name: str) -> str:
    """How another tool is run; one of Ruby as its Gemfile says, where there is one."""
    bundled = name == "rubocop" and posixpath.join(folder, "Gemfile") in inventory.file_set
    return _BUNDLED if bundled else _OTHERS[name]


def _of_python(inventory: Inventory, folder: str, names: list[str]) -> Iterator[str]:
    if names:
        listed_ones = posixpath.join(folder, "requirements.txt") in inventory.file_set
        needs = "-r requirements.txt " if listed_ones and _IMPORTING.intersection(names) else ""
        yield f"- run: pip install {needs}{' '.join(names)}"
        yield from (f"- run: {_RUN[name]}" for name in names)


def _of_node(inventory: Inventory, folder: str, signs: Mapping[str, _Sign]) -> Iterator[str]:
    """The packages are installed as the lock file says; a script of the folder is called by its own name."""
    if not signs:
        return
    manager = package_installs.manager_of_node(inventory.file_set, folder)
    if manager in ("yarn", "pnpm"):
        yield "- run: corepack enable"
    yield f"- run: {package_installs.FROM_LOCK[manager] if manager else 'npm install'}"
    runs = (
        f"{manager or 'npm'} run {sign.script}" if sign.script else f"{_STARTS[manager or 'npm']} {_OF_NODE[name]}"
        for name, sign in signs.items()
    )
    yield from (f"- run: {line}" for line in dict.fromkeys(runs))


def _said(folder: str, signs: Mapping[str, _Sign]) -> str:
    """What the tools are here: configured, or called by a script or target."""
    configured = [name for name, sign in signs.items() if not sign.script]
    parts = [f"{listed(configured)} {_is(configured)} configured in {folder or 'the root'}"] if configured else []
    parts += [
        f"{sign.script} of {sign.location.file} calls {name}, which no file configures"
        if sign.bare
        else f"{sign.script} of {sign.location.file} calls {name}"
        for name, sign in signs.items()
        if sign.script
    ]
    return "; ".join(parts)


def _is(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _advice(first: str, sign: _Sign, workflow: str, *, more: bool) -> str:
    if sign.bare:
        step = f"Configure {first} and run it in a job of {workflow}, or remove the script {sign.script}"
    elif sign.script:
        step = f"Run {first} in a job of {workflow}, or remove {sign.script} from {sign.location.file}"
    else:
        step = f"Run {first} in a job of {workflow}, or remove its configuration"
    return f"{step}{'; likewise for the others' if more else ''}."


def _evidence(
    inventory: Inventory,
    folder: str,
    signs: Mapping[str, _Sign],
    found: Pipeline,
    elsewhere: list[dict[str, _Sign]],
) -> Evidence:
    (first, sign), *others = signs.items()
    workflow = deployment.workflow_file(inventory)
    how = "no workflow runs" if inventory.workflows else "the repository has no workflow that runs"
    return Evidence(
        f"{_said(folder, signs)}, and {how} {'it' if len(signs) == 1 else 'them'}.",
        sign.location,
        subject=f"{folder}/{'/'.join(sorted(signs))}",
        related=(
            *(
                Related(item.location, f"{'a call' if item.script else 'configuration'} of {tool}")
                for tool, item in others
            ),
            *(
                Related(next(iter(item.values())).location, f"the same holds of {listed(item)} here", member=True)
                for item in elsewhere
            ),
            *(Related(item.location, f"runs {listed(signs)} nowhere") for item in inventory.workflows[:3]),
        ),
        recommendation=_advice(first, sign, workflow, more=bool(others or elsewhere)),
        confidence=Confidence.MEDIUM if found.opaque else None,
        example=_job(inventory, workflow, folder, signs),
    )
