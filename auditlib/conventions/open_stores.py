"""Data stores that ask nobody for a password, as far as Compose shows what they are told.

Sources: https://hub.docker.com/_/redis, https://hub.docker.com/_/mongo, https://hub.docker.com/_/postgres,
https://hub.docker.com/_/mysql, https://hub.docker.com/_/mariadb, https://neo4j.com/docs/operations-manual/current/docker/,
https://qdrant.tech/documentation/guides/security/, https://docs.weaviate.io/deploy/configuration/authentication,
https://www.meilisearch.com/docs/learn/security/basic_security,
https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/security-settings and
https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditlib.conventions import images, mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Mount, Service
from auditlib.patterns import regex
from auditlib.phrases import listed

_REDIS = frozenset({"redis", "valkey/valkey"})
_SEARCH = frozenset({"elasticsearch", "elasticsearch/elasticsearch", "opensearchproject/opensearch"})
_OFF = {"xpack.security.enabled": "false", "plugins.security.disabled": "true", "DISABLE_SECURITY_PLUGIN": "true"}
"""Variables of search engines, with the value that switches logins off."""
_YES = frozenset({"yes", "true", "1", "on"})
_EMPTY = ("MYSQL_ALLOW_EMPTY_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "MARIADB_ALLOW_EMPTY_PASSWORD")
_LETS_IN: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {
    **dict.fromkeys(
        ("postgres", "postgis/postgis", "pgvector/pgvector", "timescale/timescaledb"),
        (("POSTGRES_HOST_AUTH_METHOD", frozenset({"trust"})),),
    ),
    **dict.fromkeys(("mysql", "mariadb"), tuple((name, _YES) for name in _EMPTY)),
    "neo4j": (("NEO4J_AUTH", frozenset({"none"})),),
    "semitechnologies/weaviate": (("AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", _YES),),
}
"""By image: variables by which it lets everybody in, with the values that do."""
_KEYS = {"qdrant/qdrant": "QDRANT__SERVICE__API_KEY", "getmeili/meilisearch": "MEILI_MASTER_KEY"}
"""By image: the variable without which it asks nobody for a key."""
_PASSWORD = regex(r"^(?:[A-Z]+_)?(?:REDIS|VALKEY)_?PASS(?:WORD)?$")
_KEY_OPTION = "--master-key"
_KAFKAS = frozenset({"confluentinc/cp-kafka", "apache/kafka", "bitnami/kafka", "bitnamilegacy/kafka"})
_ZOOKEEPERS = frozenset({"confluentinc/cp-zookeeper", "zookeeper"})
_NATS = frozenset({"nats"})
_NATS_LOGIN = regex(r"-{1,2}(?:c|config|user|pass|auth|tls\w*)(?:=|$)")
_SECURES = regex(r"SASL|SSL|OPTS|JVMFLAGS|AUTH")
_SETTING = regex(r"^KAFKA_(?:CFG_)?")
_FILES = (".conf", ".yml", ".yaml")


def asks_nobody(inventory: Inventory, service: Service) -> bool:
    """Whether a published image runs with nothing that makes it ask: no option, no variable, no file of settings."""
    name = _name(service)
    if name in _LETS_IN or name in _KEYS:
        return _lets_in(inventory, service, name)
    words = " ".join((*service.entrypoint, *service.command))
    told = any(mark in words for mark in (*_FILES, "$", "--auth", "--keyFile", "requirepass", "aclfile"))
    given = service.configs or any(mount.target.endswith(_FILES) for mount in service.mounts)
    if told or given or not (name == "mongo" or name in _REDIS or name in _SEARCH) or _may_add(inventory, service):
        return False
    if not services.runs_server(inventory, service):
        return False
    if name == "mongo":
        given = any(entry.name.startswith("MONGO_INITDB_ROOT_") for entry in service.environment)
        return not (given or services.lacks_env_file(inventory, service))
    return name in _REDIS or switch(service) is not None


def is_plain_broker(inventory: Inventory, service: Service) -> bool:
    """Whether a Kafka has listeners without logins alone, or a ZooKeeper is told of none
    (https://kafka.apache.org/documentation/#brokerconfigs_listener.security.protocol.map).
    """
    name = _name(service)
    secured = any(_SECURES.search(entry.name) for entry in service.environment)
    if secured or services.lacks_env_file(inventory, service) or any(map(_is_settings, service.mounts)):
        return False
    if name in _ZOOKEEPERS:
        return True
    told = {_SETTING.sub("", entry.name): entry.value.text for entry in service.environment if entry.value}
    listeners, mapped = told.get("ADVERTISED_LISTENERS", ""), told.get("LISTENER_SECURITY_PROTOCOL_MAP", "")
    protocols = [part.rpartition(":")[2] for part in mapped.split(",")] if mapped else []
    protocols = protocols or [part.partition("://")[0] for part in listeners.split(",")]
    return name in _KAFKAS and bool(listeners) and all(part.strip() == "PLAINTEXT" for part in protocols)


def is_open_nats(inventory: Inventory, service: Service) -> bool:
    """Whether a NATS is started with options alone, and none of them has it ask for a login or a certificate
    (https://docs.nats.io/running-a-nats-service/introduction/flags).
    """
    words = [part for word in (*service.entrypoint, *service.command) for part in word.split()]
    told = any(_NATS_LOGIN.match(word) or "$" in word or word.endswith(_FILES) for word in words)
    files = service.env_files or service.configs or any(map(_is_settings, service.mounts))
    return _name(service) in _NATS and not (
        service.build or told or files or services.lacks_env_file(inventory, service)
    )


def _is_settings(mount: Mount) -> bool:
    return mount.target.endswith((*_FILES, ".properties", ".cfg", "/config", "/conf"))


def _name(service: Service) -> str:
    name = images.repository(service.image).removeprefix("docker.elastic.co/") if service.build is None else ""
    return "semitechnologies/weaviate" if name.endswith("/weaviate") else name


def _lets_in(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether a variable opens a store to everybody, or the one that closes it isn't given."""
    if not services.runs_server(inventory, service):
        return False
    if name in _LETS_IN:
        return switch(service) is not None
    closed = any(entry.name.startswith(_KEYS[name]) for entry in service.environment)
    told = _KEY_OPTION in " ".join(service.command) or any(mount.target.endswith(_FILES) for mount in service.mounts)
    return not (closed or told or service.configs or services.lacks_env_file(inventory, service))


def key(service: Service) -> str:
    """The variable that closes a store of this image; empty for one that is closed in another way."""
    return _KEYS.get(_name(service), "")


def has_password_file(inventory: Inventory, service: Service) -> bool:
    """Whether a configuration that the command of a Redis names, and that it mounts, sets a password."""
    words = " ".join((*service.entrypoint, *service.command)).split()
    named = {mounts.path_outside(service, word) for word in words if word.endswith(".conf")} - {""}
    return any(item.name == "requirepass" and item.location.file in named for item in inventory.fixed_secrets)


def _may_add(inventory: Inventory, service: Service) -> bool:
    """Whether a variable adds something where it is set: `${REDIS_PASSWORD:+--requirepass ${REDIS_PASSWORD}}`."""
    return any(item.service == service.name and item.project == service.project and "+" in item.operator
               for item in inventory.variables)  # fmt: skip


def switch(service: Service) -> EnvironmentEntry | None:
    """The variable that switches the logins of a store off."""
    opening = dict(_LETS_IN.get(_name(service), ()))
    return next((entry for entry in service.environment if entry.value and _opens(entry, opening)), None)


def _opens(entry: EnvironmentEntry, opening: dict[str, frozenset[str]]) -> bool:
    text = entry.value.text.lower() if entry.value else ""
    return text == _OFF.get(entry.name) or text in opening.get(entry.name, ())


def refused(inventory: Inventory, found: Sequence[Service]) -> list[tuple[Service, EnvironmentEntry]]:
    """The passwords that programs are given for a Redis that has none; without a value they log in as nobody."""
    stores = {item.name for item in found if services.is_redis(inventory, item)}
    mine = inventory.services_of(found[0].project).values() if stores else ()
    own = (item for item in mine if services.product(inventory, item) is None)
    return [(item, entry) for item in own for entry in item.environment if _is_password(entry, stores)]


def _is_password(entry: EnvironmentEntry, stores: set[str]) -> bool:
    text = entry.value.text if entry.value else ""
    in_address = "@" in text and any(end.host in stores for end in entry.endpoints)
    return in_address or bool(_PASSWORD.search(entry.name) and (text or entry.variables))


def told(vain: list[tuple[Service, EnvironmentEntry]]) -> str:
    """A sentence on such passwords."""
    if not vain:
        return ""
    names = listed(dict.fromkeys(entry.name for _, entry in vain))
    who = listed(dict.fromkeys(item.name for item, _ in vain))
    return f" What {who} {'is' if len(vain) == 1 else 'are'} given as {names} it refuses, once it is set."
