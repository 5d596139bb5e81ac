"""What a program puts into Redis stays there for ever.

BullMQ keeps each finished job unless `removeOnComplete` says otherwise, and a stream keeps each entry unless XADD is
given a bound. Redis holds all of it in memory: after weeks it is full, and then it refuses writes or is killed, the
queue of what is still to be done included.

Anti-pattern:

    new Queue("mails", { connection });
    r.xadd("events", {"id": id})

Better:

    const defaultJobOptions = { removeOnComplete: { count: 1000 }, removeOnFail: { age: 604800 } };
    new Queue("mails", { connection, defaultJobOptions });
    r.xadd("events", {"id": id}, maxlen=100_000, approximate=True)

Recommendation:

    Bound what is kept of finished jobs, and the length of streams.

References:

- https://docs.bullmq.io/guide/queues/auto-removal-of-jobs
- https://redis.io/docs/latest/commands/xadd/
- https://redis.io/docs/latest/develop/data-types/streams/#capped-streams
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, services
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_JOBS = "defaultJobOptions: { removeOnComplete: { count: 1000 }, removeOnFail: { age: 7 * 24 * 3600 } }"
_STREAMS = {
    ".py": "xadd(…, maxlen=100_000, approximate=True)",
    ".go": "&redis.XAddArgs{Stream: …, Values: …, MaxLen: 100_000, Approx: true}",
}
_STREAM_OF_NODE = "xadd(key, 'MAXLEN', '~', 100000, '*', …)"


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The queues of BullMQ that keep finished jobs, and the streams without a bound that nothing trims."""
    queues = code_traits.of(inventory, "jobs")
    kept = code_traits.without(inventory, queues, "jobs removed") if queues else []
    if kept:
        yield _evidence(kept, "keeps each finished job in Redis, as nothing sets `removeOnComplete`", _JOBS)
    streams = code_traits.of(inventory, "stream") or _beside(inventory)
    trimmed = any(item.kind == "trims" for item in inventory.code_traits)
    if streams and not trimmed:
        path = streams[0].trait.location.file
        lines = next((each for end, each in _STREAMS.items() if path.endswith(end)), _STREAM_OF_NODE)
        yield _evidence(streams, "adds to a stream that has no bound and that nothing in the code trims", lines)


def _beside(inventory: Inventory) -> list[Use]:
    """The streams of programs that no service starts, where a Redis is deployed for them."""
    found = [item for item in inventory.code_traits if item.kind == "stream"]
    stores = found and any(services.is_redis(inventory, item) for item in inventory.deployed_services)
    return [Use(item, ()) for item in found] if stores else []


def _evidence(uses: list[Use], says: str, lines: str) -> Evidence:
    trait = uses[0].trait
    who = code_traits.names(uses[:1]) if uses[0].services else trait.location.file
    return Evidence(
        f"{who} {says}: Redis' memory fills up with what is done.",
        trait.location,
        subject=f"redis/{trait.kind}",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses),
        recommendation=f"Bound what `{trait.word}` in {trait.location.file} leaves in Redis.",
        example=files.into(trait.location.file, lines),
    )
