"""The quotes around a variable's value are a part of the value.

In a list Compose takes each entry as a whole: of `- KEY="value"` all that stands behind the `=` is the value, with its
quotes. In an environment file the same line means the value without them. The program gets a password that is two signs
longer, an address that begins with a quote, or a number that is none.

Anti-pattern:

    environment:
      - DB_PASSWORD="secret"

Better:

    environment:
      DB_PASSWORD: "secret"

Recommendation:

    Write the environment as a mapping, or quote the whole entry.

References:

- https://docs.docker.com/reference/compose-file/services/#environment
- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.merging import QuotedEntry
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_TAKEN_APART = regex(r"(?:_OPTS|_OPTIONS|_ARGS|_ARGUMENTS|_FLAGS|_CMD|_COMMAND)$|^(?:COMMAND|CMD|ARGS|OPTIONS)$")
"""What a program's start script hands to a shell, which removes the quotes."""
_NEEDS_QUOTES = regex(r"^(?:PGADMIN_CONFIG_|EMQX_|ELASTICSEARCH_HOSTS$)")
"""What is read as Python, as HOCON or as JSON, where a string stands in quotes
(https://www.pgadmin.org/docs/pgadmin4/latest/container_deployment.html,
https://docs.emqx.com/en/emqx/latest/configuration/configuration.html)."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Compose file one finding for all entries of lists whose values stand in quotes."""
    found: defaultdict[str, list[QuotedEntry]] = defaultdict(list)
    for entry in inventory.quoted_entries:
        if not _TAKEN_APART.search(entry.name) and not _NEEDS_QUOTES.search(entry.name):
            found[entry.location.file].append(entry)
    for file, entries in found.items():
        yield _evidence(file, entries)


def _evidence(file: str, entries: list[QuotedEntry]) -> Evidence:
    first, *others = entries
    names = listed(dict.fromkeys(item.name for item in entries))
    who = listed(dict.fromkeys(item.service for item in entries))
    mine = dict.fromkeys(item.name for item in entries if item.service == first.service)
    lines = "\n".join(f'  {name}: "<the value without its quotes>"' for name in mine)
    return Evidence(
        f"{file} gives {who} {names} in a list with quotes around the value: the quotes reach the program as a part "
        "of it.",
        first.location,
        subject=f"{file}/quotes",
        service=first.service,
        related=tuple(Related(item.location, f"{item.name} of {item.service} too", member=True) for item in others),
        recommendation=f"Remove the quotes around the {'value' if not others else 'values'} of {names}.",
        severity=Severity.LOW if environments.is_for_development(file) else None,
        example=compose_lines.of_name(first.service, f"environment:\n{lines}"),
    )
