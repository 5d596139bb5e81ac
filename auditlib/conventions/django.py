"""Modules of settings: the files that they are, and which of them the services run with.

Follows https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings.
"""

from __future__ import annotations

from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import DJANGO_MODULE


def selected(inventory: Inventory) -> frozenset[str]:
    """The files of settings that services name outright, apart from what is said for development alone."""
    named = {
        entry.value.text
        for service in inventory.deployed_services if not environments.only_for_development(service)
        for entry in service.environment
        if entry.name == DJANGO_MODULE and entry.value is not None and not entry.variables
        and not environments.is_for_development(entry.location.file)
    }  # fmt: skip
    return frozenset(path for module in named for path in of_module(inventory, module))


def of_module(inventory: Inventory, module: str) -> list[str]:
    """The files that a module or a package may be, by the ends of their paths."""
    path = module.replace(".", "/")
    name, ends = path.rpartition("/")[2], (f"/{path}.py", f"/{path}/__init__.py")
    known = (*inventory.files_by_name.get(f"{name}.py", ()), *inventory.files_by_name.get("__init__.py", ()))
    return [item for item in known if f"/{item}".endswith(ends)]
