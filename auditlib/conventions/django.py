"""Which module of settings the services run with.

Follows https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings.
"""

from __future__ import annotations

from auditlib.conventions import environments
from auditlib.inventory import Inventory

MODULE_VARIABLE = "DJANGO_SETTINGS_MODULE"


def selected(inventory: Inventory) -> frozenset[str]:
    """The files of settings that services name outright, apart from what is said for development alone."""
    named = {
        entry.value.text
        for service in inventory.deployed_services if not environments.only_for_development(service)
        for entry in service.environment
        if entry.name == MODULE_VARIABLE and entry.value is not None and not entry.variables
        and not environments.is_for_development(entry.location.file)
    }  # fmt: skip
    return frozenset(path for module in named for path in of_module(inventory, module))


def of_module(inventory: Inventory, module: str) -> list[str]:
    """The files that a module may be, by the ends of their paths."""
    path = f"{module.replace('.', '/')}.py"
    known = inventory.files_by_name.get(path.rpartition("/")[2], ())
    return [item for item in known if f"/{item}".endswith(f"/{path}")]
