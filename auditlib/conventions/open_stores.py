"""Data stores that ask nobody for a password, as far as Compose shows what they are told.

Sources: https://hub.docker.com/_/redis, https://hub.docker.com/_/mongo,
https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/security-settings and
https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/.
"""

from __future__ import annotations

from auditlib.conventions import images, mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service

_REDIS = frozenset({"redis", "valkey/valkey"})
_SEARCH = frozenset({"elasticsearch", "elasticsearch/elasticsearch", "opensearchproject/opensearch"})
_OFF = {"xpack.security.enabled": "false", "plugins.security.disabled": "true", "DISABLE_SECURITY_PLUGIN": "true"}
"""Variables of search engines, with the value that switches logins off."""
_FILES = (".conf", ".yml", ".yaml")


def asks_nobody(inventory: Inventory, service: Service) -> bool:
    """Whether a published image runs with nothing that makes it ask: no option, no variable, no file of settings."""
    name = images.repository(service.image).removeprefix("docker.elastic.co/") if service.build is None else ""
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
    """The variable that switches the logins of a search engine off."""
    return next((entry for entry in service.environment if entry.value
                 and entry.value.text.lower() == _OFF.get(entry.name)), None)  # fmt: skip
