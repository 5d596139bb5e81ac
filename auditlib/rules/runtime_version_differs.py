"""Pipeline, image and packages don't agree on the version of a language.

What passes in the pipeline may fail in production: syntax, the standard library and the packages that are chosen differ
between versions. The error shows where nobody tests any more.

Anti-pattern:

    # ci.yml
    - uses: actions/setup-python@v5
      with: { python-version: "3.10" }
    # Dockerfile
    FROM python:3.11-slim

Better:

    # .python-version holds 3.12
    - uses: actions/setup-python@v5
      with: { python-version-file: .python-version }
    # Dockerfile
    FROM python:3.12-slim

Recommendation:

    Use the version of the image in the pipeline as well, best from one file that all of them read.

References:

- https://github.com/actions/setup-python/blob/main/docs/advanced-usage.md#using-the-python-version-file-input
- https://github.com/actions/setup-node/blob/main/docs/advanced-usage.md#node-version-file
- https://packaging.python.org/en/latest/specifications/core-metadata/#requires-python
- https://go.dev/doc/toolchain
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment, end_of_life
from auditlib.conventions.language_versions import Stated, allows, needed_by_locks, stated
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Requirement
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = {"python": "Python", "node": "Node", "go": "Go", "ruby": "Ruby", "php": "PHP", "java": "Java"}
_BY = {
    "ci": "the pipeline uses",
    "image": "the image has",
    "file": "the version file says",
    "package": "the package wants",
}
_IMAGES = {"go": "golang", "java": "eclipse-temurin"}
_FETCHED = {"go": "ci"}
"""Where a language gets the version that a package wants by itself; images of Go set `GOTOOLCHAIN=local`."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each language one finding, if pipeline, images and version files, or one job that deploys, differ."""
    for language, found in stated(inventory).items():
        exact = {source: [item for item in found if item.source == source] for source in ("ci", "image", "file")}
        given = [items for items in exact.values() if items]
        versions = [{item.version for item in items} for items in given]
        differ = any(not one & other for index, one in enumerate(versions) for other in versions[index + 1 :])
        if differ:
            yield _evidence(language, [item for items in given for item in items])
        elif stray := _strays(exact):
            yield _of_strays(language, stray, exact["image"])
        else:
            yield from _forbidden(language, found)
    needed = list(needed_by_locks(inventory))
    for lock in dict.fromkeys(need.location.file for need, _ in needed):
        yield _of_lock([(need, against) for need, against in needed if need.location.file == lock])


def _of_lock(needed: list[tuple[Requirement, list[Stated]]]) -> Evidence:
    """Packages that were made for a newer Node than the one that runs them."""
    (first, against), *_ = needed
    image = against[0]
    names = listed([f"{need.name} ({need.constraint})" for need, _ in needed], 4)
    return Evidence(
        f"Packages in {first.location.file} want another Node than the image of {image.location.file}, which has "
        f"{image.text}: {names}.",
        image.location,
        subject=first.location.file,
        related=tuple(Related(need.location, f"{need.name} wants {need.constraint}") for need, _ in needed[:6]),
        recommendation=f"Bring {image.location.file} to a version that {first.name} allows, or take an older package.",
        example=_stating(image, "node", f"<a version that {first.constraint} allows>"),
    )


def _strays(exact: dict[str, list[Stated]]) -> list[Stated]:
    """The versions with which jobs build what they deploy, though no image has them."""
    known = {item.version for item in exact["image"]}
    return [
        item
        for item in exact["ci"]
        if known and item.version not in known and item.job and deployment.deploys(item.job)
    ]


def _kept(language: str, wanted: Stated) -> tuple[str, str]:
    """The version that all places are to have, and where else it is to be written: not one that nobody maintains."""
    ended = end_of_life.of_language(language, wanted.text)
    if ended is None or not ended.successor:
        return wanted.text, f"of {wanted.location.file} in {{}} too"
    return ended.successor, f"in {{}} and in {wanted.location.file}, as {wanted.text} isn't maintained either"


