"""The cache and the queue of tasks are one database of Redis.

`cache.clear()` empties the database that the cache has (`FLUSHDB`), whatever prefix its keys have: the tasks that wait
in it are gone as well, without an error. Nor can the store be told to make room at the cost of the cache alone.

Anti-pattern:

    CELERY_BROKER_URL = REDIS_URL
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

Better:

    CELERY_BROKER_URL = env("CELERY_BROKER_URL")   # redis://redis:6379/0
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                          "LOCATION": env("CACHE_URL")}}   # redis://redis:6379/1

Recommendation:

    Give the cache a database of its own; a Redis of its own where one of the two is to make room.

References:

- https://docs.djangoproject.com/en/stable/topics/cache/#redis
- https://redis.io/docs/latest/commands/flushdb/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each module of Django's settings that gives a cache in Redis the address of Celery's broker."""
    for item in inventory.django_settings:
        if item.cache_of_broker:
            file = item.location.file
            yield Evidence(
                f"{file} gives the cache the address of Celery's broker: `cache.clear()` drops the tasks that wait.",
                item.cache_of_broker,
                subject=f"{file}/CACHES",
                recommendation=f"Give the cache in {file} another database than the broker.",
                example=files.into(file, '"LOCATION": os.environ["CACHE_URL"],  # redis://<the same host>:6379/1'),
            )
