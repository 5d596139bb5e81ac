"""Dependabot looks into a folder in which there is nothing for it.

An entry names an ecosystem and a folder. Where the folder has no manifest of that kind, Dependabot ends with an error
that few people read, and no version is ever proposed, although the file says that one is looked for.

Anti-pattern:

    # .github/dependabot.yml; requirements.txt is in /backend
    updates:
      - package-ecosystem: pip
        directory: /
        schedule: { interval: weekly }

Better:

    updates:
      - package-ecosystem: pip
        directory: /backend
        schedule: { interval: weekly }

Recommendation:

    Name the folder of the manifest, or remove the entry.

References:

- https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference#directories-or-directory--
- https://docs.github.com/en/code-security/dependabot/ecosystems-supported-by-dependabot/supported-ecosystems-and-repositories
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import UpdateEntry
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MANIFESTS = {
    "pip": regex(
        r"[^/]*\.(?:txt|in)|[^/]*requirement[^/]*/[^/]*|pyproject\.toml|setup\.(?:py|cfg)|Pipfile(?:\.lock)?|poetry\.lock"
    ),
    "uv": regex(r"pyproject\.toml|uv\.lock|[^/]*\.(?:txt|in)"),
    "npm": regex(r"package\.json"),
    "gomod": regex(r"go\.mod"),
    "cargo": regex(r"Cargo\.toml|.*/Cargo\.toml"),
    "composer": regex(r"composer\.json"),
    "bundler": regex(r"Gemfile|gems\.rb|.*\.gemspec"),
    "maven": regex(r"pom\.xml|.*/pom\.xml|extensions\.xml"),
    "docker": regex(r"(?i)[^/]*(?:docker|container)file[^/]*|[^/]*\.ya?ml|[^/]*\.tpl"),
    "docker-compose": regex(r"[^/]*compose[^/]*\.ya?ml"),
}
"""What Dependabot reads of each ecosystem, by the path below the folder of the entry."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each entry that names plain folders only, none of which has a manifest of its kind."""
    for entry in inventory.update_entries:
        plain = bool(entry.folders) and not any(set("*?[") & set(folder) for folder in entry.folders)
        empty = (
            plain and entry.ecosystem in _MANIFESTS and not any(_has(inventory, entry, each) for each in entry.folders)
        )
        if empty:
            yield _evidence(inventory, entry)


def _has(inventory: Inventory, entry: UpdateEntry, folder: str) -> bool:
    """Whether a folder has something for an entry, or nobody knows what lies behind it."""
    start = f"{folder}/" if folder else ""
    pattern = _MANIFESTS[entry.ecosystem]
    below = (path[len(start) :] for path in inventory.files if path.startswith(start))
    builds = (item.build for item in inventory.services if item.build) if entry.ecosystem == "docker" else ()
    meant = any(
        folder in (item.folder, posixpath.dirname(item.dockerfile)) for item in builds
    )  # its Dockerfile is missing, not the folder wrong
    return any(map(pattern.fullmatch, below)) or meant or inventory.leads_through_link(folder)


def _evidence(inventory: Inventory, entry: UpdateEntry) -> Evidence:
    folders = listed(f"/{folder}" for folder in entry.folders)
    found = [path for path in inventory.files if _MANIFESTS[entry.ecosystem].fullmatch(posixpath.basename(path))]
    usual = [path for path in found if not path.endswith((".txt", ".in", ".yml", ".yaml")) or "requirement" in path]
    elsewhere = f"; the next is {usual[0]}" if usual else ""
    right = f"/{posixpath.dirname(usual[0])}" if usual else "<the folder of the manifest>"
    return Evidence(
        f"The entry for {entry.ecosystem} looks into {folders}, where there is no manifest of that kind{elsewhere}: "
        "Dependabot ends with an error, and proposes nothing.",
        entry.location,
        subject=f"{entry.ecosystem}/{folders}",
        recommendation=f"Set `directory: {right}`, or remove the entry."
        if usual
        else "Remove the entry, or add the manifest.",
        example=files.into(entry.location.file, f"- package-ecosystem: {entry.ecosystem}\n  directory: {right}"),
    )
