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
_SHOWN = 80


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """What installs, downloads or builds in an image, and what migrates anywhere, with its failure thrown away."""
    for file in inventory.dockerfiles:
        commands = [item for each in file.instructions if each.keyword == "RUN" for item in each.commands]
        found = [item for item in commands if item.cannot_fail and _brings(item)]
        if found:
            yield _of_image(file.path, found)
    last = _last(inventory)
    for item in _migrating(inventory):
        if item.cannot_fail and migrations.applies(" ".join(item.words)):
            yield _of_migration(item, last=item.location in last)


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


def _text(command: Command, limit: int = _SHOWN) -> str:
    return " ".join(command.words)[:limit]
