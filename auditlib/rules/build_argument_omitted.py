"""An image is built without an argument that its Dockerfile waits for.

An ARG without a default is empty where nobody passes it, and the build goes on. What Compose passes and the pipeline
doesn't is in the image of a developer and missing in the one that is published: a front end then asks its own host for
the API, or has no key.

Anti-pattern:

    # Dockerfile: ARG NEXT_PUBLIC_API_URL
    - uses: docker/build-push-action@v6
      with: {context: web, push: true, tags: "ghcr.io/acme/web:1.4"}

Better:

    - uses: docker/build-push-action@v6
      with:
        context: web
        push: true
        tags: ghcr.io/acme/web:1.4
        build-args: NEXT_PUBLIC_API_URL=https://api.acme.example

Recommendation:

    Pass the argument wherever the image is built, or give it a default in the Dockerfile.

References:

- https://docs.docker.com/reference/dockerfile/#arg
- https://github.com/docker/build-push-action#inputs
- https://nextjs.org/docs/app/guides/environment-variables#bundling-environment-variables-for-the-browser
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import build_calls, build_context, services
from auditlib.conventions.build_calls import BuildCall
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_FRONT_END = regex(r"(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC|VUE_APP)_\w+")
"""Names that the tools of a front end write into what they build."""
_DATED = regex(r"(?:BUILD|VCS|GIT|COMMIT|VERSION|REVISION|RELEASE|SHA|DATE|APP_VERSION|UID|GID|USER_ID|GROUP_ID)\w*|"
               r"\w*(?:_(?:SHA|DATE|VERSION|COMMIT|REVISION|REF))")  # fmt: skip
"""What tells a build's origin, or fits it to one host: an image without it works."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each build of a workflow one finding for all arguments without a default that it leaves out.

    Those count that a tool of front ends takes in, and those that Compose passes to the same Dockerfile.
    """
    calls = [item for item in build_calls.of(inventory) if item.leaves and item.location.file.startswith(".github/")]
    passed = _passed(inventory) if calls else {}
    for call in calls:
        given = passed.get(call.dockerfile.path, {})
        wanted = {name: place for name, place in _open(inventory, call).items()
                  if _OF_FRONT_END.fullmatch(name) or (name in given and not _DATED.fullmatch(name))}  # fmt: skip
        if left := {name: place for name, place in wanted.items() if name not in call.arguments}:
            yield _evidence(call, left, given)


def _passed(inventory: Inventory) -> dict[str, dict[str, Location]]:
    """By Dockerfile the arguments that services pass to it."""
    found: dict[str, dict[str, Location]] = {}
    for service in inventory.distinct_services:
        file = services.dockerfile(inventory, service)
        if file and service.build and not service.build.inline:
            mine = found.setdefault(file.path, {})
            mine.update(dict.fromkeys((name for name, _ in service.build.arguments), service.build.location))
    return found


def _open(inventory: Inventory, call: BuildCall) -> dict[str, Location]:
    """The arguments of the stages that are built which no ARG gives a default, nor ENV or a file a value.

    One before FROM is for FROM alone.
    """
    built = _instructions(call)
    values = [(name, value, item) for item in built if item.keyword == "ARG" for name, value in item.variables]
    passed_on = {name for item in built if item.keyword == "ENV" for name, _ in item.variables}
    filled = {name for name, value, _ in values if value is not None}
    filled |= {name for item in built if item.keyword == "ENV" for name, value in item.variables
               if value is not None and "$" not in value.text}  # fmt: skip
    filled |= _in_files(inventory, call.dockerfile) - passed_on  # an empty ENV takes the place of a file's line
    return {name: item.location for name, _, item in values
            if name not in filled and not build_context.PREDEFINED_ARGUMENTS.fullmatch(name)}  # fmt: skip


def _instructions(call: BuildCall) -> list[Instruction]:
    """The instructions of the stage that is built and of all that it takes files from."""
    file = call.dockerfile
    first = file.stages[0].location.line if file.stages else 0
    wanted, found = {call.target}, set[str]()
    while more := wanted - found:
        found |= more
        inside = {item.stage for name in more for item in services.final_stage(file, name)[1]}
        flags = (flag for item in file.instructions if item.stage in inside for flag in item.flags)
        taken = {flag.partition("=")[2] for flag in flags if flag.startswith("--from=")}
        wanted = {stage.name for stage in file.stages} & taken
    stages = {item.stage for name in found for item in services.final_stage(file, name)[1]}
    return [item for item in file.instructions if item.stage in stages and item.location.line > first]


def _in_files(inventory: Inventory, file: Dockerfile) -> set[str]:
    """The variables of the environment files beside a Dockerfile, which a front end's tools read themselves."""
    folder = posixpath.dirname(file.path)
    beside = (item for item in inventory.env_files if posixpath.dirname(item.path) == folder and not item.template)
    return {line.name for item in beside for line in item.lines if not line.commented}


def _evidence(call: BuildCall, left: dict[str, Location], given: dict[str, Location]) -> Evidence:
    names = listed(left)
    path = call.dockerfile.path
    composed = [name for name in left if name in given]
    compose = f", which {given[composed[0]].file} passes" if composed else ""
    one = len(left) == 1
    arguments = "\n".join(f"  {name}=${{{{ vars.{name} }}}}" for name in left)
    return Evidence(
        f"{call.caller} builds {path} without {names}{compose}; {'it has' if one else 'they have'} no default there, "
        f"so that the image is made without {'its value' if one else 'their values'}.",
        call.arguments_location or call.location,
        subject=f"{path}/{'/'.join(left)}",
        related=(
            *(Related(place, f"declares {name} without a default") for name, place in left.items()),
            *(Related(given[name], f"passes {name}") for name in composed[:1]),
        ),
        recommendation=f"Pass {names} to this build, or give {'it' if one else 'them'} a default in {path}.",
        example=files.into(call.location.file, f"build-args: |\n{arguments}"),
    )
