"""From the files of a repository to resolved projects: which are read together, under which name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import dirname
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from auditlib import compose, stages
from auditlib.compose.errors import dotted
from auditlib.inventory import merging, stack
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.compose import raw, services
from auditlib.readers.compose.combinations import Combination
from auditlib.readers.compose.environment import Interpolations
from auditlib.readers.compose.view import View
from auditlib.source import Source, Unreadable

SERVICE_LIMIT = 5_000
"""Services of a project that is read; one with more is there to take time."""
_FIRST_START = regex(
    r"\b(?:runs? (?:only )?once|only (?:runs? )?(?:once|on (?:the |a )?first)|(?:fresh|empty|new) (?:data )?volume|"
    r"(?:the|on|at) first (?:start|boot|run|init\w*))\b",
    re.I,
)
_ALONE = regex(r"\$(?:\{\w+\}|\w+):[/$]")
"""A variable, and the place of a mount after it."""
_CALL = regex(r"\bdocker[ -]compose\s[^\n;&|]{0,200}")
_PROFILE = regex(r"--profile[= ][\"'`]?([\w.*-]{1,60})")


class Plan(Struct, frozen=True):
    """What is to be read as one project. `own_file` is the base itself, or the overlay."""

    name: str
    files: tuple[str, ...]
    own_file: str
    env_file: str
    base_file: str = ""
    base_name: str = ""
    started_at: tuple[Location, ...] = ()
    for_swarm: bool = False

    def of_its_base(self) -> Plan:
        """The base alone, without its override, as an overlay is laid over it."""
        return Plan(self.base_name, self.files[:1], self.files[0], self.env_file)


class Resolved(Struct, frozen=True):
    """A project's records, and how the loader judged it."""

    project: stack.Project
    services: tuple[stack.Service, ...]
    resources: tuple[stack.Volume | stack.Network | stack.FileObject, ...]
    variables: tuple[stack.Variable, ...]
    problems: tuple[merging.Problem, ...]
    overrides: tuple[merging.Override, ...]
    empty_lists: tuple[merging.EmptyList, ...]
    reset_values: tuple[merging.ResetValue, ...]
    files: tuple[str, ...]

    def records(self) -> Iterator[Any]:
        """All records, in the order in which the tables show them."""
        yield self.project
        yield from (
            *self.services,
            *self.resources,
            *self.variables,
            *self.problems,
            *self.overrides,
            *self.empty_lists,
            *self.reset_values,
        )


def plans(
    found: Sequence[compose.Found], deployed: Mapping[str, Combination], told: Mapping[str, str] = MappingProxyType({})
) -> list[Plan]:
    """The projects in the order of their files, bases first, each with a name of its own.

    What is deployed together is one base; what is left out of it, as an override may be, is laid over its first file,
    an overlay over the base that it is `told` to go with.
    """
    parts = {file for item in deployed.values() for file in item.files[1:]}
    names = _names([item for item in found if item.role != "overlay" and item.files[0] not in parts])
    bases = [item for item in found if (item.name in names or item.name in deployed) and item.name not in parts]
    made = [_base(item, names.get(item.name, item.name), deployed.get(item.name)) for item in bases]
    taken = parts.union(*(plan.files for plan in made))
    for item in found:
        base = told.get(item.name) or item.base or item.files[0]
        left = [item.name] if item.role == "overlay" else item.files[1:]
        made += [
            Plan(file, (base, file), file, item.env_file or "", base, names.get(base, base))
            for file in left
            if file not in taken
        ]
    return made


def _names(bases: Iterable[compose.Found]) -> dict[str, str]:
    """What bases are called, by their files: each as its folder, unless that is the root or called for already."""
    names: dict[str, str] = {}
    for item in bases:
        folder = "" if item.directory == "." else item.directory
        taken = not folder or folder in names.values()
        names[item.files[0]] = item.files[0] if taken else folder
    return names


def _base(item: compose.Found, name: str, deployed: Combination | None) -> Plan:
    files, started_at = (deployed.files, deployed.started_at) if deployed else (item.files, ())
    return Plan(name, files, item.name, item.env_file or "", started_at=started_at)


def resolve(source: Source, plan: Plan) -> Resolved:
    """The records of a project. Raises whatever the loader raises, and Unreadable for more services than are read."""
    project, unset, warnings = _load(source, plan)
    if len(project.services) > SERVICE_LIMIT:
        raise Unreadable(f"has {len(project.services)} services; projects of more than {SERVICE_LIMIT} are not read")
    for file in project.files:
        _learn(source, file)
    view = View(source, plan.name, project)
    source.vault.allow(*(name for section in ("services", "volumes", "networks") for name in view.section(section)))
    view.learn_secrets()
    uses = Interpolations(view, unset)
    compose_files = tuple(file for file in project.files if file.endswith((".yml", ".yaml")) and file in view.listed)
    env_files = raw.env_files(source, compose_files, dirname(plan.files[0]))
    found = tuple(services.services(view, uses, env_files))
    if plan.for_swarm:
        found = tuple(services.as_in_swarm(view, item) for item in found)
    return Resolved(
        _project(source, plan, compose_files),
        found,
        tuple(services.resources(view)),
        tuple(record for record in uses.records() if record.location.file in view.listed),
        tuple(_problems(view, plan, unset, warnings)),
        tuple(merging.Override(place, losers) for place, losers in view.overrides.items()),
        tuple(raw.empty_lists(source, compose_files)),
        tuple(raw.reset_values(source, compose_files)),
        compose_files,
    )


