"""A document sends its readers to a port on which nothing answers.

The first thing that a newcomer opens refuses the connection, and in an incident somebody looks for the fault in the
service instead of the document.

Anti-pattern:

    # README.md: Grafana is at http://localhost:3000
    grafana:
      image: grafana/grafana:11.4.0
      ports: ["3001:3000"]

Better:

    # README.md: Grafana is at http://localhost:3001

Recommendation:

    Write the port that is published on the host, which is the left one of the two.

References:

- https://docs.docker.com/get-started/docker-concepts/running-containers/publishing-ports/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.document import Document, Mention
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ANY_ADDRESS = regex(r"https?://\S+|(?:localhost|127\.0\.0\.1):\d")
_ADDRESS = regex(
    r"https?://(?:localhost|127\.0\.0\.1|<[\w .-]{1,40}>|[A-Z][A-Z_]{2,40}|your[\w-]{0,30}|"
    r"\$\([^)]{1,60}\)|\$\{?\w{1,40}\}?):(\d{2,5})\b"
)
"""An address on the host that runs the stack: by its own name, or by a placeholder for it."""
_MEANS_ANOTHER = regex(
    r"\b(?:npm|yarn|pnpm|bun|vite|kube[\w-]*|minikube|port-forward|tunnel|ssh)\b|\binternal(?:ly)?\b|"
    r"\b(?:inside|within|in) (?:the |its |a )?(?:container|network|pod|cluster)",
    re.I,
)
"""Lines on another program, such as a front end under development, or on the port inside a container."""
_PRINTS = frozenset({"echo", "printf", "print", "warn", "info", "log", "success", "note", "say"})
"""Commands, and functions as scripts call them, that tell their reader something."""
_PUBLISHED = regex(r"\s(?:-p|-P|--publish|--net(?:work)?[ =]host)")
_NUMBER = regex(r"\d{2,5}")
_OTHER_WAYS = frozenset({"kubectl", "helm", "ssh", "minikube", "vagrant", "k3d", "kind"})


class _Claim(Struct, frozen=True):
    """A port at which a document promises a service that is published at another one."""

    port: str
    service: Service
    published: Port


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that a document names beside its port inside the container, or one that is nowhere, and that is
    published at another."""
    known = _known(inventory)
    if known is None:
        return
    found: defaultdict[_Claim, list[Mention]] = defaultdict(list)
    for document in inventory.documents:
        for item in document.mentions if not _starts_otherwise(document) else ():
            if _MEANS_ANOTHER.search(item.text):
                continue
            for port in _ADDRESS.findall(item.text) if item.kind == "address" else ():
                claim = None if port in known else _claim(inventory, document, item, port)
                if claim:
                    found[claim].append(item)
            name, _, port = item.text.partition(" ") if item.kind == "port" else ("", "", "")
            claim = _tabled(inventory, name, port) if port and port not in known else None
            if claim:
                found[claim].append(item)
    for command in _own_commands(inventory):
        text = _printed(command)
        for port in _ADDRESS.findall(text) if "://" in text else ():
            claim = None if port in known else _claimed(inventory, text, port)
            if claim:
                found[claim].append(Mention("address", text, command.location))
    for claim, uses in found.items():
        yield _evidence(claim, uses)


def _own_commands(inventory: Inventory) -> Iterator[Command]:
    """The commands of scripts, make targets and npm scripts, which people call."""
    yield from (command for script in inventory.scripts for command in script.commands)
    targets = (target for manifest in inventory.manifests for target in manifest.targets)
    yield from (command for target in targets for command in target.commands)


def _printed(command: Command) -> str:
    """What a command of a script tells whoever calls that; empty for another command."""
    return " ".join(command.words[1:]) if command.words[:1] and command.words[0].lstrip("@-") in _PRINTS else ""


