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

import posixpath
from collections.abc import Iterable, Iterator

from auditlib.conventions import build_context, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Pair, Step
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each service one finding for all arguments that its Dockerfile doesn't declare."""
    for service in inventory.services:
        found = services.dockerfile(inventory, service)
        if found is None or service.build is None or service.build.inline:
            continue
        unknown = _unknown(found, (name for name, _ in service.build.arguments))
        if unknown:
            yield _evidence(service, service.build, found, unknown)
    for job in inventory.jobs:
        for step in job.steps:
            yield from _of_step(inventory, step)


def _of_step(inventory: Inventory, step: Step) -> Iterator[Evidence]:
    """The arguments that docker/build-push-action passes to a Dockerfile of the repository."""
    inputs = {pair.name: pair for pair in step.inputs}
    given = inputs.get("build-args")
    if given is None or not step.uses.startswith("docker/build-push-action@"):
        return
    context, name = (inputs[key].value if key in inputs else "" for key in ("context", "file"))
    path = posixpath.normpath(name or posixpath.join(context or ".", "Dockerfile"))
    found = inventory.dockerfiles_by_path.get(path)
    lines = (line.strip().partition("=") for line in given.value.splitlines())
    unknown = _unknown(found, [key for key, equals, _ in lines if equals and key.isidentifier()]) if found else []
    if found and unknown:
        yield _passed(step, given, found, unknown)


def _passed(step: Step, given: Pair, found: Dockerfile, unknown: list[str]) -> Evidence:
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {step.job} passes {listed(unknown)} to the build; "
        f"{found.path} has no ARG of {'that name' if len(unknown) == 1 else 'these names'}, so Docker drops it.",
        given.location,
        subject=f"{step.job}/{'/'.join(unknown)}",
        related=(Related(found.location, f"declares no {listed(unknown)}"),),
        recommendation=_advice(found, unknown),
        example=_declaring(found, unknown),
    )


def _unknown(found: Dockerfile, names: Iterable[str]) -> list[str]:
    """Those of the passed arguments that a Dockerfile doesn't declare and Docker doesn't know by itself."""
    arguments = (item for item in found.instructions if item.keyword == "ARG")
    declared = {word.partition("=")[0] for item in arguments for word in item.words}
    return [key for key in names if key not in declared and not build_context.PREDEFINED_ARGUMENTS.fullmatch(key)]


def _advice(found: Dockerfile, unknown: list[str]) -> str:
    names = listed((f"`ARG {name}`" for name in unknown), limit=3)
    return f"Add {names} to {found.path}, in the stage that uses {'it' if len(unknown) == 1 else 'them'}."


def _declaring(found: Dockerfile, unknown: list[str]) -> str:
    return files.into(found.path, "\n".join(f"ARG {name}" for name in unknown))


def _evidence(service: Service, build: Build, found: Dockerfile, unknown: list[str]) -> Evidence:
    names = listed(unknown)
    return Evidence(
        f"{service.name} passes {names} to its build; {found.path} has no ARG of "
        f"{'that name' if len(unknown) == 1 else 'these names'}, so Docker drops it.",
        build.location,
        subject=f"{service.name}/{'/'.join(unknown)}",
        service=service.name,
        related=(Related(found.location, f"declares no {names}"),),
        recommendation=_advice(found, unknown),
        example=_declaring(found, unknown),
    )
