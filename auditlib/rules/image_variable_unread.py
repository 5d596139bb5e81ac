"""An official image is given a variable that it doesn't read.

The name looks right and nothing complains. `REDIS_PASSWORD` protects no Redis of the official image, which takes its
password from `--requirepass`; `MONGO_PASSWORD` makes no user; `POSTGRES_NAME` makes no database. InfluxDB 2 doesn't
read the variables of version 1, nor does MySQL's exporter since 0.15 its `DATA_SOURCE_NAME`.

Anti-pattern:

    services:
      cache:
        image: redis:7
        environment:
          REDIS_PASSWORD: ${REDIS_PASSWORD}    # the cache asks nobody for a password

Better:

    services:
      cache:
        image: redis:7
        command: ["redis-server", "--requirepass", "${REDIS_PASSWORD:?set it in .env}"]

Recommendation:

    Use the variable or option that the image documents, and remove the one that it doesn't read.

References:

- https://hub.docker.com/_/redis
- https://hub.docker.com/_/postgres
- https://hub.docker.com/_/mongo
- https://hub.docker.com/_/rabbitmq
- https://hub.docker.com/_/influxdb
- https://github.com/prometheus/mysqld_exporter/blob/main/CHANGELOG.md
- https://www.keycloak.org/migration/migrating-to-quarkus
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from auditlib.conventions import image_variables, images, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_MONGO_USER = "MONGO_INITDB_ROOT_USERNAME"
_OF_EXPORTER = """command:
  - --mysqld.address=<host>:3306
  - --mysqld.username=<a user that may read statistics>
environment:
  MYSQLD_EXPORTER_PASSWORD: ${MYSQLD_EXPORTER_PASSWORD:?set it in .env}"""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every well-known image that its own `environment` gives variables which it doesn't read."""
    uses = Counter(item.location for service in inventory.distinct_services for item in service.environment)
    for service in inventory.distinct_services:
        names = image_variables.unread(service.image) if service.build is None else frozenset()
        names = names if services.runs_server(inventory, service) else frozenset()
        own = [item for item in service.environment if _is_own(item, uses) and item.name in names]
        lacks = _lacks_password(service)
        idle = [item for item in own if not _is_named(inventory, service, item.name)]
        idle = [item for item in idle if not (lacks and item.name.endswith(("_PASS", "_PASSWORD")))]
        if idle:
            yield _evidence(service, sorted(idle, key=lambda item: item.location))


def _is_own(item: EnvironmentEntry, uses: Counter[Location]) -> bool:
    """Whether a variable is written for one service alone: in its own mapping, or as the password of a file."""
    return uses[item.location] == 1 and (item.origin == "environment" or "PASS" in item.name)


def _lacks_password(service: Service) -> bool:
    """Whether the image refuses to start for want of a variable, which is another rule's matter."""
    needed = image_variables.needed(service.image)
    return bool(needed) and not {item.name for item in service.environment} & set(needed)


def _is_named(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether the command, the health check, or a script that is mounted uses the variable."""
    words = [*service.entrypoint, *service.command, *(service.healthcheck.test if service.healthcheck else ())]
    scripts = [item for item in inventory.scripts if mounts.path_inside(service, item.path)]
    named = [item.names for item in inventory.named_variables if mounts.path_inside(service, item.path)]
    return (
        any(re.search(rf"\b{name}\b", word) for word in words)
        or any(name.lower() in names for names in named)
        or any(name in word for script in scripts for command in script.commands for word in command.words)
    )


def _evidence(service: Service, idle: list[EnvironmentEntry]) -> Evidence:
    first, *others = idle
    names = listed(item.name for item in idle)
    open_door = any("PASS" in item.name for item in idle)
    idle_exporter = first.name == "DATA_SOURCE_NAME" and _knows_no_login(service)
    refuses = any(image_variables.refuses(service.image, item.name) for item in idle)
    asks_nobody = open_door and ("redis" in service.image or _lets_everybody_in(service))
    return Evidence(
        f"{service.name} is given {names}, which the image {service.image} doesn't read"
        f"{': it is as open as without a password' if asks_nobody else ''}"
        f"{': it finds no login for its server, and stops' if idle_exporter else ''}"
        f"{': it refuses to start while it is given any' if refuses else ''}.",
        first.location,
        subject=f"{service.name}/{'/'.join(item.name for item in idle)}",
        service=service.name,
        related=tuple(Related(item.location, f"{item.name} isn't read either", member=True) for item in others),
        recommendation=f"Remove {names} from {service.name}, or use the names that {service.image} documents.",
        severity=Severity.HIGH if refuses else Severity.MEDIUM if open_door or idle_exporter else None,
        example=compose_lines.of_service(service, _lines(service, idle)),
    )


def _knows_no_login(service: Service) -> bool:
    """Whether an exporter is given its server's login in no other way: by options, or by a file."""
    words = " ".join((*service.entrypoint, *service.command))
    told = "my-cnf" in words or "mysqld.username" in words
    return not (told or service.configs or service.secrets or any("my.cnf" in item.target for item in service.mounts))


def _lines(service: Service, idle: list[EnvironmentEntry]) -> str:
    """What the image reads instead, or which variables to leave out."""
    if idle[0].name == "DATA_SOURCE_NAME":
        return _OF_EXPORTER
    if images.repository(service.image) == "danielqsj/kafka-exporter":
        return "command: [--kafka.server=<host>:9092]\n# without " + listed(item.name for item in idle)
    password = next((item.name for item in idle if "PASS" in item.name), "")
    if password and images.repository(service.image) == "redis":
        command = f'command: ["redis-server", "--requirepass", "${{{password}:?set it in .env}}"]'
        return f"{command}\n# and the password in the addresses of its clients"
    lines = [_line(service.image, item) for item in idle]
    given = {item.name for item in service.environment}
    login = any(line.startswith("MONGO_INITDB_ROOT_PASSWORD") for line in lines)
    named = _MONGO_USER in given or any(line.startswith(_MONGO_USER) for line in lines)
    if login and not named:
        lines.insert(0, f"{_MONGO_USER}: <a user>  # without which the image refuses the password")
    told = "\n# and the login in the addresses of its clients; a volume keeps the users it has" if login else ""
    return "environment:" + "".join(f"\n  {line}" for line in lines) + told


def _line(image: str, item: EnvironmentEntry) -> str:
    name = image_variables.meant(image, item.name)
    plain = item.value and not item.value.secret and not item.variables
    value = item.value.text if item.value and plain else f"${{{item.name}:?set it in .env}}"
    return f"{name}: {value}      # in place of {item.name}" if name else f"# without {item.name}"


def _lets_everybody_in(service: Service) -> bool:
    """Whether MongoDB is given no first user, without which it asks nobody for a password."""
    given = {item.name for item in service.environment}
    told = service.command or service.entrypoint or any(name.startswith("MONGO_INITDB_ROOT_") for name in given)
    return "mongo" in service.image and not told
