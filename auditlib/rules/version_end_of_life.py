"""A version runs that its makers no longer maintain.

Holes that are found in it are published and stay open, and no later image of the same tag mends them. The longer it
runs the further the way to a version that is maintained, and the fewer packages still support it. Some programs have
ended as a whole, such as Promtail and Jaeger 1, and have a successor of another name.

Anti-pattern:

    FROM python:3.8-slim
    # compose.yaml
    db:
      image: postgres:12

Better:

    FROM python:3.13-slim
    # compose.yaml, after a dump of the old version and its restore into the new one
    db:
      image: postgres:17

Recommendation:

    Move to a version that is maintained, and let Renovate or Dependabot propose the next ones.

References:

- https://devguide.python.org/versions/
- https://nodejs.org/en/about/previous-releases
- https://www.postgresql.org/support/versioning/
- https://wiki.debian.org/DebianReleases
- https://alpinelinux.org/releases/
- https://grafana.com/docs/loki/latest/send-data/promtail/
- https://github.com/jaegertracing/jaeger/issues/6321
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import builds, end_of_life, environments, language_versions, services
from auditlib.conventions.end_of_life import Ended
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMED = 4
_BY_ARGUMENT = regex(r"(?:--\S+\s+){0,3}[^\s$:]+:\$\{?(?P<name>\w+)\}?(?P<rest>[\w.-]*)(?=\s|$)")
_TOOLCHAIN = regex(r"go(?P<version>\d[\d.]*)")
"""A version that is taken whatever the image and go.mod say (https://go.dev/doc/toolchain#select)."""


class _Use(Struct, frozen=True):
    """A place that asks for a version: what it does with it, and what may be written there instead."""

    ended: Ended
    text: str
    """As it is written: an image, or the version alone."""
    location: Location
    says: str
    serves: bool
    """Whether it is what runs in production, or what is built into that."""
    variable: bool = False
    """Whether a variable may say another version."""
    instead: str = ""
    example: str = ""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each version one finding for all places that ask for it."""
    found: defaultdict[tuple[str, str], dict[Location, _Use]] = defaultdict(dict)
    for use in (*_of_services(inventory), *_of_dockerfiles(inventory), *_of_jobs(inventory), *_of_files(inventory)):
        found[use.ended.product.name, use.ended.cycle].setdefault(use.location, use)
    for uses in found.values():
        yield _evidence(sorted(uses.values(), key=lambda item: not item.serves))


def _of_services(inventory: Inventory) -> Iterator[_Use]:
    for service in inventory.services:
        ended = end_of_life.of_image(service.image) if service.build is None and service.image else None
        if ended:
            instead = end_of_life.replaced(service.image, ended)
            target = f"services.{service.name}.image"
            given = inventory.variables_of.get((service.project, service.name), ())
            yield _Use(
                ended,
                service.image,
                service.image_location,
                f"{service.name} runs {_shown(service.image)}",
                not environments.only_for_development(service),
                any(item.target == target for item in given),
                "" if ended.moves_data else instead,
                compose_lines.of_service(service, f"image: {instead or _placeholder(service.image, ended)}"),
            )


def _shown(image: str) -> str:
    """An image without its digest, which tells people nothing."""
    return image.partition("@")[0]


def _placeholder(image: str, ended: Ended) -> str:
    if ended.is_retired:
        return f"{ended.product.image}:<release>"
    if not ended.cycle:  # the image has no maintained version at all
        return f"eclipse-temurin:{ended.successor}-{'jre' if 'jre' in ended.part else 'jdk'}"
    return f"{_shown(image).rpartition(':')[0] or image}:<a version that is maintained>"


def _of_dockerfiles(inventory: Inventory) -> Iterator[_Use]:
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for service in inventory.distinct_services:
        if (file := services.dockerfile(inventory, service)) and service.build:
            targets[file.path].add(service.build.target)
    for file in inventory.dockerfiles:
        yield from _of_stages(file, targets[file.path])
        yield from _of_borrowed(inventory, file, targets[file.path])


def _of_stages(file: Dockerfile, targets: set[str]) -> Iterator[_Use]:
    names = {stage.name for stage in file.stages}
    final = {item.stage for target in targets | {""} for item in services.final_stage(file, target)[1]}
    written = {item.location: item.argument for item in file.instructions if item.keyword == "FROM"}
    for stage in file.stages:
        ended = end_of_life.of_image(stage.base) if stage.base not in names else None
        chosen = _toolchain(file, stage.name) if ended and _is_compiled_in(ended) else None
        if chosen:
            yield from _of_toolchain(file, *chosen)
        elif ended:
            in_final = stage.name in final
            instead = end_of_life.replaced(stage.base, ended)
            yield _Use(
                ended,
                stage.base,
                stage.location,
                f"{file.path} {'ends with' if in_final else 'builds with'} {_shown(stage.base)}",
                (in_final or _is_compiled_in(ended)) and not environments.is_for_development(file.path),
                "$" in written.get(stage.location, ""),
                instead,
                files.into(
                    file.path, _from(written.get(stage.location, ""), instead or _placeholder(stage.base, ended))
                ),
            )


def _from(written: str, instead: str) -> str:
    """The line that names another version: that of the argument, where the one of FROM only holds its name."""
    match = _BY_ARGUMENT.match(written)
    tag = instead.rpartition(":")[2]
    if match and tag.endswith(match["rest"]):
        return f"ARG {match['name']}={tag.removesuffix(match['rest'])}"
    return f"FROM {instead}"


def _toolchain(file: Dockerfile, stage: str) -> tuple[Instruction, str] | None:
    """What chooses another compiler than the image's own, and its version; empty where it is go.mod that tells."""
    for item in file.instructions:
        for name, value in item.variables if item.stage == stage else ():
            if name == "GOTOOLCHAIN" and value and value.text != "local":
                match = _TOOLCHAIN.fullmatch(value.text)
                return item, match["version"] if match else ""
    return None


def _of_toolchain(file: Dockerfile, item: Instruction, version: str) -> Iterator[_Use]:
    if ended := end_of_life.of_language("go", version):
        says = f"{file.path} builds with GOTOOLCHAIN=go{version}"
        example = files.into(file.path, f"{item.keyword} GOTOOLCHAIN=local  # the version of the image in FROM")
        yield _Use(ended, version, item.location, says, not environments.is_for_development(file.path), example=example)


def _of_borrowed(inventory: Inventory, file: Dockerfile, targets: set[str]) -> Iterator[_Use]:
    final = {item.stage for target in targets | {""} for item in services.final_stage(file, target)[1]}
    for image, item in builds.borrowed(inventory, file):
        if ended := end_of_life.of_image(image):
            instead = end_of_life.replaced(image, ended)
            yield _Use(
                ended,
                image,
                item.location,
                f"{file.path} takes files from {_shown(image)}",
                item.stage in final and not environments.is_for_development(file.path),
                "$" in item.argument,
                instead,
                files.into(file.path, _taken(item, instead or _placeholder(image, ended))),
            )


def _taken(item: Instruction, image: str) -> str:
    return f"COPY --from={image} {item.argument}" if item.keyword != "RUN" else f"RUN --mount=from={image},<as now>"


def _is_compiled_in(ended: Ended) -> bool:
    """Whether the version of the build stays in what it builds."""
    return ended.product.name == "Go"


def _of_jobs(inventory: Inventory) -> Iterator[_Use]:
    for job in inventory.jobs:
        for image, location in ((job.container, job.location), *((item.image, item.location) for item in job.services)):
            if ended := end_of_life.of_image(image):
                instead = end_of_life.replaced(image, ended)
                says = f"the job {job.id} runs {_shown(image)}"
                yield _Use(ended, image, location, says, False, False, instead, _in_job(job.workflow, instead or image))


def _in_job(file: str, image: str) -> str:
    return files.into(file, f"image: {image}")


def _of_files(inventory: Inventory) -> Iterator[_Use]:
    """The versions that workflows set up and version files name; of a matrix only one without a maintained version."""
    for language, stated in language_versions.stated(inventory).items():
        images = [item.text for item in stated if item.source == "image"]
        old = {gone.cycle for text in images if (gone := end_of_life.of_language(language, text))}
        kept = [text for text in images if not end_of_life.of_language(language, text)]
        inputs = {item.location for item in stated if item.source == "ci"} - {job.location for job in inventory.jobs}
        variables = {item.location: item.variable for item in stated if item.variable}
        places: defaultdict[Location, dict[str, Ended | None]] = defaultdict(dict)
        for item in stated:
            if item.source in ("ci", "file"):
                places[item.location][item.text] = end_of_life.of_language(language, item.text)
        for location, versions in places.items():
            text, ended = next(iter(versions.items()))
            told = bool(kept and ended and ended.cycle not in old)  # not the image's: a finding of its own
            if ended and all(versions.values()) and not told:
                instead = next(iter(kept), ended.successor)
                says = f"{location.file} asks for {listed(versions)}"
                variable = variables.get(location, "")
                asked = f'{variable or f"{language}-version"}: "{instead}"' if location in inputs else instead
                if location.file.endswith("Gemfile"):
                    asked = f'ruby "{instead}"'
                example = files.into(location.file, f"env:\n  {asked}" if variable else asked)
                yield _Use(ended, text, location, says, False, False, "" if variable else instead, example)


def _evidence(uses: list[_Use]) -> Evidence:
    first, *others = uses
    ended = first.ended
    doubt = ", unless its variable says another version" if first.variable else ""
    pro = ", Ubuntu Pro apart" if ended.product.name == "Ubuntu" else ""
    return Evidence(
        f"{ended.name[:1].upper()}{ended.name[1:]} has not been maintained since {ended.date}{pro}: "
        f"{listed((use.says for use in uses), _NAMED)}{doubt}.",
        first.location,
        subject=ended.name,
        related=tuple(Related(use.location, use.says, member=True) for use in others),
        recommendation=_advice(ended, first.instead),
        severity=None if first.serves and not ended.is_retired else Severity.LOW,
        confidence=Confidence.MEDIUM if first.variable else None,
        change=(first.text, first.instead) if first.instead and not first.variable else ("", ""),
        example=first.example,
    )


def _advice(ended: Ended, instead: str) -> str:
    product = ended.product
    if ended.is_retired:
        return f"{product.move}."
    version = instead if instead and ":" not in instead else ended.successor
    to = f"Move to {_named(product.name)} {version}" if product.successor else "Move to another distribution"
    data = f": {ended.moves_data}" if ended.moves_data else ", and run the tests with it before"
    return f"{to}{data}. Which versions are maintained tells {product.source}"


def _named(name: str) -> str:
    return "eclipse-temurin" if name.startswith("the image") else name
