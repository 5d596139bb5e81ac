"""The proxy refuses uploads that the application takes.

Nginx answers 413 to a body of more than one megabyte, unless `client_max_body_size` says otherwise. Where the
application promises more, everything between the two limits fails before it is reached, with a page that it knows
nothing of and no line in its log.

Anti-pattern:

    # nginx.conf
    location /api/ { proxy_pass http://api:3000; }
    // upload.js
    multer({ limits: { fileSize: 10 * 1024 * 1024 } })

Better:

    client_max_body_size 11m;
    location /api/ { proxy_pass http://api:3000; }

Recommendation:

    Set `client_max_body_size` a little above the largest upload that the application takes.

References:

- https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, image_folders, nginx_locations, proxied, proxies, server_traits
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import PhpLimit, ServerTrait
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MEGABYTE = 2**20
_PHP_USUAL = 2 * _MEGABYTE
"""What PHP takes of a file where nothing says otherwise."""
_SIZE = regex(r"(?P<number>\d{1,12})(?P<unit>[kmg]?)", re.I)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class _Way(Struct, frozen=True):
    """How a proxy passes requests to a service."""

    config: ReverseProxy
    proxy: Service
    service: Service
    location: Location


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every application behind an Nginx that takes larger uploads than any configuration of Nginx lets through."""
    limit = _limit(inventory)
    taken = [item.amount for item in inventory.server_traits if item.kind == "body"]
    largest = max((*taken, *(item.amount for item in _of_php(inventory))), default=0)
    if limit is None or largest <= limit:
        return
    ways: defaultdict[str, list[_Way]] = defaultdict(list)
    for config in inventory.reverse_proxies:
        for proxy in proxies.runners(inventory, config) if config.passages else ():
            for way in _behind(inventory, config, proxy):
                ways[way.service.key].append(way)
    for found in ways.values():
        traits = server_traits.of(inventory, found[0].service, "body") or _told_to_php(inventory, found[0].service)
        trait = max(traits, key=lambda item: item.amount, default=None)
        if trait and trait.amount > limit:
            yield _evidence(found, trait, limit)


def _limit(inventory: Inventory) -> int | None:
    """The largest body that any Nginx lets through; None where one may let any through."""
    limits = [match for config in inventory.reverse_proxies for match in map(_SIZE.fullmatch, config.body_limits)]
    sizes = [int(match["number"]) * _UNITS[match["unit"].lower()] if match else 0 for match in limits]
    return None if 0 in sizes else max(sizes, default=_MEGABYTE)


def _of_php(inventory: Inventory) -> list[PhpLimit]:
    return [item for item in inventory.php_limits if item.name == "upload_max_filesize"]


def _told_to_php(inventory: Inventory, service: Service) -> list[ServerTrait]:
    """The largest upload that the configuration of PHP allows in a service, if it is more than PHP does by itself."""
    raised = (item for item in _of_php(inventory) if item.amount > _PHP_USUAL)
    mine = (item for item in raised if proxied.runs_with(inventory, service, item.location.file))
    return [ServerTrait("body", item.amount, item.location) for item in mine]


def _behind(inventory: Inventory, config: ReverseProxy, proxy: Service) -> Iterator[_Way]:
    """How a proxy passes requests to services of its project."""
    mine = inventory.services_of(proxy.project)
    if proxy.changed_at or environments.only_for_development(proxy):
        return
    told: set[str] = set()
    for item in config.passages:
        for host in nginx_locations.hosts(config, item):
            if (
                host in mine
                and host not in told | {proxy.name}
                and not image_folders.serves_files(inventory, mine[host])
            ):
                told.add(host)
                yield _Way(config, proxy, mine[host], item.location)


def _evidence(ways: list[_Way], trait: ServerTrait, limit: int) -> Evidence:
    (first, *others), size = ways, _megabytes(trait.amount)
    service, file = first.service, first.config.file
    said = "allows" if first.config.body_limits else "says nothing of bodies, and Nginx allows"
    wanted = f"client_max_body_size {trait.amount // _MEGABYTE + 1}m;"
    return Evidence(
        f"{service.name} takes uploads of {size}, and {file} of {first.proxy.name} before it {said} "
        f"{_megabytes(limit)}: larger ones end with 413, unless a file outside of the repository says otherwise.",
        first.location,
        subject=f"{service.project}/{service.name}",
        service=first.proxy.name,
        related=(
            Related(trait.location, f"{service.name} takes up to {size}"),
            *(Related(way.location, f"{way.proxy.name} allows no more either", member=True) for way in others),
        ),
        recommendation=f"Set `{wanted}` in {listed(dict.fromkeys(way.config.file for way in ways))}.",
        example="\n".join(files.into(name, wanted) for name in dict.fromkeys(way.config.file for way in ways)),
    )


def _megabytes(amount: int) -> str:
    return f"{amount / _MEGABYTE:.4g} MB"
