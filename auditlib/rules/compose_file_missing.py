"""A script calls a Compose file that the repository lacks.

A file that was renamed, or has an ending too many, stops the deployment at the command that names it: "no such file or
directory". It is found out in the middle of a deployment, or by whoever runs the script for the first time.

Anti-pattern:

    # deploy.sh; the file is called docker-compose.prod.yaml
    docker compose -f docker-compose.prod.yml up -d

Better:

    docker compose -f docker-compose.prod.yaml up -d

Recommendation:

    Correct the name in the command, or add the file.

References:

- https://docs.docker.com/reference/cli/docker/compose/#use--f-to-specify-the-name-and-path-of-one-or-more-compose-files
- https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment, environments, git_ignores
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Manifest, Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COMPOSE = regex(r"(?:\./)?(?:[\w-][\w.-]*/)*[\w.-]+\.ya?ml")
_FETCHES = regex(r"^(?:git clone|scp|ssh|rsync|wget|tar|unzip)\b|^curl\b.*\s-\w*[oO]\b|^curl\b.*--output\b")
"""Commands after which a script may work in a folder that isn't the repository's."""
_SAMPLES = ("example", "sample", "dist", "template", "tmpl", "tpl")
_MAKERS = frozenset({"cp", "mv", "ln", "tee"})


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Compose file that scripts and manifests name, and that is nowhere under its name; those of jobs aside."""
    named = [pair for script in inventory.scripts for pair in _of_script(script)]
    named += [pair for manifest in inventory.manifests for pair in _of_manifest(manifest)]
    names = {posixpath.basename(path) for path in inventory.files} | _made(inventory) if named else set()
    found: defaultdict[str, list[Location]] = defaultdict(list)
    for path, place in named:
        if _COMPOSE.fullmatch(path) and posixpath.basename(path) not in names and not _is_of_host(inventory, path):
            found[normal(path)].append(place)
    for path, places in found.items():
        yield _evidence(inventory, path, list(dict.fromkeys(places)))


def _of_script(script: Script) -> Iterator[tuple[str, Location]]:
    """What a script names, unless it works with what it fetches."""
    if not any(_FETCHES.search(" ".join(command.words)) or _downloads(command) for command in script.commands):
        yield from ((item.value, item.location) for item in script.compose_files)


def _downloads(command: Command) -> bool:
    """Whether a command writes what it fetches into a file (`curl … > compose.yml`)."""
    return command.words[:1] == ("curl",) and bool(command.writes)


def _of_manifest(manifest: Manifest) -> Iterator[tuple[str, Location]]:
    """What make targets and npm scripts name."""
    for target in manifest.targets:
        for command in target.commands:
            call = compose_command.of(command.words)
            yield from ((file, command.location) for file in (call.files if call else ()))


def _made(inventory: Inventory) -> set[str]:
    """The names of files that commands write, or may make."""
    commands = [item for item in deployment.commands(inventory) if item.words]
    written = {posixpath.basename(word) for item in commands for word in item.writes}
    return written | {posixpath.basename(item.words[-1]) for item in commands if item.words[0] in _MAKERS}


def _is_of_host(inventory: Inventory, path: str) -> bool:
    """Whether a file is one that each host has of its own: Git leaves it out, or a sample of it is there."""
    inside = posixpath.normpath(path)
    known = {name.lower() for name in map(posixpath.basename, inventory.files)}
    stem, ending = posixpath.splitext(posixpath.basename(path).lower())
    samples = {f"{stem}{ending}.{word}" for word in _SAMPLES} | {f"{stem}.{word}{ending}" for word in _SAMPLES}
    return bool(git_ignores.left_out_by(inventory, inside)) or not samples.isdisjoint(known)


def _meant(inventory: Inventory, path: str) -> str:
    """The file that is called so but for its ending, if there is one alone."""
    name = posixpath.basename(path)
    stem = posixpath.splitext(name)[0]
    wanted = {f"{start}{end}" for start in (name, stem) for end in (".yml", ".yaml")}
    found = [file for file in inventory.files if posixpath.basename(file) in wanted]
    return found[0] if len(found) == 1 else ""


def _evidence(inventory: Inventory, path: str, places: list[Location]) -> Evidence:
    first, *others = places
    meant = _meant(inventory, path)
    tail = f"; there is {meant}" if meant else ", unless it lies on the host alone"
    advice = f"Write {meant} in place of {path}" if meant else f"Correct the name in {first.file}, or add {path}"
    return Evidence(
        f"{first.file} calls {path}, which the repository lacks{tail}.",
        first,
        subject=path,
        related=(
            *(Related(place, f"calls {path} too", member=True) for place in others),
            *([Related(Location(meant), "the file that is probably meant")] if meant else []),
        ),
        recommendation=f"{advice}.",
        severity=Severity.LOW if environments.is_for_development(first.file) else None,
        example=files.into(first.file, f"docker compose -f {meant or '<the file that is meant>'} …"),
    )
