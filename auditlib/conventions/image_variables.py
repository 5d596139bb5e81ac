"""Which variables the official images of databases and brokers need, and which they are often given and never read.

Sources: the images' pages (https://hub.docker.com/_/postgres, …/mysql, …/mariadb, …/mongo, …/redis, …/rabbitmq) and the
entry points that these link to; https://hub.docker.com/_/influxdb for its variables since version 2, and the changelog
of https://github.com/prometheus/mysqld_exporter for version 0.15, which dropped `DATA_SOURCE_NAME`; the entry point of
https://github.com/docker-library/rabbitmq, https://www.keycloak.org/migration/migrating-to-quarkus and
https://docs.n8n.io/changelog/v10-migration-guide; the flags of https://github.com/danielqsj/kafka_exporter, which
reads no variables.
"""

from __future__ import annotations

import re

from auditlib.conventions import images

_POSTGRES = ("POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD")
_MYSQL = tuple(
    f"{prefix}_{name}"
    for prefix in ("MYSQL", "MARIADB")
    for name in ("ROOT_PASSWORD", "ROOT_PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD", "ALLOW_EMPTY_ROOT_PASSWORD",
                 "RANDOM_ROOT_PASSWORD", "ROOT_PASSWORD_HASH", "ROOT_PASSWORD_HASH_FILE")
)  # fmt: skip
_BUILT_ON = dict.fromkeys(
    ("postgis/postgis", "imresamu/postgis", "pgvector/pgvector", "timescale/timescaledb"), "postgres"
)
"""Images that add something to an official one, and start by its entry point."""
_NEEDED = {"postgres": _POSTGRES, "mysql": _MYSQL, "mariadb": _MYSQL}
_UNREAD = {
    "postgres": ("HOST", "PORT", "NAME", "DATABASE", "DBNAME", "USERNAME", "PASS", "SERVER"),
    "mysql": ("PORT", "NAME", "DB", "USERNAME", "PASS"),
    "mariadb": ("PORT", "NAME", "DB", "USERNAME", "PASS"),
    "mongo": ("USER", "USERNAME", "PASSWORD", "PASS", "DB", "DATABASE", "HOST", "PORT"),
    "redis": ("PASSWORD", "PASS", "HOST", "PORT", "USER", "USERNAME"),
    "rabbitmq": ("USER", "USERNAME", "PASSWORD", "PASS", "HOST", "PORT"),
    "danielqsj/kafka-exporter": ("SERVER", "SERVERS", "BROKER", "BROKERS", "BROKER_LIST", "BOOTSTRAP_SERVERS",
                                 "EXPORTER_PORT", "LOG_DIR", "VERSION"),
}  # fmt: skip
_PREFIXES = {
    "postgres": ("POSTGRES",), "mysql": ("MYSQL",), "mariadb": ("MYSQL", "MARIADB"), "mongo": ("MONGO", "MONGODB"),
    "redis": ("REDIS",), "rabbitmq": ("RABBITMQ",),
    "danielqsj/kafka-exporter": ("KAFKA",),
}  # fmt: skip

_MEANT = {
    "postgres": ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"),
    "mysql": ("MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE"),
    "mariadb": ("MARIADB_USER", "MARIADB_PASSWORD", "MARIADB_DATABASE"),
    "mongo": ("MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD", "MONGO_INITDB_DATABASE"),
    "rabbitmq": ("RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS", ""),
}
"""The variables that the images read for a user, a password and the name of a database."""
_DROPPED = {
    "influxdb": ((2,), {
        "INFLUXDB_DB": "DOCKER_INFLUXDB_INIT_BUCKET", "INFLUXDB_ADMIN_USER": "DOCKER_INFLUXDB_INIT_USERNAME",
        "INFLUXDB_ADMIN_PASSWORD": "DOCKER_INFLUXDB_INIT_PASSWORD", "INFLUXDB_USER": "DOCKER_INFLUXDB_INIT_USERNAME",
        "INFLUXDB_USER_PASSWORD": "DOCKER_INFLUXDB_INIT_PASSWORD", "INFLUXDB_HTTP_AUTH_ENABLED": "",
    }),
    "prom/mysqld-exporter": ((0, 15), {"DATA_SOURCE_NAME": ""}),
    "rabbitmq": ((3, 9), dict.fromkeys(
        ("RABBITMQ_VM_MEMORY_HIGH_WATERMARK", "RABBITMQ_DEFAULT_PASS_FILE", "RABBITMQ_DEFAULT_USER_FILE"), ""
    )),
    "keycloak/keycloak": ((17,), {
        "KEYCLOAK_USER": "KEYCLOAK_ADMIN", "KEYCLOAK_PASSWORD": "KEYCLOAK_ADMIN_PASSWORD", "DB_VENDOR": "KC_DB",
        "DB_ADDR": "KC_DB_URL_HOST", "DB_DATABASE": "KC_DB_URL_DATABASE", "DB_USER": "KC_DB_USERNAME",
        "DB_PASSWORD": "KC_DB_PASSWORD",
    }),
    "n8nio/n8n": ((1,), dict.fromkeys(
        ("N8N_BASIC_AUTH_ACTIVE", "N8N_BASIC_AUTH_USER", "N8N_BASIC_AUTH_PASSWORD"), ""
    )),
}  # fmt: skip
"""Variables that an image read before a release, with what it reads in their place; empty for nothing."""
_ENDS = (("USER", "USERNAME"), ("PASSWORD", "PASS"), ("DB", "NAME", "DATABASE", "DBNAME"))


def needed(image: str) -> tuple[str, ...]:
    """The variables of which an image needs one to make its data folder; empty if it needs none."""
    return _NEEDED.get(_official(image), ())


def meant(image: str, variable: str) -> str:
    """The variable that an image reads for what another name says; empty if it reads none for that."""
    if variable in (dropped := _dropped(image)):
        return dropped[variable]
    end = variable.rpartition("_")[2]
    found = zip(_ENDS, _MEANT.get(_official(image), ()), strict=False)
    return next((name for ends, name in found if end in ends), "")


def unread(image: str) -> frozenset[str]:
    """The variables that look as if an image took them, and that it doesn't."""
    name = _official(image)
    wrong = frozenset(f"{prefix}_{end}" for prefix in _PREFIXES.get(name, ()) for end in _UNREAD[name])
    return wrong | _dropped(image).keys()


def _official(image: str) -> str:
    """The repository of an image, or of the official one that it is built on."""
    name = images.repository(image)
    return _BUILT_ON.get(name, name)


def _dropped(image: str) -> dict[str, str]:
    """What an image of a known release doesn't read any more."""
    since, names = _DROPPED.get(images.repository(image), ((), {}))
    numbers = re.match(r"v?(\d+)(?:\.(\d+))?", images.tag(image))
    release = tuple(int(number) for number in numbers.groups() if number) if numbers else ()
    newest = images.tag(image) in ("", "latest") and "@" not in image
    return dict(names) if newest or (release and release >= since) else {}


def refuses(image: str, variable: str) -> bool:
    """Whether an image doesn't start while it is given a variable that it read before."""
    return images.repository(image) == "rabbitmq" and variable in _dropped(image)
