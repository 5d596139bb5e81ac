"""Which version of a language a repository asks for, and where: workflows, images, version files, packages.

Sources: the inputs of https://github.com/actions/setup-python and https://github.com/actions/setup-node, the tags of
the images `python` and `node`, https://peps.python.org/pep-0440/#version-specifiers and
https://docs.npmjs.com/cli/configuring-npm/package-json#engines.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Requirement
from auditlib.model import Location
from auditlib.patterns import regex

_SETUP = {
    "setup-python": ("python", "python-version"), "setup-node": ("node", "node-version"),
    "setup-go": ("go", "go-version"), "setup-ruby": ("ruby", "ruby-version"), "setup-php": ("php", "php-version"),
    "setup-java": ("java", "java-version"),
}  # fmt: skip
_IMAGES = {
    "python": "python", "node": "node", "golang": "go", "ruby": "ruby", "php": "php", "eclipse-temurin": "java",
    "openjdk": "java", "amazoncorretto": "java",
}  # fmt: skip
_BUILDERS = frozenset({"maven", "gradle"})
_JDK = regex(r"(?:temurin|corretto|openjdk|jdk|semeru|sapmachine)-?(?P<version>\d+)")
"""The JDK in the tag of an image of Maven or Gradle (`3.9-eclipse-temurin-21`)."""
_BY_MAJOR = frozenset({"node", "java"})
_OF_FILES = frozenset({"python-version", "node-version", "ruby-version"})
_INSTALLERS = {"setup-uv": ("python", "python-version")}
_VERSION = regex(r"v?(?P<major>\d+)(?:\.(?P<minor>\d+|x|\*))?(?:\.\S*)?(?:-\S*)?")
_BOUND = regex(r"(?P<operator>>=|<=|==|~=|!=|\^|~|>|<|)\s*v?(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.[\w*]+)*")
_MATRIX = regex(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")

_VARIABLE = regex(r"\$\{\{\s*env\.(\w+)\s*\}\}")
Version = tuple[int, int]
"""Major and minor; of Node and Java, where only the major one matters, the second is 0."""


class Stated(Struct, frozen=True):
    """A version that some place asks for. `source` is `ci`, `image`, `file` or `package`, `text` as it is written.

    `job` is the job that asks for this one version and no other.
    """

    source: str
    version: Version
    text: str
    location: Location
    job: Job | None = None
    variable: str = ""
    """The variable of the workflow that holds it (`${{ env.NODE_VERSION }}`)."""


def stated(inventory: Inventory) -> dict[str, list[Stated]]:
    """The versions of each language, the pipeline's first."""
    found: defaultdict[str, list[Stated]] = defaultdict(list)
    for finder in (_of_jobs, _of_images, _of_files, _of_packages):
        for language, item in finder(inventory):
            found[language].append(item)
    return found


def version(language: str, text: str) -> Version | None:
    """A version as numbers; None for what names no certain one (`3.x`, `lts/*`, `3`)."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    if language in _BY_MAJOR:
        return int(match["major"]), 0
    return (int(match["major"]), int(match["minor"])) if (match["minor"] or "").isdigit() else None


def allows(constraint: str, found: Version) -> bool:
    """Whether a constraint allows a version, by major and minor alone; in doubt it does."""
    return any(_allows_all(alternative, found) for alternative in constraint.split("||"))


def _allows_all(constraint: str, found: Version) -> bool:
    for match in _BOUND.finditer(re.sub(r"(?<=\d)\s+-\s+\d\S*", "", constraint)):
        operator, major = match["operator"], int(match["major"])
        minor = int(match["minor"]) if match["minor"] and found[1] else None
        bound = (major, minor if minor is not None else (found[1] if major == found[0] else 0))
        if operator in (">=", ">") and found < bound:
            return False
        if operator in ("==", "", "~") and found[:2] != bound[:2]:
            return False
        if operator in ("^", "~=") and (found < bound or found[0] != major):
            return False
        if operator == "<" and found >= (major, minor or 0) and (minor is not None or found[0] >= major):
            return False
    return True


def _of_jobs(inventory: Inventory) -> Iterator[tuple[str, Stated]]:
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            yield from _of_image(job.container, "ci", job.location)
            for step in job.steps:
                name = posixpath.basename(step.uses.partition("@")[0])
                language, wanted = {**_SETUP, **_INSTALLERS}.get(name, ("", ""))
                for pair in step.inputs:
                    if pair.name == wanted:
                        known = {item.name: item.value for item in (*workflow.env, *job.env, *step.env)}
                        texts = _alternatives(job, known, pair.value)
                        for text in texts:
                            if number := version(language, text):
                                only = job if len(texts) == 1 else None
                                named = _VARIABLE.fullmatch(pair.value.strip())
                                variable = named[1] if named else ""
                                yield language, Stated("ci", number, text, pair.location, only, variable)


def _alternatives(job: Job, variables: dict[str, str], value: str) -> tuple[str, ...]:
    """The values of an input: those of the matrix or the variable that it names, or a line each."""
    if match := _MATRIX.fullmatch(value.strip()):
        return next((values for name, values in job.matrix if name == match[1]), ())
    if match := _VARIABLE.fullmatch(value.strip()):
        return (variables.get(match[1], ""),)
    return tuple(value.split("\n"))


def _of_images(inventory: Inventory) -> Iterator[tuple[str, Stated]]:
    for file in inventory.dockerfiles:
        fetches = any("GOTOOLCHAIN" in item.argument for item in file.instructions)
        if fetches or environments.is_for_development(file.path):
            continue
        names = {stage.name for stage in file.stages}
        for stage in file.stages:
            if stage.base not in names:
                yield from _of_image(stage.base, "image", stage.location)
    for service in inventory.services:
        if service.build is None and not environments.only_for_development(service):
            yield from _of_image(service.image, "image", service.image_location)


def _of_image(image: str, source: str, location: Location) -> Iterator[tuple[str, Stated]]:
    """The version in the tag of an image of a language."""
    name, tag = images.repository(image), images.tag(image)
    language = _IMAGES.get(name, "")
    if name in _BUILDERS and (match := _JDK.search(tag)):
        language, tag = "java", match["version"]
    if language and (number := version(language, tag)):
        yield language, Stated(source, number, tag.partition("-")[0], location)


def _of_files(inventory: Inventory) -> Iterator[tuple[str, Stated]]:
    for manifest in inventory.manifests:
        language = manifest.kind.removesuffix("-version")
        if manifest.kind in _OF_FILES and (number := version(language, manifest.runtime)):
            yield language, Stated("file", number, manifest.runtime, manifest.location)


def _of_packages(inventory: Inventory) -> Iterator[tuple[str, Stated]]:
    for manifest in inventory.manifests:
        language = {"python": "python", "npm": "node", "go": "go", "maven": "java"}.get(manifest.kind, "")
        if language and manifest.runtime and not environments.is_for_development(manifest.path):
            yield language, Stated("package", (0, 0), manifest.runtime, manifest.location)


def needed_by_locks(inventory: Inventory) -> Iterator[tuple[Requirement, list[Stated]]]:
    """The packages of lock files that need another Node than the image has whose Dockerfile is beside them."""
    found = [item for language, item in _of_images(inventory) if language == "node"]
    for manifest in inventory.manifests:
        folder = posixpath.dirname(manifest.path)
        beside = [item for item in found if posixpath.dirname(item.location.file) == folder]
        for need in manifest.needs if beside else ():
            against = [item for item in beside if not allows(need.constraint, item.version)]
            if len(against) == len(beside):
                yield need, against
