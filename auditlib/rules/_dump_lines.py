"""What writes all of a database to the output, inside its container, with the login that this holds."""

from __future__ import annotations

from auditlib.conventions.images import Product
from auditlib.inventory.stack import Service

_DUMPS = {
    "PostgreSQL": ('pg_dumpall -U "${POSTGRES_USER:-postgres}"', {}),
    "MySQL": ("mysqldump --all-databases", {"MYSQL_ROOT_PASSWORD": "-uroot -p"}),
    "MariaDB": (
        "mariadb-dump --all-databases", {"MARIADB_ROOT_PASSWORD": "-uroot -p", "MYSQL_ROOT_PASSWORD": "-uroot -p"}
    ),
    "MongoDB": (
        "mongodump --archive",
        {"MONGO_INITDB_ROOT_PASSWORD": '--authenticationDatabase admin -u "$MONGO_INITDB_ROOT_USERNAME" -p '},
    ),
}  # fmt: skip
"""By product what writes all of it to the output, inside its container, and how it logs in with which variable."""
_NEVER_OPEN = ("MySQL", "MariaDB")
"""Products whose images demand a password of their administrator."""


def command(store: Service, product: Product) -> str:
    """What dumps it, with the login that its container holds; empty where that isn't known."""
    if "bitnami" in store.image:  # it asks for a password inside too, and has variables of its own
        return ""
    name = "MariaDB" if "mariadb" in store.image else product.name
    dump, logins = _DUMPS.get(name, ("", {}))
    given = {entry.name for entry in store.environment}
    for variable, login in logins.items():
        for key, value in ((variable, f"${variable}"), (f"{variable}_FILE", f'$(cat "${variable}_FILE")')):
            if key in given:
                return f'{dump} {login}"{value}"'
    if logins and store.env_files:  # the variables stand in a file that may not be here
        variable, login = next(iter(logins.items()))
        return f'{dump} {login}"${variable}"'
    return "" if name in _NEVER_OPEN else dump
