"""A step calls what the repository lacks.

The npm script, make target, file, module or service of Compose that a workflow names isn't there, so the step fails on
each run. Where its failure is thrown away the step is green all the same, and the check that it stands for has never
taken place.

Anti-pattern:

    # package.json has no script "type-check"
    - run: npm run type-check

Better:

    # package.json
    "scripts": { "type-check": "tsc --noEmit" }

Recommendation:

    Add what is missing, or call it by the name that it has.

References:

- https://docs.npmjs.com/cli/commands/npm-run
- https://docs.npmjs.com/cli/using-npm/scripts
- https://www.gnu.org/software/make/manual/html_node/Goals.html
"""

from __future__ import annotations

import itertools
import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from auditlib.conventions import deployment, git_ignores
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, ScriptTarget
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import remote
from auditlib.pipeline.needs import Need, inputs_of, needs_of, services
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


class _Use(Struct, frozen=True):
    """One call of what is missing, by a step or by a job."""

    need: Need
    place: Location
    caller: Location
    swallowed: bool = False


_SCRIPT = regex(r"(?:\./)?(?:[\w.-]+/)+[\w.-]+\.(?:sh|bash|py|js|rb|pl)")
_PATH = regex(r"[\w@./-]*[\w-]\.[\w-]+|(?:[\w.-]+/)+[\w.-]+")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each thing that steps call and the repository lacks; what lies in one missing folder together."""
    missing: defaultdict[str, list[_Use]] = defaultdict(list)
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps:
            if step.uses.startswith("./") and workspace.holds_repository:
                for need in _action(inventory, step.uses):
                    missing[need.cause].append(_Use(need, step.location, step.location))
            for need in inputs_of(workspace, step):
                missing[need.cause].append(_Use(need, step.location, step.location))
            for command in step.commands:
                for need in needs_of(workspace, step, command):
                    missing[need.cause].append(_Use(need, command.location, step.location, command.cannot_fail))
        for step, need in remote.needs_of(workspace):
            missing[need.cause].append(_Use(need, step.location, step.location))
        if job.uses.startswith("./") and job.uses.removeprefix("./") not in inventory.file_set:
            missing[job.uses].append(_Use(Need(job.uses, "the workflow", job.uses), job.location, job.location))
    for cause, uses in _by_calls(missing).items():
        yield _evidence(inventory, cause, uses)
    yield from _of_programs(inventory, missing)
    yield from _of_targets(inventory, {use.need.name.removeprefix("./") for uses in missing.values() for use in uses})


def _of_programs(inventory: Inventory, told: Mapping[str, list[_Use]]) -> Iterator[Evidence]:
    """The services that scripts and targets name to Compose and no file has, those apart of which a step's finding
    tells.
    """
    found: defaultdict[tuple[str, str], list[tuple[Need, Location]]] = defaultdict(list)
    texts = [script.commands for script in inventory.scripts]
    texts += [target.commands for manifest in inventory.manifests for target in manifest.targets]
    for command in itertools.chain(*texts):
        for need in services(inventory, command.words):
            if need.cause not in told:
                found[command.location.file, need.cause].append((need, command.location))
    for (file, cause), uses in found.items():
        yield _of_program(file, cause, uses)


def _of_program(file: str, cause: str, uses: list[tuple[Need, Location]]) -> Evidence:
    need, place = uses[0]
    return Evidence(
        f"{file} names the service {need.name} to Compose, and no Compose file has one of that name{need.detail}.",
        place,
        subject=f"{file}/{cause}",
        related=tuple(Related(other, f"names {need.name} too", member=True) for _, other in uses[1:]),
        recommendation=need.advice,
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        example=files.into(file, "docker compose up --detach <the service as it is called now>"),
    )


def _of_targets(inventory: Inventory, told: set[str]) -> Iterator[Evidence]:
    """The make targets whose script isn't there, those apart of which a step's finding tells."""
    for manifest in inventory.manifests:
        for target in manifest.targets if manifest.kind == "make" else ():
            for command in target.commands:
                path = _script(manifest.path, command)
                if path and path not in told and not _is_there(inventory, path):
                    yield _of_target(inventory, target, command, path)


def _script(makefile: str, command: Command) -> str:
    """The script in a folder that a line of a target calls by its path, relative to the root; empty for none."""
    words = [word for word in command.words[:2] if word not in ("bash", "sh", "source", ".", "sudo")]
    if not words or not _SCRIPT.fullmatch(words[0]):
        return ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(makefile), command.folder or "", words[0]))
    return "" if path.startswith("..") else path


def _is_there(inventory: Inventory, path: str) -> bool:
    """Whether the repository has a file, or it may be made: by a command, or as one that Git leaves out."""
    made = any(posixpath.basename(path) in word for item in deployment.commands(inventory) for word in item.writes)
    return path in inventory.file_set or made or bool(git_ignores.left_out_by(inventory, path))


def _of_target(inventory: Inventory, target: ScriptTarget, command: Command, path: str) -> Evidence:
    return Evidence(
        f"`make {target.name}` calls {path}, which the repository lacks.",
        command.location,
        subject=f"make {target.name}/{path}",
        recommendation=f"Add {path}, or remove the target {target.name}.",
        severity=Severity.LOW,
        example=_added(inventory, path, [path]),
    )


def _by_calls(missing: dict[str, list[_Use]]) -> dict[str, list[_Use]]:
    """By cause; files and folders that just the same commands name are missing together."""
    merged: dict[str, list[_Use]] = {}
    homes: dict[tuple[str, frozenset[Location]], str] = {}
    for cause, uses in missing.items():
        plain = all(use.need.what.startswith("the path") and not use.need.advice for use in uses)
        places = frozenset(use.place for use in uses)
        home = homes.setdefault((uses[0].need.what, places), cause) if plain else cause
        merged.setdefault(home, []).extend(uses)
    return merged


def _action(inventory: Inventory, uses: str) -> Iterator[Need]:
    """An action of the repository without its file."""
    folder = uses.removeprefix("./").rstrip("/")
    files = (f"{folder}/{name}".lstrip("/") for name in ("action.yml", "action.yaml", "Dockerfile"))
    if not any(path in inventory.file_set for path in files):
        yield Need(uses, "the action", uses)


def _evidence(inventory: Inventory, cause: str, uses: list[_Use]) -> Evidence:
    need, location = uses[0].need, uses[0].place
    callers = {use.caller for use in uses}
    names = list(dict.fromkeys(use.need.name for use in uses))
    steps = "A step calls" if len(callers) == 1 else f"{len(callers)} steps call"
    hidden = all(use.swallowed for use in uses)
    what = f"{need.what} {names[0]}" if len(names) == 1 else f"{listed(names)}"
    message = f"{steps} {what}, which the repository lacks{need.detail}"
    return Evidence(
        f"{message}; the failure is thrown away." if hidden else f"{message}.",
        location,
        subject=cause,
        related=tuple(Related(place, f"calls {item.name} too", member=True) for item, place in _others(uses)),
        recommendation=need.advice or f"Add {listed(names)}, or call what is there.",
        severity=Severity.MEDIUM if hidden else None,
        confidence=None if need.sure else Confidence.MEDIUM,
        example=_added(inventory, cause, [_path(use.need) for use in uses]),
    )


def _added(inventory: Inventory, cause: str, names: list[str]) -> str:
    """The script that package.json lacks; of files the one that may be meant, or how they get into the repository."""
    package, _, script = cause.partition("#")
    if cause.startswith("service "):
        return "docker compose <…> <the service as it is called now>"
    if script and not package.endswith(".json"):
        return files.into(package, f"{script}:\n\t<the command that it stands for>")
    if script:
        return files.into(package, f'"scripts": {{\n  "{script}": "<the command that it stands for>"\n}}')
    paths = list(dict.fromkeys(name.removeprefix("./") for name in names if _PATH.fullmatch(name)))
    moved = [file for path in paths[:1] for file in inventory.files_by_name.get(posixpath.basename(path), ())]
    if len(moved) == 1:
        return f"git mv {shlex.quote(moved[0])} {shlex.quote(paths[0])}   # or name {moved[0]} in the step"
    return files.committed(paths or names)


def _path(need: Need) -> str:
    return f"{need.name.replace('.', '/')}.py" if need.what == "the module" else need.name


def _others(uses: list[_Use]) -> Iterator[tuple[Need, Location]]:
    seen = {uses[0].place}
    for use in uses[1:]:
        if use.place not in seen:
            seen.add(use.place)
            yield use.need, use.place
