"""A restore writes into a database that the application goes on using.

While the dump is read back, the application reads tables that are half there and writes rows that collide with those
of the dump. `DROP DATABASE` fails while anybody is connected, and a connection pool connects again at once.

Anti-pattern:

    # restore.sh
    gunzip -c "$1" | docker compose exec -T db psql -U shop shop

Better:

    # restore.sh
    docker compose stop api worker
    gunzip -c "$1" | docker compose exec -T db psql -U shop --set ON_ERROR_STOP=1 --single-transaction shop
    docker compose start api worker

Recommendation:

    Stop the services that use the database before the restore, and start them after it.

References:

- https://www.postgresql.org/docs/current/backup-dump.html#BACKUP-DUMP-RESTORE
- https://www.postgresql.org/docs/current/sql-dropdatabase.html
- https://docs.docker.com/reference/cli/docker/compose/stop/
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator

from auditlib import command_words
from auditlib.conventions import calls, command_texts, environments, services, shared_env_files
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RESTORES = regex(r"(?i)(?:^|[/_.-])restor(?:e|es|ing)(?:[_.-]\w+)*\.(?:sh|bash)$")
_TRIES = regex(r"(?i)drill|verif|test|check|trial|rehears")
_UNPACKS = frozenset({"gunzip", "zcat", "gzip", "bzcat", "xzcat", "zstdcat", "zstd"})
_DUMP = regex(r"(?i)back[-_]?up|dump")
_CLIENTS = (
    (regex(r"(?:^|[\s/])psql(?=\s|$)(?!.*(?:\s-\w*[cl]\b|\s--(?:command|list|version)\b))"), ("PostgreSQL",)),
    (regex(r"(?:^|[\s/])pg_restore(?=\s|$)(?!.*\s(?:-l|--list|--version)\b)"), ("PostgreSQL",)),
    (regex(r"(?:^|[\s/])(?:mysql|mariadb)(?=\s|$)(?!.*(?:\s-e|\s--execute|\s--version))"), ("MySQL", "MariaDB")),
    (regex(r"(?:^|[\s/])mongorestore(?=\s|$)"), ("MongoDB",)),
)
_ENDS = frozenset({"stop", "down", "pause", "kill", "scale", "disable", "drain"})
_ENDS_BY = frozenset({"docker", "docker-compose", "systemctl", "kubectl", "pm2", "supervisorctl", "service", "podman"})
_NEAR = 10
_DROPS = regex(r"(?i)\bdrop database\b(?!.*\bforce\b)|(?:^|\s)dropdb(?=\s)(?!.*--force)")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that restores a database of Compose and stops nothing of what uses it."""
    for script in inventory.scripts:
        if script.commands and not _TRIES.search(script.path) and (found := _restore(script)):
            command, products = found
            users = _users(inventory, products)
            if users and not any(map(_stops, script.commands)) and not _is_told(inventory, script):
                yield _evidence(inventory, script, command, users)


def _restore(script: Script) -> tuple[Command, tuple[str, ...]] | None:
    """The first command that fills a database, and what that may be."""
    own = _RESTORES.search(script.path)
    unpacked = {
        index + 1
        for index, (one, _) in enumerate(itertools.pairwise(script.commands))
        if one.caught and one.words[0] in _UNPACKS and _DUMP.search(" ".join(one.words))
    }
    for index, command in enumerate(script.commands):
        if command_words.only_names(command.words):
            continue
        if own or index in unpacked or "restor" in command.function.lower():
            text = " ".join(command.words)
            found = next((products for pattern, products in _CLIENTS if pattern.search(text)), None)
            if found and " run " not in text:
                return command, found
    return None


def _users(inventory: Inventory, products: tuple[str, ...]) -> list[Service]:
    """The deployed services of the repository that use a database of one of the products."""
    stores = {
        (item.project, item.name)
        for item in inventory.deployed_services
        if (kind := services.product(inventory, item)) and kind.name in products
    }
    found = [
        item for item in inventory.deployed_services
        if services.product(inventory, item) is None and not environments.only_for_development(item)
        and not services.is_one_shot(item) and any((item.project, name) in stores for name in _asked(inventory, item))
    ]  # fmt: skip
    return list({item.name: item for item in found}.values())


def _asked(inventory: Inventory, service: Service) -> Iterator[str]:
    """The services that one waits for, or has an address of."""
    yield from (item.service for item in service.dependencies)
    yield from (end.host for entry in shared_env_files.taken(inventory, service) for end in entry.endpoints)


def _stops(command: Command) -> bool:
    """Whether a command stops anything, also by an array or a function that holds the call of Compose."""
    words = set(command.words)
    held = command.words[0].startswith("$") or "compose" in command.words[0].lower()
    return bool(words & _ENDS) and (held or command_texts.program(command.words) in _ENDS_BY)


def _is_told(inventory: Inventory, script: Script) -> bool:
    """Whether the script runs in a container, which stops no other, or a document that names it stops something."""
    name = posixpath.basename(script.path)
    if name in calls.given_to_containers(inventory):
        return True
    for document in inventory.documents:
        told = [(item.location.line, item.text.split()) for item in document.mentions if item.kind == "command"]
        calling = [line for line, words in told if any(name in word for word in words)]
        stopping = [line for line, words in told if _ENDS & set(words)] if calling else []
        if any(abs(one - other) <= _NEAR for one in calling for other in stopping):
            return True
    return False


def _evidence(inventory: Inventory, script: Script, restore: Command, users: list[Service]) -> Evidence:
    names = [item.name for item in users]
    drops = next((item for item in script.commands if _DROPS.search(" ".join(item.words))), None)
    ended = any("pg_terminate_backend" in word for item in script.commands for word in item.words)
    fails = " `DROP DATABASE` fails while they are connected." if drops and not ended else ""
    return Evidence(
        f"{script.path} restores the database and stops nothing: {listed(names)} "
        f"{'goes' if len(names) == 1 else 'go'} on reading and writing meanwhile.{fails}",
        restore.location,
        subject=script.path,
        related=(
            *([Related(drops.location, "needs the database for itself")] if drops and drops is not restore else []),
            *(Related(item.location, f"{item.name} uses the database") for item in users[:6]),
        ),
        recommendation=f"Stop {listed(names, limit=3)} before the restore in {script.path}, and start them after it.",
        example=files.into(
            script.path,
            f"{_note(inventory, users[0])}docker compose stop {' '.join(names[:6])}\n<the restore>\n"
            f"docker compose start {' '.join(names[:6])}",
        ),
    )


def _note(inventory: Inventory, user: Service) -> str:
    """What to heed where the stack isn't started by a bare `docker compose`, which would stop another project."""
    return "# with the -f, -p and --env-file of the start\n" if len(inventory.family(user.project)) > 1 else ""
