"""The programs may open more connections than their database allows.

Each worker of each replica has a pool of its own, so that the numbers multiply. A PostgreSQL allows 100 connections
unless it is told otherwise, three of them for its administrator. Under load the last ones are refused: requests fail,
and with them migrations, backups and whoever wants to look what is wrong.

Anti-pattern:

    api: {command: gunicorn -w 8 app:app}                          # 8 × (10 + 20) connections
    engine = create_engine(url, pool_size=10, max_overflow=20)

Better:

    engine = create_engine(url, pool_size=5, max_overflow=5)       # 8 × 10
    # or a PgBouncer between both

Recommendation:

    Keep the sum over all workers of all programs below `max_connections`, with some left for people.

References:

- https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool
- https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS
- https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import code_traits, services, stacks, starting, worker_counts
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_USUAL = {"PostgreSQL": 100, "MySQL": 151, "MariaDB": 151}
_TOLD = regex(r"\bmax[_-]connections[= ]+(\d{1,6})\b")
_POOLED = regex(r"pgbouncer|pgpool|odyssey|proxysql|supavisor", re.I)


class _Share(Struct, frozen=True):
    """What one service may open: `text` shows how the number comes about."""

    service: Service
    number: int
    text: str
    place: Location


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each database that is alone in its project the pools of all workers of the project, if they exceed it."""
    uses = code_traits.of(inventory, "pool size")
    for project in inventory.deployed_projects if uses else ():
        mine = list(inventory.services_of(project.name).values())
        stores = [item for item in mine if (found := services.product(inventory, item)) and found.name in _USUAL]
        if len(stores) == 1 and not any(_POOLED.search(f"{item.name} {item.image}") for item in mine):
            shares = [share for item in mine if (share := _share(inventory, item, uses))]
            limit = _limit(inventory, stores[0])
            if limit and sum(share.number for share in shares) > limit:
                yield _evidence(stores[0], limit, shares)


def _limit(inventory: Inventory, store: Service) -> int:
    """How many connections a database allows; none known where a file of its own may say so."""
    told = [match for item in stacks.in_operation(inventory, store)
            if (match := _TOLD.search(" ".join((*item.entrypoint, *item.command))))]  # fmt: skip
    product = services.product(inventory, store)
    own = any(mount.target.endswith((".conf", ".cnf", "conf.d")) for mount in store.mounts)
    if told:
        return max(int(match[1]) for match in told)
    return 0 if own or product is None else _USUAL[product.name]


def _share(inventory: Inventory, service: Service, uses: list[Use]) -> _Share | None:
    """The greatest number that any variant of a service may open; a worker of a queue has one task at a time."""
    mine = [use for use in uses if any(item.key == service.key for item in use.services)]
    words = " ".join(word for start in starting.of(inventory, service) for word in start.words)
    if len(mine) != 1 or durability.is_worker(inventory, service) or "celery" in words:
        return None
    shares = [_of_variant(inventory, item, mine[0]) for item in stacks.in_operation(inventory, service)]
    return max((item for item in shares if item), key=lambda item: item.number, default=None)


def _of_variant(inventory: Inventory, service: Service, use: Use) -> _Share | None:
    parts = [_number(inventory, service, part) for part in use.trait.word.split("+")]
    if None in parts:
        return None
    pool = sum(part or 0 for part in parts)
    several = worker_counts.several(inventory, service)
    factors = [number for number in (service.replicas or 1, several[0] if several else 1) if number > 1]
    number = pool
    for factor in factors:
        number *= factor
    shown = f"({' + '.join(map(str, parts))})" if len(parts) > 1 else str(pool)
    text = " × ".join((*map(str, factors), shown))
    return _Share(service, number, text, use.trait.location)


def _number(inventory: Inventory, service: Service, word: str) -> int | None:
    """A number as it stands, or that of a setting: what its service is given, else its default."""
    if word.isdigit():
        return int(word)
    name = word.rpartition(".")[2].lower()
    given = [entry.value.text for entry in service.environment if entry.value and entry.name.lower() == name]
    defaults = [
        item.default.text for item in inventory.settings
        if item.default and name in (item.name.lower(), item.attribute.rpartition(".")[2].lower())
    ]  # fmt: skip
    known = given[:1] or list(dict.fromkeys(defaults))
    return int(known[0]) if len(known) == 1 and known[0].isdigit() else None


def _evidence(store: Service, limit: int, shares: list[_Share]) -> Evidence:
    total = sum(share.number for share in shares)
    first = max(shares, key=lambda share: share.number)
    sums = listed(f"{share.service.name} {share.text}" for share in shares)
    return Evidence(
        f"The pools may take {total} connections together ({sums}), and {store.name} allows {limit}: under load the "
        "rest is refused.",
        first.place,
        subject=f"{store.project}/{store.name}/connections",
        service=first.service.name,
        related=(Related(store.location, f"{store.name} allows {limit} connections"),),
        recommendation=f"Lower the pools, or raise max_connections of {store.name} above {total}.",
        example=compose_lines.of_service(store, f"command: {_raised(store, total + total // 5)}"),
    )


def _raised(store: Service, number: int) -> str:
    postgres = "postg" in store.image or "timescale" in store.image
    return f"postgres -c max_connections={number}" if postgres else f"--max-connections={number}"