def _known(inventory: Inventory) -> set[str] | None:
    """Ports of the host at which something may answer; None where files can't tell (ranges, the host's network)."""
    ports = [port for service in inventory.services for port in service.ports]
    if any(not port.host_port.isdigit() for port in ports) or any(
        service.network_mode == "host" for service in inventory.services
    ):
        return None
    texts = [line.value.text for file in inventory.env_files for line in file.lines if line.value]
    texts += [word for command in _own_commands(inventory) if not _printed(command) for word in command.words]
    return {port.host_port for port in ports} | {number for text in texts for number in _NUMBER.findall(text)}


def _starts_otherwise(document: Document) -> bool:
    """Whether a document forwards ports, or starts containers and programs by hand, at ports of its own."""
    commands = [item.text for item in document.mentions if item.kind == "command"]
    return any(text.split()[0] in _OTHER_WAYS or _publishes(text) for text in commands)


def _publishes(text: str) -> bool:
    """Whether a command starts a container at a port of the host."""
    return text.startswith(("docker run", "podman run")) and _PUBLISHED.search(text) is not None


def _claim(inventory: Inventory, document: Document, item: Mention, port: str) -> _Claim | None:
    """The service that the line or its heading names, if the port is the one inside its container, or nobody's."""
    return _claimed(inventory, f"{_heading(document, item)} {item.text}", port) or _stale(inventory, item, port)


def _claimed(inventory: Inventory, said: str, port: str) -> _Claim | None:
    for service in inventory.distinct_services:
        inside = [entry for entry in service.ports if entry.target == port]
        if inside and service.build is None and _names(said, service):
            return _Claim(port, service, inside[0])
    return None


def _stale(inventory: Inventory, item: Mention, port: str) -> _Claim | None:
    """The only program that a line with one address names, if it is published, and no container has the port."""
    if len(_ANY_ADDRESS.findall(item.text)) != 1 or any(
        entry.target == port for service in inventory.services for entry in service.ports
    ):
        return None
    published = [service for service in inventory.distinct_services if service.ports and not service.build]
    named = [service for service in published if _is_called(item.text, _program(service))]
    return _Claim(port, named[0], named[0].ports[0]) if len(named) == 1 else None


def _tabled(inventory: Inventory, name: str, port: str) -> _Claim | None:
    """The service that a row of a table names, if it is published, and no container has the port of the row."""
    if any(entry.target == port for service in inventory.services for entry in service.ports):
        return None
    named = [item for item in inventory.distinct_services
             if item.ports and name.lower() in (item.name.lower(), _program(item).lower())]  # fmt: skip
    return _Claim(port, named[0], named[0].ports[0]) if len(named) == 1 else None


def _heading(document: Document, item: Mention) -> str:
    """The heading under which a line stands."""
    before = [heading.text for heading in document.headings if heading.location.line < item.location.line]
    return before[-1] if before else ""


def _names(text: str, service: Service) -> bool:
    return any(_is_called(text, name) for name in (service.name, _program(service)))


def _program(service: Service) -> str:
    return images.repository(service.image).rpartition("/")[2]


def _is_called(text: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.I))


def _evidence(claim: _Claim, uses: list[Mention]) -> Evidence:
    first, *others = uses
    service, published = claim.service, claim.published
    inside = "That is its port inside the container; on the host it is published at"
    nowhere = "Nothing in the repository has that port; it is published at"
    return Evidence(
        f"{first.location.file} sends its readers to port {claim.port} for {service.name}. "
        f"{inside if published.target == claim.port else nowhere} {published.host_port}.",
        first.location,
        subject=f"{service.name}/{claim.port}",
        service=service.name,
        related=(
            Related(published.location, f"publishes {published.target} at {published.host_port}"),
            *(Related(item.location, f"names port {claim.port} too", member=True) for item in others),
        ),
        recommendation=f"Write port {published.host_port} in {first.location.file}.",
        change=(f":{claim.port}", f":{published.host_port}"),
        example=files.into(first.location.file, f"http://localhost:{published.host_port}"),
    )
