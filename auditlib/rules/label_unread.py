"""Labels are set for a program that nobody runs, or that doesn't know them.

Labels do nothing by themselves: a program reads them and acts. Where it isn't there, unhealthy containers aren't
restarted and new versions aren't told of, although each service seems to say so.

Anti-pattern:

    services:
      api:
        image: ghcr.io/acme/api:1.4
        labels: ["autoheal=true"]       # and no service is an autoheal

Better:

    services:
      api:
        image: ghcr.io/acme/api:1.4
        labels: ["autoheal=true"]
      autoheal:
        image: willfarrell/autoheal:1.2.0
        restart: unless-stopped
        volumes: ["/var/run/docker.sock:/var/run/docker.sock"]

Recommendation:

    Run the program that reads the labels, or remove them.

References:

- https://github.com/willfarrell/docker-autoheal
- https://getwud.github.io/wud/#/configuration/watchers/
- https://containrrr.dev/watchtower/container-selection/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Label, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


class _Reader(Struct, frozen=True):
    """A program that reads labels: which ones, how its images are called, and what isn't done without it."""

    name: str
    labels: re.Pattern[str]
    image: re.Pattern[str]
    undone: str
    severity: Severity = Severity.LOW
    unknown: re.Pattern[str] | None = None
    """Labels with its prefix that it doesn't know."""


_READERS = (
    _Reader(
        "autoheal", regex(r"autoheal(?:\.|$)"), regex(r"autoheal"),
        "nobody restarts them when they are unhealthy", Severity.MEDIUM,
    ),
    _Reader(
        "deunhealth", regex(r"deunhealth\."), regex(r"deunhealth"),
        "nobody restarts them when they are unhealthy", Severity.MEDIUM,
    ),
    _Reader("watchtower", regex(r"com\.centurylinklabs\.watchtower\."), regex(r"watchtower"), "nobody updates them"),
    _Reader(
        "wud", regex(r"wud\."), regex(r"whats-up-docker|(?:^|/)wud(?:$|[:@])|drydock"), "nobody tells of new versions",
        unknown=regex(r"wud\.(?:trigger\.(?!include$|exclude$|threshold$).*|updates?(?:\..*)?)"),
    ),
    _Reader("diun", regex(r"diun\."), regex(r"(?:^|/)diun(?:$|[:@./])"), "nobody tells of new versions"),
    _Reader("ofelia", regex(r"ofelia\."), regex(r"ofelia"), "their jobs never run", Severity.MEDIUM),
    _Reader(
        "docker-volume-backup", regex(r"docker-volume-backup\."), regex(r"docker-volume-backup"),
        "nobody stops them for a backup",
    ),
)  # fmt: skip
_OFF = frozenset({"false", "0", "no", "off", ""})
"""Values that keep a program away, which needn't be there for that."""


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each such program one finding: it isn't there, or it is and doesn't know the labels."""
    for reader in _READERS:
        found = [
            (service, label)
            for service in inventory.deployed_services
            for label in service.labels
            if reader.labels.match(label.name) and label.value.strip().lower() not in _OFF
        ]
        if not found:
            continue
        if not _is_run(inventory, reader):
            yield _absent(reader, found)
        elif unknown := [(item, label) for item, label in found if reader.unknown and reader.unknown.match(label.name)]:
            yield _misnamed(reader, unknown)


def _is_run(inventory: Inventory, reader: _Reader) -> bool:
    """Whether a service or a command runs the program, settings for it lie here, or a document speaks of it."""
    images = (text for service in inventory.services for text in (service.image, service.name))
    commands = (" ".join(item.words) for item in deployment.commands(inventory))
    told = (item.text for item in deployment.documented_commands(inventory))
    spoken_of = not reader.labels.match(reader.name)  # else a document may mean the label
    if spoken_of and any(reader.name in document.words for document in inventory.documents):
        return True
    roles = (path for path in inventory.files if not path.lower().endswith(".md"))
    return any(map(reader.image.search, (*images, *commands, *told, *roles)))


def _names(found: list[tuple[Service, Label]]) -> str:
    return listed(dict.fromkeys(service.name for service, _ in found), limit=4)


def _others(found: list[tuple[Service, Label]]) -> tuple[Related, ...]:
    places: defaultdict[str, Label] = defaultdict()
    for service, label in found[1:]:
        places.setdefault(service.key, label)
    return tuple(Related(label.location, f"{key} has {label.name}", member=True) for key, label in places.items())


def _absent(reader: _Reader, found: list[tuple[Service, Label]]) -> Evidence:
    service, label = found[0]
    number = len({item.key for item, _ in found})
    return Evidence(
        f"{counted(number, 'service')} ({_names(found)}) {'has' if number == 1 else 'have'} labels for {reader.name} "
        f"(`{label.name}`), and nothing here runs it: unless the host does, {reader.undone}.",
        label.location,
        subject=reader.name,
        service=service.name,
        related=_others(found),
        recommendation=f"Run {reader.name} beside the services, or remove its labels.",
        severity=reader.severity,
        example=files.into(service.location.file, f"services:\n  {reader.name}:\n    image: <its image>"),
    )


def _misnamed(reader: _Reader, found: list[tuple[Service, Label]]) -> Evidence:
    service, label = found[0]
    names = listed(dict.fromkeys(f"`{item.name}`" for _, item in found), limit=4)
    return Evidence(
        f"{reader.name} knows no {names}, which {_names(found)} "
        f"{'has' if len({item.key for item, _ in found}) == 1 else 'have'}: they do nothing, whatever they say.",
        label.location,
        subject=f"{reader.name}/unknown",
        service=service.name,
        related=_others(found),
        recommendation=f"Name the trigger by `wud.trigger.include`, and remove {names}.",
        example=files.into(service.location.file, '- "wud.trigger.include=<a trigger of WUD_TRIGGER_…>"'),
    )
