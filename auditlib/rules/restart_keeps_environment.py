"""A changed environment file is followed by a restart, which doesn't read it.

A container keeps the environment that it was made with. `docker compose restart` starts the same container again: the
new password, address or switch has no effect, and whoever followed the document believes that it has.

Anti-pattern:

    # README.md: set LOG_LEVEL in .env, then
    docker compose restart api

Better:

    docker compose up -d api  # which makes the container anew where its configuration has changed

Recommendation:

    Write `docker compose up -d` wherever an environment file or a Compose file was changed.

References:

- https://docs.docker.com/reference/cli/docker/compose/restart/
- https://docs.docker.com/reference/cli/docker/compose/up/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.inventory.document import Mention
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ENV_FILE = regex(r"(?:^|/)\.env(?:\.[\w-]+)?$|\$\{?\w*ENV_?FILE\w*\}?$")
_TEMPLATE = regex(r"example|template|sample|dist$")
_MAKES_ANEW = frozenset({"up", "down", "create", "rm"})


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document and script one finding for all restarts after a change of an environment file that Compose
    reads.
    """
    found: defaultdict[str, list[Mention]] = defaultdict(list)
    for document in inventory.documents:
        for item in document.mentions:
            if item.kind == "restart" and _is_in_vain(inventory, item.text.replace("`", " ").split()):
                found[document.path].append(item)
    for path, items in found.items():
        yield _evidence(inventory, path, items)
    for script in inventory.scripts:
        if restarts := _restarts(inventory, script):
            yield _of_script(script, restarts)


def _restarts(inventory: Inventory, script: Script) -> list[Command]:
    """The restarts of a script that edits an environment file, and that makes no container anew."""
    edited = next((item for item in script.commands if _edits(item)), None)
    calls = [(item, call) for item in script.commands if (call := compose_command.of(item.words))]
    if edited is None or any(call.verb in _MAKES_ANEW for _, call in calls):
        return []
    return [item for item, call in calls
            if call.verb == "restart" and item.location.line > edited.location.line
            and _is_in_vain(inventory, list(item.words))]  # fmt: skip


def _edits(command: Command) -> bool:
    """Whether a command changes an environment file in its place, or writes into it."""
    in_place = command.words[0] == "sed" and any(word.startswith(("-i", "--in-place")) for word in command.words)
    files_ = (*command.words[-1:], *command.writes) if in_place else command.writes
    return any(_ENV_FILE.search(file) and not _TEMPLATE.search(file) for file in files_)


def _of_script(script: Script, restarts: list[Command]) -> Evidence:
    first, *others = restarts
    said = " ".join(first.words)
    instead = said.replace(" restart", " up -d", 1)
    return Evidence(
        f"{script.path} changes an environment file and then calls `{said}`, which starts the containers with the "
        "environment that they were made with: the change has no effect.",
        first.location,
        subject=script.path,
        related=tuple(Related(item.location, "restarts after a change too", member=True) for item in others),
        recommendation=f"Write `{instead[:80]}` in {script.path}, which makes the containers anew.",
        severity=Severity.MEDIUM,
        change=(" restart", " up -d"),
        example=files.into(script.path, instead),
    )


def _is_in_vain(inventory: Inventory, words: list[str]) -> bool:
    """Whether the services that are restarted get their environment from Compose, and read no file by themselves."""
    call = compose_command.of(words)
    names = set(call.services) & set(inventory.services_by_name) if call else set()
    mine = [service for service in inventory.services if not names or service.name in names]
    given = any(service.env_files for service in mine) or any(_asks(inventory, service) for service in mine)
    return given and not any(map(_reads_by_itself, mine))


def _asks(inventory: Inventory, service: Service) -> bool:
    """Whether the environment of a service has variables that Compose fills in."""
    key = f"services.{service.name}.environment"
    return any(item.target.startswith(key) for item in inventory.variables)


def _reads_by_itself(service: Service) -> bool:
    """Whether the file, or the folder that it lies in, is mounted into the container."""
    return any(mount.kind == "bind" and (mount.source in ("", ".") or mount.source.endswith(".env"))
               for mount in service.mounts)  # fmt: skip


def _evidence(inventory: Inventory, path: str, items: list[Mention]) -> Evidence:
    first, *others = items
    instead = first.text.partition(" restart")[0] + " up -d" + first.text.partition(" restart")[2]
    return Evidence(
        f"{path} has its readers change an environment file and then call `{first.text}`, which starts the containers "
        "with the environment that they were made with: the change has no effect.",
        first.location,
        subject=path,
        related=tuple(Related(item.location, "restarts after a change too", member=True) for item in others),
        recommendation=f"Write `{instead[:80]}` in {path}, which makes the containers anew.",
        change=(" restart", " up -d"),
        example=files.into(path, instead),
    )
