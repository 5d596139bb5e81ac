"""The settings module that is named isn't there.

Django imports the module of `DJANGO_SETTINGS_MODULE` at the start. Where the repository lacks it, the start ends with
an import error. A folder without `__init__.py` is worse: Python takes it for an empty package, and Django finds no
setting at all.

Anti-pattern:

    # pytest.ini, beside shop/settings/base.py and shop/settings/test.py
    [pytest]
    DJANGO_SETTINGS_MODULE = shop.settings

Better:

    [pytest]
    DJANGO_SETTINGS_MODULE = shop.settings.test

Recommendation:

    Name the module that holds the settings for this purpose.

References:

- https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings
- https://pytest-django.readthedocs.io/en/latest/configuring_django.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import django, git_ignores
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import DJANGO_MODULE, SettingsModule
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each module of Django's settings that some place names and no file of the repository is."""
    places: defaultdict[str, list[Location]] = defaultdict(list)
    for item in _named(inventory):
        places[item.module].append(item.location)
    for module, found in places.items():
        if django.of_module(inventory, module):
            continue
        path = module.replace(".", "/")
        if _is_left_out(inventory, path):
            continue
        inside = [file for file in inventory.files if _is_inside(file, path)]
        package = path.partition("/")[0]
        if inside:
            yield _evidence(module, found, inside)
        elif any(f"/{package}/" in f"/{file}" for file in inventory.files if file.endswith(".py")):
            yield _evidence(module, found, [])


def _is_left_out(inventory: Inventory, path: str) -> bool:
    """Whether a module would lie where Git leaves it out: each developer and host has one of its own."""
    package = path.partition("/")[0]
    homes = {file.partition(f"{package}/")[0] for file in inventory.files if f"/{package}/" in f"/{file}"}
    return any(git_ignores.left_out_by(inventory, f"{home}{path}.py") for home in homes)


def _named(inventory: Inventory) -> Iterator[SettingsModule]:
    yield from inventory.settings_modules
    for service in inventory.distinct_services:
        for entry in service.environment:
            if entry.name == DJANGO_MODULE and entry.value:
                yield SettingsModule(entry.value.text, entry.location)


def _is_inside(file: str, path: str) -> bool:
    return f"/{posixpath.dirname(file)}".endswith(f"/{path}") and file.endswith(".py")


def _evidence(module: str, places: list[Location], inside: list[str]) -> Evidence:
    first, *others = places
    parts = [posixpath.basename(file).removesuffix(".py") for file in inside]
    why = (
        f"a folder without __init__.py: Python finds no setting in it, only the modules {listed(sorted(parts), 4)}"
        if inside else "which the repository lacks, unless something makes it before"
    )  # fmt: skip
    wanted = f"{module}.<{' or '.join(sorted(parts)[:4])}>" if inside else "<the module with the settings>"
    return Evidence(
        f"{first.file} names {module} as the module of Django's settings, {why}.",
        first,
        subject=module,
        related=(
            *(Related(place, f"names {module} too", member=True) for place in others),
            *(Related(Location(file), "holds settings") for file in inside[:4]),
        ),
        recommendation="Name the module that holds the settings for this purpose.",
        confidence=None if inside else Confidence.MEDIUM,
        example=files.into(first.file, _named_in(first.file, wanted)),
    )


def _named_in(file: str, module: str) -> str:
    """How a file of its kind names the module."""
    if file.endswith(".py"):
        return f'os.environ.setdefault("{DJANGO_MODULE}", "{module}")'
    return f"{DJANGO_MODULE}: {module}" if file.endswith((".yml", ".yaml")) else f"{DJANGO_MODULE} = {module}"
