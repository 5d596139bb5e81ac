"""Which variables of an environment file a service has any use for, as far as its files or its image's page tell.

Sources: the environment variables that the pages of the images document (https://hub.docker.com), those of Grafana
https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#override-configuration-with-environment-variables,
of exporters their README. The libraries for a cloud read the variables of its logins by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditlib.conventions import images, programs, secrets
from auditlib.conventions.programs import Program
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.redaction import is_credential_name

_PREFIXES: dict[str, tuple[str, ...]] = {
    "postgres": ("POSTGRES_", "PG"), "postgis/postgis": ("POSTGRES_", "PG"), "pgvector/pgvector": ("POSTGRES_", "PG"),
    "mysql": ("MYSQL_",), "mariadb": ("MYSQL_", "MARIADB_"), "mongo": ("MONGO_",), "redis": (), "valkey/valkey": (),
    "memcached": (), "rabbitmq": ("RABBITMQ_",), "prom/prometheus": (), "prom/node-exporter": (),
    "mailhog/mailhog": ("MH_",), "axllent/mailpit": ("MP_",), "adminer": ("ADMINER_",), "qdrant/qdrant": ("QDRANT__",),
    "chromadb/chroma": ("CHROMA_", "ANONYMIZED_TELEMETRY", "IS_PERSISTENT", "PERSIST_DIRECTORY", "ALLOW_RESET"),
    "minio/minio": ("MINIO_",), "minio/mc": ("MC_",), "prom/alertmanager": (), "prom/blackbox-exporter": (),
    **{f"grafana/grafana{edition}": ("GF_", "AWS_", "AZURE_") for edition in ("", "-oss", "-enterprise")},
    "grafana/loki": ("AWS_", "AZURE_", "GOOGLE_"), "grafana/promtail": (), "certbot/certbot": ("AWS_",),
    "prometheuscommunity/postgres-exporter": ("DATA_SOURCE_", "PG"), "oliver006/redis_exporter": ("REDIS_",),
    "cadvisor/cadvisor": (),
}  # fmt: skip
"""By image: how the variables begin that it reads. Images that put any variable into what they serve aren't here."""
_EXPAND_NOTHING = frozenset({"prom/alertmanager", "prom/blackbox-exporter", "cadvisor/cadvisor"})
"""Images that put no variable into the files that they are given."""
SYSTEM = ("TZ", "LANG", "PATH", "HOME")
"""Variables that any program reads."""


def credentials(names: Iterable[str]) -> tuple[str, ...]:
    """The names among these that are those of credentials, and of none that every visitor sees."""
    return tuple(name for name in names if is_credential_name(name) and not secrets.is_public(name))


def of_file(inventory: Inventory, path: str) -> tuple[str, ...]:
    """The variables of an environment file; of one that the repository lacks those of its template beside it."""
    own = [file for file in inventory.env_files if file.path == path]
    templates = [file for file in inventory.env_files if file.copied_to == path]
    lines = [line for file in (own or templates)[:1] for line in file.lines]
    return tuple(dict.fromkeys(line.name for line in lines if not line.commented and not line.malformed))


def is_known_image(service: Service) -> bool:
    """Whether the variables are known that a service's image reads."""
    return service.build is None and images.repository(service.image) in _PREFIXES


def read_by_image(inventory: Inventory, service: Service, names: Iterable[str]) -> set[str]:
    """The variables that an image of others reads, or that what it is told or mounts names."""
    image = images.repository(service.image)
    prefixes = (*_PREFIXES[image], *SYSTEM)
    takes = bool(service.entrypoint) or image not in _EXPAND_NOTHING
    sources = tuple(mount.source for mount in service.mounts if takes and mount.kind == "bind" and not mount.outside)
    mounted = {
        name for item in (inventory.named_variables if sources else ()) for name in item.names
        if any(item.path == source or item.path.startswith(f"{source.rstrip('/')}/") for source in sources)
    }  # fmt: skip
    text = _text(service)
    return {name for name in names if name.startswith(prefixes) or name in text or name.lower() in mounted}


def read_in_part(inventory: Inventory) -> list[str]:
    """The files of code that read their environment by names of which not all are known."""
    return [entry.file for entry in inventory.coverage if entry.kind == "settings code" and entry.reason]


def is_read_completely(program: Program, in_part: list[str]) -> bool:
    """Whether all that a program reads of its environment is known by name."""
    return bool(program.settings or program.serves) and not program.foreign and not any(map(program.holds, in_part))


def read_by_program(program: Program, names: Iterable[str]) -> set[str]:
    """The variables that code, command or a library of a program names."""
    known = {variable.lower() for item in program.settings for variable in (item.name, *item.aliases)} | program.named
    text = _text(program.service)
    return {name for name in names if name.lower() in known or name in text or programs.is_read_by_libraries(name)}


def _text(service: Service) -> str:
    """What a service is told in words: command, health check, other variables that are made of it."""
    probe = service.healthcheck.test if service.healthcheck else ()
    return " ".join((*service.entrypoint, *service.command, *probe))
