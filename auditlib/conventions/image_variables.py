"""Which variables the official images of databases and brokers need, and which they are often given and never read.

Sources: the images' pages (https://hub.docker.com/_/postgres, …/mysql, …/mariadb, …/mongo, …/redis, …/rabbitmq) and the
entry points that these link to.
"""

from __future__ import annotations

from auditlib.conventions import images

_POSTGRES = ("POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD")
_MYSQL = tuple(
    f"{prefix}_{name}"
    for prefix in ("MYSQL", "MARIADB")
    for name in ("ROOT_PASSWORD", "ROOT_PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD", "ALLOW_EMPTY_ROOT_PASSWORD",
                 "RANDOM_ROOT_PASSWORD", "ROOT_PASSWORD_HASH", "ROOT_PASSWORD_HASH_FILE")
)  # fmt: skip
_NEEDED = {
    "postgres": _POSTGRES, "postgis/postgis": _POSTGRES, "pgvector/pgvector": _POSTGRES,
    "timescale/timescaledb": _POSTGRES, "mysql": _MYSQL, "mariadb": _MYSQL,
}  # fmt: skip
_UNREAD = {
    "postgres": ("HOST", "PORT", "NAME", "DATABASE", "DBNAME", "USERNAME", "PASS", "SERVER"),
    "mysql": ("PORT", "NAME", "DB", "USERNAME", "PASS"),
    "mariadb": ("PORT", "NAME", "DB", "USERNAME", "PASS"),
    "mongo": ("USER", "USERNAME", "PASSWORD", "PASS", "DB", "DATABASE", "HOST", "PORT"),
    "redis": ("PASSWORD", "PASS", "HOST", "PORT", "USER", "USERNAME"),
    "rabbitmq": ("USER", "USERNAME", "PASSWORD", "PASS", "HOST", "PORT"),
}  # fmt: skip
_PREFIXES = {
    "postgres": ("POSTGRES",), "mysql": ("MYSQL",), "mariadb": ("MYSQL", "MARIADB"), "mongo": ("MONGO", "MONGODB"),
    "redis": ("REDIS",), "rabbitmq": ("RABBITMQ",),
}  # fmt: skip


def needed(image: str) -> tuple[str, ...]:
    """The variables of which an image needs one to make its data folder; empty if it needs none."""
    return _NEEDED.get(images.repository(image), ())


def unread(image: str) -> frozenset[str]:
    """The variables that look as if an image took them, and that it doesn't."""
    name = images.repository(image)
    return frozenset(f"{prefix}_{end}" for prefix in _PREFIXES.get(name, ()) for end in _UNREAD[name])
