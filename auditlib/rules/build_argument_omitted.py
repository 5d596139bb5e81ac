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

from collections.abc import Iterator

from auditlib.conventions import build_calls, build_context, services
from auditlib.conventions.build_calls import BuildCall
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile
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
    calls = [item for item in build_calls.of(inventory) if item.location.file.startswith(".github/")]
    passed = _passed(inventory) if calls else {}
    for call in calls:
        given = passed.get(call.dockerfile.path, {})
        wanted = {name: place for name, place in _open(call.dockerfile).items()
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


def _open(found: Dockerfile) -> dict[str, Location]:
    """The arguments that no ARG gives a default, nor ENV a value of its own; one before FROM is for FROM alone."""
    first = found.stages[0].location.line if found.stages else 0
    declared = [item for item in found.instructions if item.keyword == "ARG" and item.location.line > first]
    values = [(name, value, item) for item in declared for name, value in item.variables]
    filled = {name for name, value, _ in values if value is not None}
    filled |= {name for item in found.instructions if item.keyword == "ENV" for name, value in item.variables
               if value is not None and "$" not in value.text}  # fmt: skip
    return {name: item.location for name, _, item in values
            if name not in filled and not build_context.PREDEFINED_ARGUMENTS.fullmatch(name)}  # fmt: skip


def _evidence(call: BuildCall, left: dict[str, Location], given: dict[str, Location]) -> Evidence:
    names = listed(left)
    path = call.dockerfile.path
    composed = [name for name in left if name in given]
    compose = f", which {given[composed[0]].file} passes" if composed else ""
    one = len(left) == 1
    arguments = "\n".join(f"  {name}=${{{{ vars.{name} }}}}" for name in left)
    return Evidence(
        f"{call.caller} builds {path} without {names}{compose}; {'it has' if one else 'they have'} no default there, "
        f"so that {'it is' if one else 'they are'} empty in the image.",
        call.arguments_location or call.location,
        subject=f"{path}/{'/'.join(left)}",
        related=(
            *(Related(place, f"declares {name} without a default") for name, place in left.items()),
            *(Related(given[name], f"passes {name}") for name in composed[:1]),
        ),
        recommendation=f"Pass {names} to this build, or give {'it' if one else 'them'} a default in {path}.",
        example=files.into(call.location.file, f"build-args: |\n{arguments}"),
    )
