"""A declared secret is given to no service.

Compose mounts a secret only into the services that list it. One that none lists is left over, or the sign that a
service takes its password from somewhere else than everybody believes: from a variable, or from a default.

Anti-pattern:

    services:
      db:
        image: postgres:17.2
        environment: {POSTGRES_PASSWORD: "${POSTGRES_PASSWORD}"}
    secrets:
      db_password: {file: ./secrets/db_password.txt}

Better:

    services:
      db:
        image: postgres:17.2
        environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db_password}
        secrets: [db_password]
    secrets:
      db_password: {file: ./secrets/db_password.txt}

Recommendation:

    List the secret in the service that it was meant for, or remove its declaration.

References:

- https://docs.docker.com/compose/how-tos/use-secrets/
- https://docs.docker.com/reference/compose-file/secrets/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _unused
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project one finding for all secrets that neither a service nor a build of it is given."""
    declared = [item for item in inventory.file_objects if item.kind == "secret"]
    if declared:
        yield from _unused.findings(inventory, "secret", "is given", declared, _given)


def _given(service: Service) -> tuple[str, ...]:
    return (*service.secrets, *(service.build.secrets if service.build else ()))
