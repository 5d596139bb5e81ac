"""Modules of settings: the files that they are, and which of them the services run with.

Follows https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings.
"""

from __future__ import annotations

from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import DJANGO_MODULE
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_WITHOUT_OLD_STORAGE = regex(r"(?:^|[=~^>\s])(?:5\.[1-9]|[6-9]\b|[1-9]\d)")


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


def stores_away(inventory: Inventory, service: Service) -> bool:
    """Whether the settings that a service runs with send users' files to an object store: its volumes get none."""
    known = {item.location.file: item.stores_away for item in inventory.django_settings if item.stores_away}
    modules = [entry.value.text for entry in service.environment if entry.name == DJANGO_MODULE and entry.value]
    told = {known.get(path, "") for module in (modules if known else ()) for path in of_module(inventory, module)}
    return "STORAGES" in told or ("DEFAULT_FILE_STORAGE" in told and not _ignores_old_storage(inventory))


def _ignores_old_storage(inventory: Inventory) -> bool:
    """Whether Django may be of a release without `DEFAULT_FILE_STORAGE`
    (https://docs.djangoproject.com/en/5.1/releases/5.1/#features-removed-in-5-1)."""
    needs = (item for manifest in inventory.manifests for item in manifest.requirements if item.name == "django")
    return any(_WITHOUT_OLD_STORAGE.search(item.constraint) for item in needs)
