"""A restart of the database or of Redis ends the program that uses it.

The client of PostgreSQL for Node.js and node-redis emit `error` when an idle connection breaks. An `error` that nobody
listens to is thrown by Node.js itself, outside of any `try`, and ends the process, as a listener does that calls
`process.exit`: a maintenance of the database takes down each service beside it.

Anti-pattern:

    const pool = new Pool({ connectionString });

Better:

    const pool = new Pool({ connectionString });
    pool.on("error", (error) => logger.error({ error }, "idle client"));

Recommendation:

    Listen to `error` of every pool and client; both connect again by themselves.

References:

- https://node-postgres.com/apis/pool#error
- https://github.com/redis/node-redis#events
- https://nodejs.org/api/events.html#error-events
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LISTENS = '{}.on("error", (error) => console.error("connection lost", error));'
_STAYS = ("always", "unless-stopped", "on-failure")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The clients of PostgreSQL and Redis in files that listen to no error, in deployed programs of Node.js."""
    found = code_traits.of(inventory, "client")
    heard = {item.location.file for item in inventory.code_traits if item.kind == "client heard"} if found else set()
    named = code_traits.of(inventory, "client heard by name") if found else []
    making = {use.trait.location.file for use in found}
    elsewhere = {  # where a module brings the client
        item.key for use in named if use.trait.location.file not in making for item in use.services
    }
    deaf = [use for use in found if use.trait.location.file not in heard]
    deaf = [use for use in deaf if elsewhere.isdisjoint(item.key for item in use.services)]
    if deaf:
        yield _evidence(deaf)
    for use in code_traits.of(inventory, "client exits"):
        yield _exits(use)


def _evidence(uses: list[Use]) -> Evidence:
    trait = uses[0].trait
    running = [item for use in uses for item in use.services]
    again = bool(running) and all(item.restart.startswith(_STAYS) for item in running)
    name = "pool" if "Pool" in trait.word else "client"
    return Evidence(
        f"{code_traits.names(uses)} {'end' if len({item.key for item in running}) > 1 else 'ends'} when an idle "
        f"connection breaks, as at a restart of the database: nothing in {trait.location.file} listens to `error` of "
        f"`{trait.word}`{', and Docker has to start it again' if again else ''}.",
        trait.location,
        subject=f"{trait.location.file}/error",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses, "nobody listens here either"),
        severity=Severity.LOW if again else None,
        recommendation=f"Listen to `error` of the {name} in {trait.location.file}.",
        example=files.into(trait.location.file, _LISTENS.format(name)),
    )


def _exits(use: Use) -> Evidence:
    trait = use.trait
    return Evidence(
        f"{code_traits.names([use])} {'end' if len(use.services) > 1 else 'ends'} by `process.exit` when a connection "
        "breaks, as at a restart of the database: the pool would open another one by itself.",
        trait.location,
        subject=f"{trait.location.file}/exit",
        service=code_uses.first_service([use]),
        severity=Severity.LOW,
        recommendation=f"Log the error in {trait.location.file}, and don't end the process.",
        example=files.into(trait.location.file, '(error) => console.error("connection lost", error)'),
    )
