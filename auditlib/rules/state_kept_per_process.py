"""Several processes of a service each keep for themselves what all of them have to know.

A rate limiter that counts in memory lets through as many times its limit as there are processes; sessions in memory are
known to the one that made them, so that users are logged in and out by chance; a message over WebSocket reaches those
who happen to be connected to the same process. It works on a laptop, where there is one.

Anti-pattern:

    app.use(rateLimit({ windowMs: 60_000, max: 100 }));
    api: {deploy: {replicas: 3}}

Better:

    app.use(rateLimit({ windowMs: 60_000, max: 100, store: new RedisStore({ sendCommand }) }));

Recommendation:

    Keep in Redis what has to hold for all processes, by the store or adapter of the library.

References:

- https://express-rate-limit.mintlify.app/reference/stores
- https://socket.io/docs/v4/using-multiple-nodes/
- https://channels.readthedocs.io/en/latest/topics/channel_layers.html#in-memory-channel-layer
- https://flask-limiter.readthedocs.io/en/stable/#configuring-a-storage-backend
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, worker_counts
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LIMITS = "the limit of requests holds once for each of them"
_SOCKETS = "a message reaches the clients that are connected to the same process"
_HARMS = {
    "express-rate-limit": _LIMITS,
    "slowapi": _LIMITS,
    "Flask-Limiter": _LIMITS,
    "express-session": "a session is known to the process alone that made it",
    "Channels": _SOCKETS,
    "Socket.IO": _SOCKETS,
    "Flask-SocketIO": _SOCKETS,
    "python-socketio": _SOCKETS,
}
_INSTEAD = {
    "express-rate-limit": "store: new RedisStore({ sendCommand: (...args) => client.sendCommand(args) })",
    "express-session": "store: new RedisStore({ client })",
    "slowapi": "Limiter(key_func=get_remote_address, storage_uri=settings.redis_url)",
    "Flask-Limiter": "Limiter(get_remote_address, app=app, storage_uri=os.environ['REDIS_URL'])",
    "Channels": '"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [os.environ["REDIS_URL"]]}',
    "Socket.IO": "io.adapter(createAdapter(publisher, subscriber));   // @socket.io/redis-adapter",
    "Flask-SocketIO": "SocketIO(app, message_queue=os.environ['REDIS_URL'])",
    "python-socketio": "socketio.AsyncServer(client_manager=socketio.AsyncRedisManager(os.environ['REDIS_URL']))",
}


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each store in memory in the code of a service that runs in several processes, or in replicas of a cluster."""
    found = code_traits.of(inventory, "in memory")
    for use in code_traits.without(inventory, found, "shared", same=True) if found else ():
        for service in use.services or (None,):
            several = worker_counts.copies(inventory, service) if service else worker_counts.in_cluster(inventory, "")
            if several:
                yield _evidence(use, service.name if service else "the program", *several)
                break


def _evidence(use: Use, name: str, several: str, place: Location) -> Evidence:
    trait = use.trait
    limits = _HARMS[trait.word] == _LIMITS
    return Evidence(
        f"{trait.word} keeps what it knows in the memory of a process, and {name} runs as {several}: "
        f"{_HARMS[trait.word]}.",
        trait.location,
        subject=f"{trait.location.file}/{trait.word}",
        service=name if use.services else None,
        related=(Related(place, several),),
        severity=Severity.LOW if limits else None,
        recommendation=f"Give {trait.word} in {trait.location.file} a store in Redis, which all processes share.",
        example=files.into(trait.location.file, _INSTEAD[trait.word]),
    )
