"""A deployment's migration asks whether it may, and nobody answers.

`php artisan migrate` asks for a confirmation where `APP_ENV` is `production`. Without a terminal the answer is no:
"Command cancelled", the new code runs on the old schema.

Anti-pattern:

    docker compose exec -T app php artisan migrate

Better:

    docker compose exec -T app php artisan migrate --force

Recommendation:

    Add `--force`, which leaves the question out.

References:

- https://laravel.com/docs/12.x/migrations#forcing-migrations-to-run-in-production
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib import compose_command
from auditlib.conventions import command_texts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import on_servers
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_ASKS = regex(r"\bartisan (?P<verb>migrate(?::(?:rollback|reset|refresh|fresh))?|db:(?:seed|wipe))(?= |$)")
_CALL = regex(r"[;\n]|&&|\|\|")
_ANSWERS = frozenset({"--force", "--pretend"})


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that deploys or starts a container, and each text for a server, with a call that asks."""
    if "artisan" not in inventory.files_by_name:
        return
    for path, called, commands in _texts(inventory):
        found = [item for item in commands if _asks(item)]
        if found:
            yield _evidence(path, called, found)


def _texts(inventory: Inventory) -> Iterator[tuple[str, str, Iterable[Command]]]:
    """What runs on servers, and scripts that start by Compose what they migrate."""
    for item in on_servers.texts(inventory):
        yield item.path, item.called, item.commands
    known = {item.path for item in on_servers.texts(inventory)}
    for text in command_texts.texts(inventory):
        if text.kind == "script" and text.path not in known and any(map(_starts, text.commands)):
            yield text.path, text.called, text.commands


def _starts(command: Command) -> bool:
    call = compose_command.of(command.words)
    return call is not None and call.verb == "up"


def _asks(command: Command) -> str:
    """The call of a command that asks: its own words, or one of the text that it hands on to a shell or a host."""
    texts = [word for word in command.words if "artisan " in word]
    calls = [call for text in texts for call in _CALL.split(text)] if texts else [" ".join(command.words)]
    return next((each.strip() for each in calls if _ASKS.search(each) and _ANSWERS.isdisjoint(each.split())), "")


def _evidence(path: str, called: str, found: list[Command]) -> Evidence:
    first, *others = found
    call = _asks(first)
    own = " ".join(first.words) == call
    said = call[-60:]
    return Evidence(
        f"{command_texts.opening(called)} runs `{said}` without `--force`: where APP_ENV is `production`, artisan asks "
        "first, and without a terminal it cancels the command.",
        first.location,
        subject=f"{path}/artisan",
        related=tuple(Related(item.location, "asks too", member=True) for item in others),
        recommendation=f"Add `--force` to the call of artisan in {path}.",
        example=files.into(path, f"{shell_lines.line(first.words) if own else call} --force"),
    )
