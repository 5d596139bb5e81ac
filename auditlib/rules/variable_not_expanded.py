"""A command without a shell is given a variable that only a shell would replace.

Compose starts `command`, and a health check with `CMD`, without a shell. `$$NAME`, which is there to reach the shell of
the container, arrives as the text `$NAME`: the store has that text as its password, and the probe signs in as nobody.

Anti-pattern:

    cache:
      image: redis:7.4
      command: redis-server --requirepass $$REDIS_PASSWORD
      healthcheck:
        test: ["CMD", "redis-cli", "-a", "$$REDIS_PASSWORD", "ping"]

Better:

    cache:
      image: redis:7.4
      command: sh -c 'exec redis-server --requirepass "$$REDIS_PASSWORD"'
      healthcheck:
        test: ["CMD-SHELL", "redis-cli -a \"$$REDIS_PASSWORD\" ping | grep PONG"]

Recommendation:

    Use `CMD-SHELL` or `sh -c` where a variable of the container is meant, `${NAME}` where one of Compose is.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.docker.com/reference/compose-file/interpolation/
- https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
"""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterator

from auditlib.conventions import services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(r"(?<![\\$])\$(?:\{[A-Z_][A-Z0-9_]*\}|[A-Z_][A-Z0-9_]*)")
_SHELLS = frozenset({
    "sh", "bash", "ash", "dash", "zsh", "ksh", "envsubst", "gomplate", "python", "python3", "node", "perl", "php",
    "ruby", "mongosh", "mongo", "jq", "awk", "gawk", "mawk", "su",
    "runuser",
})  # fmt: skip
"""Programs that may themselves replace what looks like a variable."""
_WITH_SHELL = {
    "health check": "healthcheck:\n  test: [\"CMD-SHELL\", '{}']",
    "command": 'command: ["sh", "-c", \'exec {}\']',
}
"""By the part of a service how it is started by a shell."""
_REPLACES = frozenset({"Elasticsearch"})
"""Stores that replace variables in their options by themselves."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe in the form without a shell, and every command of a well-known store, that holds a variable."""
    for service in inventory.distinct_services:
        probe = service.healthcheck
        if probe is not None and not probe.shell and not probe.disabled:
            place = probe.test_location or probe.location
            yield from _evidence(service, "health check", probe.test, place, _filled(inventory, service, "healthcheck"))
        if _starts_as_written(inventory, service):
            place = service.command_location or service.location
            yield from _evidence(service, "command", service.command, place, _filled(inventory, service, "command"))


def _starts_as_written(inventory: Inventory, service: Service) -> bool:
    """Whether the image is known to hand its words on as they are."""
    found = services.product(inventory, service)
    plain = not service.build and not service.entrypoint
    return plain and found is not None and found.kind in services.DATASTORES and found.name not in _REPLACES


def _filled(inventory: Inventory, service: Service, part: str) -> frozenset[str]:
    """The variables that Compose itself fills in there; the value of one that is demanded isn't known."""
    key = f"services.{service.name}.{part}"
    files = inventory.files_of(service.project)
    return frozenset(
        item.name
        for item in inventory.variables
        if item.location.file in files and (item.target == key or item.target.startswith((f"{key}.", f"{key}[")))
    )


def _evidence(
    service: Service, part: str, words: tuple[str, ...], place: Location, filled: frozenset[str]
) -> Iterator[Evidence]:
    names = {posixpath.basename(word) for word in words}
    found = list(dict.fromkeys(match[0] for word in words for match in _VARIABLE.finditer(word)))
    found = [name for name in found if name.strip("${}") not in filled]
    if found and names.isdisjoint(_SHELLS):
        verb = "arrives" if len(found) == 1 else "arrive"
        given = {entry.name for entry in service.environment}
        known = bool(service.env_files) or all(name.strip("${}") in given for name in found)
        lines = _WITH_SHELL[part].format(_in_shell(words)) if known else _by_compose(part, words)
        yield Evidence(
            f"The {part} of {service.name} runs without a shell: {listed(found)} {verb} as that text, not as a value.",
            place,
            subject=f"{service.project}/{service.name}/{part}",
            service=service.name,
            recommendation=_advice(part)
            if known
            else f"Write one `$` in place of two, so that Compose fills in "
            f"{listed(name.strip('${}') for name in found)}, which the container isn't given.",
            example=compose_lines.of_service(service, lines),
        )


def _advice(part: str) -> str:
    return "Start it by `sh -c '…'`." if part == "command" else 'Write it as `["CMD-SHELL", "…"]`.'


def _by_compose(part: str, words: tuple[str, ...]) -> str:
    """The words with what Compose itself replaces, as no shell of the container would know the variable."""
    filled = [_VARIABLE.sub(lambda match: f"${{{match[0].strip('${}')}:?set it in .env}}", word) for word in words]
    text = json.dumps(filled if part == "command" else ["CMD", *filled], ensure_ascii=False)
    return f"command: {text}" if part == "command" else f"healthcheck:\n  test: {text}"


def _in_shell(words: tuple[str, ...]) -> str:
    """The words as a shell takes them, in single quotes of YAML; a doubled `$` stays for the shell."""
    quoted = (f'"{word}"' if _VARIABLE.search(word) else shlex.quote(word) for word in words)
    return " ".join(quoted).replace("$", "$$").replace("'", "''")