def _builds_image(job: Job | None) -> bool:
    """Whether a job makes an image, so that what it builds beside may be a check only."""
    commands = (command.words for step in job.steps for command in step.commands) if job else ()
    uses = any("build-push-action" in step.uses for step in job.steps) if job else False
    return uses or any(words[:1] == ("docker",) and "build" in words[1:3] for words in commands)


def _of_strays(language: str, strays: list[Stated], images: list[Stated]) -> Evidence:
    first, name = strays[0], _NAMES[language]
    wanted, where = _kept(language, images[0])
    jobs = listed(item.job.id for item in strays if item.job)
    verb = "deploys" if len(strays) == 1 else "deploy"
    return Evidence(
        f"The versions of {name} differ: {jobs}, which {verb}, {'uses' if len(strays) == 1 else 'use'} "
        f"{listed(dict.fromkeys(item.text for item in strays))}, and the image has "
        f"{listed(dict.fromkeys(item.text for item in images))}.",
        first.location,
        subject=f"{language}/{first.job.id if first.job else ''}",
        related=(
            *(Related(item.location, f"the pipeline uses {item.text}", member=True) for item in strays[1:]),
            *(Related(item.location, f"{_BY[item.source]} {item.text}") for item in images[:3]),
        ),
        recommendation=f"Use {name} {wanted} {where.format(first.location.file)}.",
        severity=Severity.LOW if all(_builds_image(item.job) for item in strays) else None,
        example=_stating(first, language, wanted),
    )


def _evidence(language: str, found: list[Stated]) -> Evidence:
    first, *others = found
    groups = {item.source: listed(dict.fromkeys(other.text for other in found if other.source == item.source))
              for item in found}  # fmt: skip
    wanted = next((item for item in found if item.source == "image"), first)
    given = {item.text for item in found if item.source == first.source}
    version, where = _kept(language, wanted)
    return Evidence(
        f"The versions of {_NAMES[language]} differ: "
        f"{', '.join(f'{_BY[source]} {versions}' for source, versions in groups.items())}.",
        first.location,
        subject=language,
        related=tuple(Related(item.location, f"{_BY[item.source]} {item.text}") for item in others),
        recommendation=f"Use {_NAMES[language]} {version} {where.format(first.location.file)}.",
        change=(first.text, version) if first is not wanted and len(given) == 1 else ("", ""),
        example=_stating(next(item for item in found if item.source != wanted.source), language, version),
    )


def _stating(item: Stated, language: str, version: str) -> str:
    """How the place that has another version says this one."""
    by_source = {"ci": f'{language}-version: "{version}"', "image": f"FROM {_IMAGES.get(language, language)}:{version}"}
    return files.into(item.location.file, by_source.get(item.source, version))


def _forbidden(language: str, found: list[Stated]) -> Iterator[Evidence]:
    """Versions that the package's own constraint excludes."""
    for package in (item for item in found if item.source == "package"):
        bound = [item for item in found if item.source not in ("package", _FETCHED.get(language))]
        against = [item for item in bound if not allows(package.text, item.version)]
        if against and len({item.location.file for item in found if item.source == "package"}) == 1:
            names = listed(f"{item.text} ({item.location})" for item in against)
            yield Evidence(
                f"{package.location.file} wants {_NAMES[language]} {package.text}; these have another one: {names}.",
                against[0].location,
                subject=f"{language}/{package.location.file}",
                related=(
                    Related(package.location, f"{_NAMES[language]} {package.text} is required"),
                    *(Related(item.location, f"{_BY[item.source]} {item.text}") for item in against[1:]),
                ),
                recommendation=f"Bring {against[0].location.file} to a version that {package.text} allows.",
                example=_stating(against[0], language, f"<a version that {package.text} allows>"),
            )
