"""Nothing keeps the dependencies, or a part of them, up to date.

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

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from auditlib import compose_command, stages
from auditlib.conventions import deployment, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import UpdateEntry, UpdateLimit
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
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
    "Go modules": "gomod",
    "Rust crates": "cargo",
    "Maven packages": "maven",
    "Gradle packages": "gradle",
    "Ruby gems": "bundler",
    "PHP packages": "composer",
    "Elixir packages": "mix",
    "Dart packages": "pub",
    ".NET packages": "nuget",
    "base images": "docker",
    "images of services": "docker-compose",
}
"""What Dependabot calls them (https://docs.github.com/en/code-security/dependabot/ecosystems-supported-by-dependabot)."""

_MANAGERS = {
    "actions": ("github-actions",), "npm packages": ("npm", "bun"), "Go modules": ("gomod",),
    "Python packages": ("pip_requirements", "pep621", "poetry", "pipenv", "pip_setup", "setup-cfg", "pip-compile"),
    "Rust crates": ("cargo",), "Maven packages": ("maven",), "Gradle packages": ("gradle",), "Ruby gems": ("bundler",),
    "PHP packages": ("composer",), "Elixir packages": ("mix",), "Dart packages": ("pub",), ".NET packages": ("nuget",),
    "base images": ("dockerfile",), "images of services": ("docker-compose",),
}  # fmt: skip
"""By which Renovate looks after them (https://docs.renovatebot.com/modules/manager/)."""

_BY_FILE = {
    "go.mod": "Go modules", "Cargo.toml": "Rust crates", "pom.xml": "Maven packages",
    "build.gradle": "Gradle packages", "build.gradle.kts": "Gradle packages", "Gemfile": "Ruby gems",
    "composer.json": "PHP packages", "mix.exs": "Elixir packages", "pubspec.yaml": "Dart packages",
}  # fmt: skip
_PROJECTS_OF_NET = (".csproj", ".fsproj", ".vbproj")
_BY_LOCK = {
    "Python packages": (("uv.lock", "uv"),),
    "npm packages": (("bun.lock", "bun"), ("bun.lockb", "bun"), ("pnpm-workspace.yaml", "npm")),
}  # fmt: skip
"""Files that all packages below them share, each with the ecosystem by which Dependabot keeps it in step."""
_LOCKS = {
    "npm packages": ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"),
    "Rust crates": ("Cargo.lock",), "Ruby gems": ("Gemfile.lock",), "PHP packages": ("composer.lock",),
}  # fmt: skip
"""A package with one of its own is no part of a workspace above it."""
_ALIKE = {"Python packages": ("uv", "poetry", "pipenv"), "npm packages": ("bun",), "base images": ("docker-compose",)}
"""Other ecosystems that look after the same."""
_EXAMPLES = frozenset({"example", "examples", "docs", "doc", "test", "tests", ".devcontainer", "demo", "benchmarks"})
_RENOVATE = """# renovate.json, for a Renovate that this forge runs
{"extends": ["config:recommended"]}"""

_PLAIN = regex(r"[\w./-]+")
_FORGES = (".forgejo/", ".gitea/", ".gitlab-ci.yml")
_LISTED = 20
"""Folders that an entry names one by one; of more it takes all."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository with dependencies and without anything that proposes updates."""
    kinds = dict(_kinds(inventory))
    if kinds and not any(_UPDATERS.search(path) for path in inventory.files) and not _updates(inventory):
        first, *others = kinds
        names = listed(kinds)
        elsewhere = _is_elsewhere(inventory)
        yield Evidence(
            f"No Dependabot, Renovate or the like proposes new versions of {names}, unless it is set up outside the "
            "repository.",
            kinds[first][0],
            subject="updates",
            related=tuple(Related(kinds[name][0], name, member=True) for name in others),
            recommendation=f"Add renovate.json, and have Renovate run for {names}: Dependabot belongs to GitHub."
            if elsewhere
            else f"Add .github/dependabot.yml with entries for {names}.",
            example=_RENOVATE if elsewhere else _dependabot(inventory, kinds),
        )
    elif missed := _left_out(inventory, kinds):
        yield _incomplete(inventory, missed)
    elif (limit := _limit(inventory)) and (missed := _left_alone(limit, kinds)):
        yield _limited(limit, missed)


def _limit(inventory: Inventory) -> UpdateLimit | None:
    """What keeps Renovate to a part, where nothing else proposes updates."""
    alone = sum(bool(_UPDATERS.search(path)) for path in inventory.files) == 1 and not _updates(inventory)
    return next(iter(inventory.update_limits), None) if alone else None


def _left_alone(limit: UpdateLimit, kinds: Mapping[str, Sequence[Location]]) -> dict[str, list[Location]]:
    """The kinds that none of the managers looks after, with their places, those in examples and the like left out."""
    missed = {name: places for name, places in kinds.items() if not set(limit.managers).intersection(_MANAGERS[name])}
    usual = {name: [place for place in places if not _is_aside(place.file)] for name, places in missed.items()}
    return {name: places for name, places in usual.items() if places and name != "images of services"}


def _limited(limit: UpdateLimit, missed: Mapping[str, Sequence[Location]]) -> Evidence:
    names, file = listed(missed), limit.location.file
    managers = [*limit.managers, *(_MANAGERS[name][0] for name in missed)]
    places = [(name, place) for name, found in missed.items() for place in found]
    return Evidence(
        f"Renovate alone proposes new versions, and `enabledManagers` of {file} leaves out {names}."
        if limit.managers
        else f"Renovate is switched off in {file}, and nothing else proposes new versions of {names}.",
        limit.location,
        subject="left out of updates",
        related=tuple(
            Related(place, f"{name} that Renovate leaves alone", member=True) for name, place in places[:_LISTED]
        ),
        recommendation=f"Name {names} in `enabledManagers` of {file}, too."
        if limit.managers
        else f"Remove `enabled` from {file}.",
        example=files.into(file, f'"enabledManagers": {json.dumps(managers)}' if limit.managers else '"enabled": true'),
    )


def _left_out(inventory: Inventory, kinds: Mapping[str, Sequence[Location]]) -> dict[str, list[Location]]:
    """What Dependabot has no entry for, where it is the only one that proposes updates."""
    entries = inventory.update_entries
    others = [path for path in inventory.files if _UPDATERS.search(path) and "dependabot" not in path]
    if not entries or others or _updates(inventory):
        return {}
    found = {
        name: [place for place in places if not any(_covers(inventory, entry, name, place.file) for entry in entries)]
        for name, places in kinds.items() if name != "images of services"
    }  # fmt: skip
    usual = {name: [item for item in places if not _is_aside(item.file)] for name, places in found.items()}
    return {name: places for name, places in usual.items() if places}


def _is_aside(path: str) -> bool:
    return not (stages.FOREIGN_FOLDERS | _EXAMPLES).isdisjoint(path.split("/")[:-1])


def _covers(inventory: Inventory, entry: UpdateEntry, name: str, path: str) -> bool:
    """Whether an entry is about a file; a package's root speaks for what lies below it, a folder of images doesn't."""
    if entry.ecosystem not in {_ECOSYSTEMS[name], *_ALIKE.get(name, ())}:
        return False
    folder = posixpath.dirname(path)
    apart = any(posixpath.join(folder, lock) in inventory.file_set for lock in _LOCKS.get(name, ()))
    deep = name != "base images" and entry.ecosystem not in ("pip", "gomod") and not apart
    return name == "actions" or any(_is_in(folder, home, deep) for home in entry.folders)


def _is_in(folder: str, home: str, deep: bool) -> bool:
    """Whether a folder is one that an entry names, by itself, by a pattern, or, if `deep`, by one above it."""
    whole = home.endswith("**")
    above = home[:-2].rstrip("/") if whole else home
    listed_apart = posixpath.basename(folder).startswith("requirements") and posixpath.dirname(folder) == home
    return fnmatchcase(folder, home) or listed_apart or ((deep or whole) and mounts.is_below(folder, above))


def _incomplete(inventory: Inventory, missed: Mapping[str, Sequence[Location]]) -> Evidence:
    entry = inventory.update_entries[0]
    names = listed(missed)
    places = [(name, place) for name, found in missed.items() for place in found]
    return Evidence(
        f"Dependabot proposes new versions by the entries of {entry.location.file}, and these leave out {names}.",
        Location(entry.location.file),
        subject="left out of updates",
        related=tuple(
            Related(place, f"{name} that no entry is about", member=True) for name, place in places[:_LISTED]
        ),
        recommendation=f"Add entries for {names} to {entry.location.file}.",
        example=_dependabot(inventory, missed),
    )


def _is_elsewhere(inventory: Inventory) -> bool:
    """Whether the pipelines are those of another forge alone."""
    ours = any(path.startswith(".github/workflows/") for path in inventory.files)
    return not ours and any(path.startswith(_FORGES) for path in inventory.files)


def _dependabot(inventory: Inventory, kinds: Mapping[str, Sequence[Location]]) -> str:
    """The file with an entry for each kind, with all the folders that hold it."""
    entries = [
        f"  - package-ecosystem: {ecosystem}\n    {_where(folders)}\n    schedule: {{interval: weekly}}"
        for name, places in kinds.items()
        for ecosystem, folders in _entries(inventory, name, places).items()
    ]
    return "\n".join(("version: 2", "updates:", *entries))


def _entries(inventory: Inventory, name: str, places: Sequence[Location]) -> dict[str, list[str]]:
    """By ecosystem the folders; that of a lock file for all the packages below it, as those of a workspace are."""
    found: dict[str, list[str]] = {}
    for folder in dict.fromkeys(posixpath.dirname(place.file) for place in places):
        ecosystem, root = _locked(inventory, name, folder) or (_ECOSYSTEMS[name], "" if name == "actions" else folder)
        if root not in found.setdefault(ecosystem, []):
            found[ecosystem].append(root)
    return found


def _locked(inventory: Inventory, name: str, folder: str) -> tuple[str, str] | None:
    """The ecosystem of a lock file at a folder or above it, and where that file is."""
    for lock, ecosystem in _BY_LOCK.get(name, ()):
        parts = folder.split("/") if folder else []
        above = ("/".join(parts[:count]) for count in range(len(parts), -1, -1))
        root = next((item for item in above if posixpath.join(item, lock) in inventory.file_set), None)
        if root is not None:
            return ecosystem, root
    return None


def _where(folders: Sequence[str]) -> str:
    """The folders as Dependabot is told them."""
    shown = [folder if _PLAIN.fullmatch(folder) else json.dumps(folder) for folder in (f"/{item}" for item in folders)]
    if len(shown) > _LISTED:
        return 'directories: ["**/*"]'
    return f"directories: [{', '.join(shown)}]" if len(shown) > 1 else f"directory: {shown[0]}"


def _kinds(inventory: Inventory) -> Iterator[tuple[str, list[Location]]]:
    """The kinds of dependencies that an updater could look after, each with the places where they stand."""
    actions = [step for step in inventory.steps if step.uses and not step.uses.startswith(("./", "docker:"))]
    packages = [item for item in inventory.manifests if item.kind in ("python", "npm") and item.requirements]
    external = [item for item in inventory.distinct_services if item.image and not item.build]
    found = {
        "actions": [Location(step.workflow) for step in actions],
        "Python packages": [item.location for item in packages if item.kind == "python"],
        "npm packages": [item.location for item in packages if item.kind == "npm"],
        **_by_file(inventory),
        "base images": [item.location for item in inventory.dockerfiles],
        "images of services": [service.image_location for service in external],
    }
    yield from ((name, places) for name, places in found.items() if places)


def _by_file(inventory: Inventory) -> dict[str, list[Location]]:
    """The packages of languages of which the name of a file alone tells."""
    found: dict[str, list[Location]] = {}
    for path in inventory.files:
        *folders, name = path.split("/")
        kind = ".NET packages" if name.endswith(_PROJECTS_OF_NET) else _BY_FILE.get(name)
        if kind and stages.FOREIGN_FOLDERS.isdisjoint(folders):
            found.setdefault(kind, []).append(Location(path))
    return found


def _is_in_a_container(words: Sequence[str]) -> bool:
    """Whether a command runs in a container that is up, so that the repository learns nothing of what it updates."""
    call = compose_command.of(words)
    return words[:2] == ("docker", "exec") or (call is not None and call.verb == "exec")


def _updates(inventory: Inventory) -> bool:
    texts = (" ".join(item.words) for item in deployment.commands(inventory) if not _is_in_a_container(item.words))
    actions = (step.uses for step in inventory.steps)
    in_manifest = any(tool in ("renovate", "dependabot") for item in inventory.manifests for tool in item.tools)
    return in_manifest or any(_UPDATES.search(text) for text in (*texts, *actions))
