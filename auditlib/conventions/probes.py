"""What a health check asks its own container for: the commands of it, the ports and the paths that these name.

Follows https://docs.docker.com/reference/dockerfile/#healthcheck; a check in Compose takes the place of the image's.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from auditlib.command_words import SHELLS, core
from auditlib.conventions import services, starting
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_ITSELF = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])"
_URL = regex(
    rf"\b(?P<scheme>https?)://{_ITSELF}(?P<port>:[^/?#\s'\"\\)]*)?(?P<path>/[^?#\s'\"\\)]*)?(?=$|[?#\s'\"\\)])"
)
_ADDRESS = regex(rf"(?:^|[\s=/]){_ITSELF}[:/ ](\d{{2,5}})(?=$|[\s/'\";)])")
_ADDRESS_ALONE = regex(rf"{_ITSELF}(?::\d{{1,5}})?(?P<path>/[^?#\s'\"\\)]*)?(?:[?#]\S*)?")
_CLIENTS = frozenset({"curl", "wget", "http", "xh"})
_USUAL = {"http": "80", "https": "443"}
_PORT_OPTIONS = {
    "redis-cli": ("-p",), "valkey-cli": ("-p",), "pg_isready": ("-p", "--port"), "psql": ("-p", "--port"),
    "mysqladmin": ("-P", "--port"), "mariadb-admin": ("-P", "--port"), "mongosh": ("--port",), "mongo": ("--port",),
}  # fmt: skip
_HOST_OPTIONS = ("-h", "--host")


class Probe(Struct, frozen=True):
    """How the health of a container is asked for."""

    commands: tuple[Command, ...]
    location: Location


def of(inventory: Inventory, service: Service) -> Probe | None:
    """The probe of a service: Compose's own, or the HEALTHCHECK of the Dockerfile that it is built from."""
    own = service.healthcheck
    if own is not None:
        return None if own.disabled else Probe(own.commands, own.test_location or own.location)
    _, instructions = services.built_from(inventory, service)
    last = next((item for item in reversed(instructions) if item.keyword == "HEALTHCHECK"), None)
    return Probe(last.commands, last.location) if last else None


def to_the_end(inventory: Inventory, service: Service) -> Probe | None:
    """The probe of a service; where it calls a script of the repository that asks the web server, what that does."""
    found = of(inventory, service)
    inside = tuple(filter(is_certain, followed(inventory, service, found))) if found else ()
    asking = next((item for item in inside if _URL.search(" ".join(item.words))), None)
    return Probe(inside, asking.location) if asking else found


def own(inventory: Inventory, service: Service) -> Probe | None:
    """The probe that is meant for what a service does; that of an image isn't where Compose gives another command."""
    return None if service.command and service.healthcheck is None else of(inventory, service)


def by_own_command(found: Iterable[Service]) -> list[Service]:
    """The services, first those that start what their image starts: a HEALTHCHECK in it is meant for them."""
    return sorted(found, key=lambda item: bool(item.command))


def followed(inventory: Inventory, service: Service, probe: Probe) -> Iterator[Command]:
    """The commands of a script of the repository that a probe calls."""
    for command in probe.commands:
        words = [word for word in core(list(command.words)) if word not in SHELLS]
        path = starting.script(inventory, service, words[0]) if words and not words[0].isalnum() else ""
        yield from inventory.scripts_by_path[path].commands if path else ()


def is_certain(command: Command) -> bool:
    """Whether a script gives a command in any case."""
    return not (command.conditional or command.function)


def asks_web(probe: Probe) -> bool:
    """Whether a probe asks the container's own web server."""
    return any(_URL.search(" ".join(command.words)) for command in probe.commands)


def ports(probe: Probe) -> list[str]:
    """The ports of the container itself that a probe asks: in URLs, as addresses, by options of a database's client."""
    return list(dict.fromkeys(port for command in probe.commands for port in _ports(command)))


def paths(probe: Probe) -> list[str]:
    """The paths that a probe asks the container's own web server for, the root left out."""
    texts = (" ".join(command.words) for command in probe.commands)
    found = [match["path"] for text in texts for match in _URL.finditer(text)]
    found += [match["path"] for command in probe.commands for match in _bare(command)]
    return [path for path in dict.fromkeys(found) if path and path != "/" and "$" not in path]


def _bare(command: Command) -> Iterator[re.Match[str]]:
    """The addresses without a scheme that a client of the web is given, which takes HTTP for it."""
    if command.words and posixpath.basename(command.words[0]) in _CLIENTS:
        yield from filter(None, map(_ADDRESS_ALONE.fullmatch, command.words[1:]))


def _ports(command: Command) -> Iterator[str]:
    text = " ".join(command.words)
    for match in _URL.finditer(text):
        port = (match["port"] or "").removeprefix(":") or _USUAL[match["scheme"]]
        if port.isdigit():
            yield port
    yield from _ADDRESS.findall(_URL.sub("", text))
    options = _PORT_OPTIONS.get(posixpath.basename(command.words[0]) if command.words else "", ())
    elsewhere = any(word.startswith(_HOST_OPTIONS) for word in command.words) and not re.search(_ITSELF, text)
    for word, after in zip(command.words, (*command.words[1:], ""), strict=True) if not elsewhere else ():
        if word in options and after.isdigit():
            yield after
        elif word.partition("=")[0] in options and word.partition("=")[2].isdigit():
            yield word.partition("=")[2]
