"""Migrations end at an address with a per cent sign.

Alembic keeps its options by Python's `configparser`, where `%` begins a reference to another option. A password with a
special character stands in an address as `%40` or the like: `set_main_option` refuses it with `invalid interpolation
syntax`, and no migration runs. That shows when somebody changes the password, on one host and not on the next.

Anti-pattern:

    config.set_main_option("sqlalchemy.url", settings.database_url)

Better:

    config.set_main_option("sqlalchemy.url", settings.database_url.replace("%", "%%"))

Recommendation:

    Double each `%` of the address, or give it to `create_engine` without Alembic's configuration.

References:

- https://alembic.sqlalchemy.org/en/latest/api/config.html#alembic.config.Config.set_main_option
- https://docs.sqlalchemy.org/en/20/core/engines.html#escaping-special-characters-such-as-signs-in-passwords
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each `env.py` of Alembic that sets the address of the database as it is."""
    for item in inventory.migration_addresses:
        file = item.location.file
        yield Evidence(
            f"{file} gives Alembic the address of the database as it is: with a `%` in it, as each special character "
            "of a password has one there, no migration runs.",
            item.location,
            subject=f"{file}/sqlalchemy.url",
            recommendation=f"Double each `%` of the address in {file}.",
            example=files.into(file, 'config.set_main_option("sqlalchemy.url", str(<the address>).replace("%", "%%"))'),
        )
