"""Nothing keeps the dependencies up to date.

Actions, base images and packages get security fixes each week. Where no program proposes them, somebody must remember
to look; experience says that this happens after an incident.

Anti-pattern:

    # .github/ holds workflows and no dependabot.yml

Better:

    # .github/dependabot.yml
    version: 2
    updates:
      - package-ecosystem: github-actions
        directory: /
        schedule: { interval: weekly }
      - package-ecosystem: docker
        directory: /backend
        schedule: { interval: weekly }

Recommendation:

    Add `.github/dependabot.yml` or Renovate, with an entry for each kind of dependency.

References:

- https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference
- https://docs.renovatebot.com/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_UPDATERS = regex(
    r"(?:^|/)(?:dependabot\.ya?ml|renovate\.json5?|\.renovaterc(?:\.json5?)?|renovate-config\.js|\.pyup\.ya?ml|"
    r"\.scala-steward\.conf|\.depfu\.yml|\.dependabot/config\.yml|updatecli\.ya?ml|\.updatecli/.+|diun\.ya?ml)$"
)
_UPDATES = regex(
    r"renovate|dependabot|npm-check-updates|\bncu\b|updatecli|pip-compile\b.*--upgrade|uv (?:lock|sync)\b.*--upgrade|"
    r"poetry update|npm update|yarn up|pre-commit autoupdate|pip-review|go get -u(?: \./\.\.\.|$)",
    re.I,
)
_ECOSYSTEMS = {
    "actions": "github-actions",
    "Python packages": "pip",
    "npm packages": "npm",
    "base images": "docker",
    "images of services": "docker-compose",
}
"""What Dependabot calls them (https://docs.github.com/en/code-security/dependabot/ecosystems-supported-by-dependabot)."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository with dependencies and without anything that proposes updates."""
    kinds = dict(_kinds(inventory))
    if kinds and not any(_UPDATERS.search(path) for path in inventory.files) and not _updates(inventory):
        (first, location), *others = kinds.items()
        names = listed([first, *(name for name, _ in others)])
        yield Evidence(
            f"No Dependabot, Renovate or the like proposes new versions of {names}, unless it is set up outside the "
            "repository.",
            location,
            subject="updates",
            related=tuple(Related(place, name, member=True) for name, place in others),
            recommendation=f"Add .github/dependabot.yml with entries for {names}.",
            example=_dependabot(kinds),
        )


def _dependabot(kinds: Mapping[str, Location]) -> str:
    """The file with an entry for each kind, by where the first of it stands."""
    entries = [
        f"  - package-ecosystem: {_ECOSYSTEMS[name]}\n    directory: /{_folder(name, place)}\n"
        "    schedule: {interval: weekly}"
        for name, place in kinds.items()
    ]
    return "\n".join(("version: 2", "updates:", *entries))


def _folder(name: str, place: Location) -> str:
    """Dependabot looks for workflows by itself, and for all others in a folder."""
    return "" if name == "actions" else posixpath.dirname(place.file)


def _kinds(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """The kinds of dependencies that an updater could look after, each with a place where they stand."""
    actions = [step for step in inventory.steps if step.uses and not step.uses.startswith(("./", "docker:"))]
    packages = [item for item in inventory.manifests if item.kind in ("python", "npm") and item.requirements]
    external = [service for service in inventory.distinct_services if service.image and not service.build]
    if actions:
        yield "actions", Location(actions[0].workflow)
    for kind, name in (("python", "Python packages"), ("npm", "npm packages")):
        if found := next((item for item in packages if item.kind == kind), None):
            yield name, found.location
    if inventory.dockerfiles:
        yield "base images", inventory.dockerfiles[0].location
    if external:
        yield "images of services", external[0].image_location


def _updates(inventory: Inventory) -> bool:
    texts = (" ".join(command.words) for command in deployment.commands(inventory))
    actions = (step.uses for step in inventory.steps)
    in_manifest = any(tool in ("renovate", "dependabot") for item in inventory.manifests for tool in item.tools)
    return in_manifest or any(_UPDATES.search(text) for text in (*texts, *actions))
