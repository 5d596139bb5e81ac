"""Several Compose files are handed over in one option.

Compose splits `COMPOSE_FILE=a.yml:b.yml` at the colons only where it reads the variable itself. A script that passes it
on by `-f "$COMPOSE_FILE"` names one file, `a.yml:b.yml`, which isn't there.

Anti-pattern:

    # COMPOSE_FILE=compose.yaml:compose.prod.yaml ./backup.sh
    docker compose -f "$COMPOSE_FILE" exec -T db pg_dump shop

Better:

    # COMPOSE_FILE=compose.yaml:compose.prod.yaml ./backup.sh
    docker compose exec -T db pg_dump shop

Recommendation:

    Export `COMPOSE_FILE` and leave `-f` out, or give each file an `-f` of its own.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/envvars/#compose_file
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_NAME = regex(r"\$\{?(?P<name>\w+)(?::?-[^}]*)?\}?$")
_SEVERAL = regex(r"(?<!\S)(?P<name>[A-Z]\w*)=[\"']?(?P<files>[^\s:\"']+\.ya?ml(?::[^\s:\"']+\.ya?ml)+)")
_VALUE = regex(r"[^\s:]+\.ya?ml(?::[^\s:]+\.ya?ml)+")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each call whose `-f` is a variable that somewhere is given several files."""
    calls = [
        (text, command, match["name"])
        for text in command_texts.texts(inventory)
        for command in text.commands
        if "-f" in command.words and (match := _variable(command))
    ]
    given = _given(inventory) if calls else {}
    told: set[tuple[str, str]] = set()
    for text, command, name in calls:
        own = {pair.name: (pair.value, pair.location) for pair in text.script.compose_variables} if text.script else {}
        value, place = own.get(name) or given.get(name) or ("", None)
        if place and name not in own and _is_env_file(inventory, place.file) and not _reads_files(text):
            continue
        if place and ":" in value and (text.path, name) not in told:
            told.add((text.path, name))
            yield _evidence(text, command, name, value, place)


def _is_env_file(inventory: Inventory, path: str) -> bool:
    return any(file.path == path for file in inventory.env_files)


def _reads_files(text: CommandText) -> bool:
    """Whether commands read an environment file into the shell: only Compose does so by itself."""
    return any(item.words[0] in (".", "source") or (item.words[0] == "export" and ".env" in " ".join(item.words))
               for item in text.commands)  # fmt: skip


def _variable(command: Command) -> re.Match[str] | None:
    """The variable that alone is the first file of a call of Compose."""
    call = compose_command.of(command.words)
    return _NAME.match(call.files[0]) if call and call.files else None


def _given(inventory: Inventory) -> dict[str, tuple[str, Location]]:
    """The variables that environment files, lines for cron and documents give several Compose files."""
    found: dict[str, tuple[str, Location]] = {}
    for file in inventory.env_files:
        for line in file.lines:
            if line.value and _VALUE.fullmatch(line.value.text) and not line.commented:
                found.setdefault(line.name, (line.value.text, line.location))
    said = [(line.command, line.location) for line in inventory.cron_lines]
    said += [(item.text, item.location) for document in inventory.documents for item in document.mentions
             if ".yml:" in item.text or ".yaml:" in item.text]  # fmt: skip
    for text, place in said:
        for match in _SEVERAL.finditer(text):
            found.setdefault(match["name"], (match["files"], place))
    return found


def _evidence(text: CommandText, command: Command, name: str, value: str, place: Location) -> Evidence:
    return Evidence(
        f"{text.opening} hands {name} over by one `-f`, and {place.file} gives it `{value}`: Compose looks for one "
        "file of that whole name.",
        command.location,
        subject=f"{text.path}/{name}",
        related=(Related(place, f"{name} is given several files"),),
        recommendation=f"Leave `-f` out in {text.path} and `export COMPOSE_FILE`, which Compose takes apart itself.",
        example=files.into(text.path, f'export COMPOSE_FILE="${{{name}}}"\n{_without_option(command)}'),
    )


def _without_option(command: Command) -> str:
    """The call less its first `-f`."""
    place = command.words.index("-f")
    return shell_lines.line((*command.words[:place], *command.words[place + 2 :]))
