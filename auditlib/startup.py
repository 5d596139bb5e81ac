"""When each service starts and is ready at the latest, as the waits of `depends_on` and the health checks bound it.

Docker takes a container for unhealthy when its check has failed `retries` times in a row after `start_period`, each
try `interval` after the last one ended, and each ended after `timeout` at most. So whoever waits for its health waits
for `start_period + retries · (interval + timeout)` at most: then it is healthy, or Compose gives up.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from auditlib.compose.errors import RefusedError
from auditlib.compose.units import parse_duration
from auditlib.inventory.stack import Healthcheck, Service

_DEFAULTS = {"interval": 30.0, "timeout": 30.0, "start_period": 0.0}
"""Docker's own, in seconds (https://docs.docker.com/reference/dockerfile/#healthcheck)."""
_RETRIES = 3


class Moment(Struct, frozen=True):
    """A service on the timeline, in seconds after `up`. Without a health check `ready` is `start`: nobody asks."""

    service: Service
    start: float
    """When it is started at the latest."""
    ready: float
    """When it is healthy at the latest, or given up."""
    waits_for: str
    """What it waits for the longest; empty for what starts at once."""
    tasks: tuple[str, ...] = ()
    """The tasks that it waits for to complete, itself or through others; each takes as long as it takes, beside."""


def timeline(services: Mapping[str, Service]) -> tuple[Moment, ...]:
    """The services of a project in the order in which they start; what waits for itself in a circle is left out."""
    found: dict[str, Moment] = {}
    waiting = dict(services)
    while waiting:
        ready = [service for service in waiting.values() if all(name in found for name in _needs(service, services))]
        if not ready:
            break
        for service in ready:
            found[service.name] = _moment(service, found)
            del waiting[service.name]
    return tuple(sorted(found.values(), key=lambda item: (item.start, item.ready, item.service.name)))


def patience(check: Healthcheck) -> float:
    """The seconds after which a container is healthy or taken for unhealthy."""
    interval, timeout, start = (_seconds(getattr(check, name), default) for name, default in _DEFAULTS.items())
    retries = int(check.retries) if check.retries.isdecimal() and int(check.retries) else _RETRIES
    return start + retries * (interval + timeout)


def _needs(service: Service, services: Mapping[str, Service]) -> list[str]:
    return [item.service for item in service.dependencies if item.service in services]


def _moment(service: Service, found: Mapping[str, Moment]) -> Moment:
    start, waits_for = 0.0, ""
    tasks: dict[str, None] = {}
    for dependency in service.dependencies:
        needed = found.get(dependency.service)
        if needed is None:
            continue
        until = needed.ready if dependency.condition == "service_healthy" else needed.start
        tasks |= dict.fromkeys(needed.tasks)
        if dependency.condition == "service_completed_successfully":
            tasks[dependency.service] = None
        if until > start or not waits_for:
            start, waits_for = max(until, start), dependency.service
    check = service.healthcheck
    ready = start + patience(check) if check and not check.disabled else start
    return Moment(service, start, ready, waits_for, tuple(tasks))


def _seconds(text: str, default: float) -> float:
    """A duration of Compose in seconds; one that isn't written, or isn't known before it runs, is the default."""
    try:
        return parse_duration(text) / 1e9 if text and text != "0s" else default
    except RefusedError:
        return default
