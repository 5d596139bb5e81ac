"""Which release of PostgreSQL's client programs an image holds.

Sources: https://packages.debian.org/search?keywords=postgresql-client, https://packages.ubuntu.com, and
https://pkgs.alpinelinux.org for the release that the package without a number means; the pages of the images for
backups (https://github.com/prodrigestivill/docker-postgres-backup-local, https://github.com/eeshugerman/postgres-backup-s3),
whose tags are those of PostgreSQL.
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import images, services
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_DEBIAN = {"buster": 11, "bullseye": 13, "11": 13, "bookworm": 15, "12": 15, "trixie": 17, "13": 17}
_UBUNTU = {"focal": 12, "20.04": 12, "jammy": 14, "22.04": 14, "noble": 16, "24.04": 16}
_ALPINE = {"3.16": 14, "3.17": 15, "3.18": 15, "3.19": 16, "3.20": 16, "3.21": 17, "3.22": 17}
_ON_ALPINE = regex(r"(?:^|-)alpine(?P<release>3\.\d+)")
_OF_DEBIAN = regex(r"(?:^|-)(?P<release>buster|bullseye|bookworm|trixie)(?:-|$)")
_NUMBERED = regex(r"^postgresql-?(?P<number>\d\d)(?:-client)?$|^postgresql-client-(?P<other>\d\d)$")
_PLAIN = frozenset({"postgresql-client", "postgresql"})
_ELSEWHERE = regex(r"apt\.postgresql\.org|pgdg|ACCC4CF8")
"""The makers' own packages, of which the newest release is installed."""
_OF_BACKUPS = frozenset({"prodrigestivill/postgres-backup-local", "eeshugerman/postgres-backup-s3"})
POSTGRES = frozenset({"postgres", "postgis/postgis", "pgvector/pgvector", "timescale/timescaledb"})
_NUMBER = regex(r"(?:^|(?:^|-)pg)(?P<number>\d\d)(?=[.-]|$)")


class Client(Struct, frozen=True):
    """The release of the client programs in an image, and what says so."""

    number: int
    why: str
    location: Location


def release(image: str) -> int:
    """The major release of PostgreSQL in an image of it; 0 where the tag doesn't tell."""
    tag = images.tag(image)
    name = images.repository(image)
    match = _NUMBER.search(tag) if name != "timescale/timescaledb" or "pg" in tag else None
    return int(match["number"]) if match else 0


def of_image(image: str) -> int:
    """The release of the client programs in a published image; 0 where nothing is known."""
    return release(image) if images.repository(image) in POSTGRES | _OF_BACKUPS else 0


def of_service(inventory: Inventory, service: Service) -> Client | None:
    """The client programs of a service's image; None where nothing is known of them."""
    if service.build is None:
        number = of_image(service.image)
        return Client(number, f"runs {service.image}", service.image_location) if number else None
    base, instructions = services.built_from(inventory, service)
    return _installed(base, instructions)


def _installed(base: str, instructions: tuple[Instruction, ...]) -> Client | None:
    """What a Dockerfile installs, by the number in a package's name or by the distribution that it is built on."""
    runs = [item for item in instructions if item.keyword == "RUN"]
    if any(_ELSEWHERE.search(item.argument) for item in instructions):
        return None
    for item in runs:
        for word in (word for command in item.commands for word in command.words):
            if match := _NUMBERED.match(word):
                return Client(int(match["number"] or match["other"]), f"installs {word}", item.location)
            if word in _PLAIN and (number := _of_distribution(base)):
                return Client(number, f"installs {word} on {base}, which is PostgreSQL {number}", item.location)
    number = of_image(base)
    return Client(number, f"is built on {base}", instructions[0].location) if number and instructions else None


def _of_distribution(base: str) -> int:
    """The release that a distribution's package without a number brings; 0 where the tag names no distribution."""
    name, tag = images.repository(base), images.tag(base)
    if name == "ubuntu":
        return _UBUNTU.get(tag.partition("-")[0], 0)
    if name == "debian":
        return _DEBIAN.get(
            tag.partition("-")[0], {"11": 13, "12": 15, "13": 17}.get(tag.partition("-")[0].split(".")[0], 0)
        )
    if name == "alpine":
        return _ALPINE.get(".".join(tag.split(".")[:2]), 0)
    if match := _ON_ALPINE.search(tag):
        return _ALPINE.get(match["release"], 0)
    match = _OF_DEBIAN.search(tag)
    return _DEBIAN[match["release"]] if match else 0
