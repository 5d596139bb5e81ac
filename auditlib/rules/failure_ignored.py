"""A step that what follows rests on can't fail.

Its exit status is thrown away, so the build or the deployment goes on without what the step should have brought. The
fault shows later and elsewhere: in an image that lacks a program, in an application that meets a schema of last week.

Anti-pattern:

    RUN pip install -r requirements.txt || true

    # deploy.sh
    alembic upgrade head || true

Better:

    RUN pip install -r requirements.txt

    # deploy.sh
    set -eu
    alembic upgrade head

Recommendation:

    Let the build or the deployment end where the step fails. What may be absent is asked for first.

References:

- https://docs.docker.com/reference/dockerfile/#run
- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import migrations, package_installs, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_BRINGS = regex(
    r"^(?:\S+=\S+\s+|sudo\s+|python3?\s+-m\s+)*(?:go\s+mod\s+download|cargo\s+fetch|(?:\./)?mvnw?\s+.*\bgo-offline\b|curl\s|wget\s|"
    r"(?:npm|yarn|pnpm|bun)\s+run\s+build\b|go\s+build\b|cargo\s+build\b|(?:\./)?mvnw?\s+.*\bpackage\b|"
    r"(?:\./)?gradlew?\s+.*\b(?:build|bootJar|assemble)\b|tsc\b|vite\s+build\b|python\d?\s+\S*manage\.py\s+collectstatic\b)"
)
_AHEAD = regex(r"\bgo\s+mod\s+download\b|\bcargo\s+fetch\b|\bgo-offline\b")
"""What a later command does again where it is missing."""
_SHOWS = regex(
    r"^(?:sudo\s+)?(?:echo|printf|date|exit|true|sleep|(?:docker[ -]compose|docker)\s(?:.*\s)?(?:ps|logs|images)\b)"
)
"""A command after a migration that does nothing with the schema."""
_PULLS = regex(
    r"^(?:sudo\s+)?(?:(?:docker|podman)\s+(?:image\s+)?pull\s|(?:docker|podman)[ -]compose\s(?:.*\s)?pull\b)"
)
_STARTS = regex(
    r"^(?:sudo\s+)?(?:(?:docker|podman)[ -]compose\s(?:.*\s)?up\b|(?:docker|podman)\s+(?:container\s+)?run\s|"
    r"docker\s+(?:stack\s+deploy|service\s+update)\s)"
)
_BUILDS = regex(r"\b(?:docker|podman)\b.*\s(?:build|buildx|--build|load)\b")
"""What brings the image in another way."""
_SHOWN = 80


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """What installs, downloads or builds in an image, is pulled for a start, or migrates, its failure thrown away."""
    for file in inventory.dockerfiles:
        commands = [item for each in file.instructions if each.keyword == "RUN" for item in each.commands]
        found = [item for item in commands if item.cannot_fail and _brings(item)]
        if found:
            yield _of_image(file.path, found)
    builds = any(service.build for service in inventory.services)
    for sequence in _sequences(inventory):
        found = _pulled_for_a_start(sequence)
        # of a whole stack the images that are built on the host are nowhere to be pulled from
        pulls = [item for item in found if not (builds and "compose" in " ".join(item.words))]
        if pulls:
            yield _of_pull(pulls)
    last = _last(inventory)
    for item in _migrating(inventory):
        if item.cannot_fail and migrations.applies(" ".join(item.words)):
            yield _of_migration(item, last=item.location in last)


def _sequences(inventory: Inventory) -> Iterator[tuple[Command, ...]]:
    """Commands that run one after another where something may be deployed."""
    yield from (item.commands for item in inventory.scripts if not stages.is_for_development(item.path))
    for step in inventory.steps:
        yield from (step.commands, step.remote) if not step.continue_on_error else ()


def _pulled_for_a_start(commands: tuple[Command, ...]) -> list[Command]:
    """The pulls whose failure is thrown away before containers are started; one that fills a cache builds later, or is
    asked for first.
    """
    texts = [" ".join(item.words) for item in commands]
    starts = [index for index, text in enumerate(texts) if _STARTS.search(text)]
    if not starts or any(map(_BUILDS.search, texts)):
        return []
    before = zip(commands[: starts[-1]], texts, strict=False)
    return [item for item, text in before if item.cannot_fail and _PULLS.search(text)]


def _of_pull(found: list[Command]) -> Evidence:
    first, *others = found
    return Evidence(
        f"`{_text(first)}` of {first.location.file} has a fallback that always succeeds: when the image can't be "
        "pulled, what follows starts one that happens to be there, and reports success.",
        first.location,
        subject="pull",
        related=tuple(Related(item.location, f"`{_text(item)}` too", member=True) for item in others),
        recommendation=f"Take the fallback away from `{_text(first, 60)}` in {first.location.file}.",
        example="\n".join(_written(item) for item in found),
    )


def _last(inventory: Inventory) -> set[Location]:
    """The places in scripts after which nothing is done any more, but shown."""
    found: set[Location] = set()
    for script in inventory.scripts:
        for item in reversed(script.commands):
            if not _SHOWS.search(" ".join(item.words)):
                found.add(item.location)
                break
    return found


def _brings(command: Command) -> bool:
    text = " ".join(command.words)
    return bool(package_installs.of(command.words) or _BRINGS.search(text) or tools.INSTALLS.search(text))


def _migrating(inventory: Inventory) -> Iterator[Command]:
    """The commands among which a migration may be: of scripts, steps and images."""
    for script in inventory.scripts:
        yield from script.commands
    for step in inventory.steps:
        yield from (*step.commands, *step.remote) if not step.continue_on_error else ()
    for file in inventory.dockerfiles:
        starts = [each for each in file.instructions if each.keyword in ("CMD", "ENTRYPOINT")]
        yield from (item for each in starts for item in each.commands)


def _of_image(path: str, found: list[Command]) -> Evidence:
    first, *others = found
    again = all(_AHEAD.search(" ".join(item.words)) for item in found)
    outcome = "fails at a later step, far from the cause" if again else "ends without what it should bring"
    return Evidence(
        f"The build of {path} runs `{_text(first)}` with a fallback that always succeeds: when it fails, the build "
        f"goes on and {outcome}.",
        first.location,
        subject=first.words[0],
        related=tuple(Related(item.location, f"`{_text(item)}` too", member=True) for item in others),
        recommendation=f"Take the fallback away from `{_text(first, 60)}` in {path}.",
        severity=Severity.LOW if again else None,
        example="\n".join(f"RUN {' '.join(item.words)}" for item in found),
    )


def _of_migration(command: Command, *, last: bool) -> Evidence:
    outcome = "the script ends as if it had worked" if last else "what follows goes on as if the schema were up to date"
    return Evidence(
        f"`{_text(command)}` migrates the database with a fallback that always succeeds: when it fails, {outcome}.",
        command.location,
        subject="migration",
        recommendation=f"Take the fallback away from `{_text(command, 60)}` in {command.location.file}.",
        severity=Severity.LOW if last else None,
        example=" ".join(command.words),
    )


def _written(command: Command) -> str:
    """A command with quotes around the words that a shell would take apart."""
    return " ".join(f'"{word}"' if "[@]" in word and '"' not in word else word for word in command.words)


def _text(command: Command, limit: int = _SHOWN) -> str:
    return " ".join(command.words)[:limit]