def _project(source: Source, plan: Plan, files: tuple[str, ...]) -> stack.Project:
    role = "overlay" if plan.base_file else "base"
    own = (plan.own_file,) if plan.base_file else (*plan.files, *(file for file in files if file not in plan.files))
    place = Location(plan.own_file)
    called = next(filter(None, (raw.project_name(source, file) for file in files)), "")
    aside = not plan.started_at and raw.says_development(source, plan.own_file)
    said = "\n".join(raw.comments(source, file) for file in own)
    return stack.Project(
        plan.name, own, role, plan.base_name, place, plan.env_file, plan.started_at, called,
        for_development=aside,
        for_one_host=stages.ONE_HOST.search(said) is not None,
        tells_network="network create" in said,
        tells_volume="volume create" in said,
        first_starts=tuple(place for file in own for place in raw.said_in_comments(source, file, _FIRST_START)),
        told_profiles=tuple(dict.fromkeys(_PROFILE.findall(said))),
        told_variables=tuple(item for file in own for item in raw.told_variables(source, file)),
        header_words=frozenset(word for file in own for word in raw.header_words(source, file)),
        told_calls=tuple(dict.fromkeys(_CALL.findall(said))),
        for_swarm=plan.for_swarm,
    )  # fmt: skip


def _load(source: Source, plan: Plan) -> tuple[compose.Project, frozenset[str], tuple[compose.Notice, ...]]:
    """The loaded project, the variables that it can't do without and nobody sets, and what Compose warns of.

    Such a variable stands for itself in the values (`${DB_PASSWORD}`), so that what is around it can be read.
    """
    folder = source.root / dirname(plan.files[0])
    environ = {"PWD": str(folder)}
    env_files = [source.root / plan.env_file] if plan.env_file and source.is_file(plan.env_file) else []
    files = [source.root / file for file in plan.files]

    def load() -> compose.Project:
        return compose.load(files, profiles=["*"], environ=environ, env_files=env_files, root=source.root, strict=False)

    project = load()
    warnings = project.warnings
    missing = [item for item in project.variables if item.value is None]
    required = {item.name for item in missing if item.required}
    mounted = {item.name for item in missing if any(_is_source(source, use) for use in item.uses)} - required
    unset = frozenset(required | mounted)
    if unset:
        environ |= {name: f"${{{name}}}" for name in unset}
        project = load()
        own = tuple(item for item in warnings if item.variable in mounted)
        warnings = (*project.warnings, *own)
    return project, unset, warnings


def _is_source(source: Source, use: compose.Interpolated) -> bool:
    """Whether a variable is all that a mount's source is: blank it would make the service's mounts unreadable."""
    if use.operator or use.path[:1] != ("services",) or use.path[2:3] != ("volumes",):
        return False
    try:
        line = source.lines(use.location.file)[use.location.line - 1]
    except (Unreadable, IndexError):
        return False
    return _ALONE.match(line[use.location.column - 1 :]) is not None


def _learn(source: Source, file: str) -> None:
    """Have the secrets of a file known before any value of it is passed on."""
    try:
        source.text(file)
    except Unreadable:
        return


def _problems(
    view: View, plan: Plan, unset: frozenset[str], warnings: Sequence[compose.Notice]
) -> Iterator[merging.Problem]:
    """What the loader found. A fault in a text that waits for a required variable is none of the file."""
    errors = [error for error in view.project.errors if error.kind != "empty"] or view.project.errors
    for error in errors:
        place = error.location or Location(plan.own_file)
        if not _waits(view.source, place, unset):
            message = view.message(f"{error.reason}{_key(error)}", error.kind)
            yield merging.Problem(plan.name, "error", message, place, error.kind)
    for notice in warnings:
        place = notice.location or Location(plan.own_file)
        message = view.message(notice.message, notice.kind)
        yield merging.Problem(plan.name, "warning", message, place, notice.kind, notice.variable or "")


def _key(error: compose.ComposeError) -> str:
    """The key that an error is about, as a person writes it; before a colon `password` would seem to have a value."""
    return f" (at {dotted(error.path)})" if error.path else ""


def _waits(source: Source, place: Location, unset: frozenset[str]) -> bool:
    if not unset:
        return False
    try:
        lines = source.lines(place.file)[place.line - 1 : place.last_line]
    except Unreadable:
        return False
    signs = [f"${{{name}{end}" for name in unset for end in ("?", ":?", "}")] + [f"${name}:" for name in unset]
    return any(sign in line for line in lines for sign in signs)
