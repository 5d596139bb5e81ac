"""A build argument is passed that the Dockerfile never declares.

A Dockerfile sees only arguments that it declares with ARG. Another one is dropped with a warning that scrolls by: the
image is built with the default, and the value in the Compose file only looks as if it counted.

Anti-pattern:

    # compose.yaml
    web:
      build:
        context: ./web
        args:
          API_URL: https://api.acme.example

    # web/Dockerfile
    FROM node:22-alpine
    RUN npm run build

Better:

    # web/Dockerfile
    FROM node:22-alpine
    ARG API_URL
    ENV API_URL=$API_URL
    RUN npm run build

Recommendation:

    Declare the argument with ARG in the stage that uses it, or stop passing it.

References:

- https://docs.docker.com/reference/dockerfile/#arg
- https://docs.docker.com/reference/compose-file/build/#args
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib.conventions import build_calls, build_context, services
from auditlib.conventions.build_calls import BuildCall
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each service, and each call of a build, one finding for all arguments that its Dockerfile doesn't declare."""
    for service in inventory.services:
        found = services.dockerfile(inventory, service)
        if found is None or service.build is None or service.build.inline:
            continue
        unknown = _unknown(found, (name for name, _ in service.build.arguments))
        if unknown:
            yield _evidence(service, service.build, found, unknown)
    for call in build_calls.of(inventory):
        if unknown := _unknown(call.dockerfile, call.arguments):
            yield _passed(call, unknown)
    for call in build_calls.of_several(inventory):
        lacking = [_unknown(item, call.arguments) for item in call.among]
        if unknown := [name for name in call.arguments if all(name in names for names in lacking)]:
            yield _passed(call, unknown)


def _passed(call: BuildCall, unknown: list[str]) -> Evidence:
    path = call.dockerfile.path
    place = call.arguments_location or call.location
    return Evidence(
        f"{call.caller} passes {listed(unknown)} to the build; {_files_of(call)} no ARG of "
        f"{'that name, so Docker drops it' if len(unknown) == 1 else 'these names, so Docker drops them'}.",
        place,
        subject=f"{place.file}/{path}/{'/'.join(unknown)}",
        related=(Related(call.dockerfile.location, f"declares no {listed(unknown)}"),),
        recommendation=_advice(call.dockerfile, unknown),
        severity=Severity.LOW if _sets_itself(call.dockerfile, unknown) else None,
        confidence=Confidence.MEDIUM if call.among else None,  # a variable may lead out of the repository
        example=_declaring(call.dockerfile, unknown),
    )


def _files_of(call: BuildCall) -> str:
    """The Dockerfile of a call, or all that it may be, with the verb."""
    if len(call.among) < 2:
        return f"{call.dockerfile.path} has"
    return f"{listed(item.path for item in call.among)}, which it may be of, have"


def _unknown(found: Dockerfile, names: Iterable[str]) -> list[str]:
    """Those of the passed arguments that a Dockerfile doesn't declare and Docker doesn't know by itself.

    A file without a stage is a template, or none.
    """
    if not found.stages:
        return []
    arguments = (item for item in found.instructions if item.keyword == "ARG")
    declared = {word.partition("=")[0] for item in arguments for word in item.words}
    return [key for key in names if key not in declared and not build_context.PREDEFINED_ARGUMENTS.fullmatch(key)]


def _given(found: Dockerfile) -> list[str]:
    """What ENV sets, as the words of its lines."""
    return [word for item in found.instructions if item.keyword == "ENV" for word in item.argument.split()]


def _is_taken(found: Dockerfile, name: str) -> bool:
    """Whether ENV takes a variable from an argument of the same name (`ENV API_URL=${API_URL:-/api}`)."""
    starts = tuple(f"{name}={quote}${bracket}{name}" for quote in ("", '"') for bracket in ("", "{"))
    return any(word.startswith(starts) for word in _given(found))


def _sets_itself(found: Dockerfile, unknown: list[str]) -> bool:
    """Whether the Dockerfile sets variables of these names, so that nothing waits for the arguments."""
    own = {word.partition("=")[0] for word in _given(found)}
    return own.issuperset(unknown) and not any(_is_taken(found, name) for name in unknown)


def _advice(found: Dockerfile, unknown: list[str]) -> str:
    if _sets_itself(found, unknown):
        return f"Take {listed(unknown)} out of what is passed to the build: {found.path} sets it by ENV."
    names, them = listed((f"`ARG {name}`" for name in unknown), limit=3), "it" if len(unknown) == 1 else "them"
    if all(_is_taken(found, name) for name in unknown):
        return f"Add {names} to {found.path}, above the ENV that takes {them}."
    return f"Add {names} to {found.path}, in the stage that uses {them}."


def _declaring(found: Dockerfile, unknown: list[str]) -> str:
    if _sets_itself(found, unknown):
        return "\n".join(f"# args without {name}" for name in unknown)
    return files.into(found.path, "\n".join(f"ARG {name}" for name in unknown))


def _place(build: Build, unknown: list[str]) -> Location:
    """Where the first of the arguments stands, which may be in a file that is laid over the one with the build."""
    places = (
        place for (name, _), place in zip(build.arguments, build.argument_locations, strict=False) if name in unknown
    )
    return next(places, build.location)


def _evidence(service: Service, build: Build, found: Dockerfile, unknown: list[str]) -> Evidence:
    names = listed(unknown)
    return Evidence(
        f"{service.name} passes {names} to its build; {found.path} has no ARG of "
        f"{'that name, so Docker drops it' if len(unknown) == 1 else 'these names, so Docker drops them'}.",
        _place(build, unknown),
        subject=f"{service.name}/{'/'.join(unknown)}",
        service=service.name,
        related=(Related(found.location, f"declares no {names}"),),
        recommendation=_advice(found, unknown),
        severity=Severity.LOW if _sets_itself(found, unknown) else None,
        example=_declaring(found, unknown),
    )
