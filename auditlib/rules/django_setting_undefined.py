"""Code asks Django for a setting that no settings module defines.

`settings.NAME` raises AttributeError where the line runs: the page answers 500, the task fails. Nothing checks such
names at the start.

Anti-pattern:

    # views.py, and no settings module has VERSION
    return JsonResponse({"version": settings.VERSION})

Better:

    # settings.py
    VERSION = os.environ.get("VERSION", "unknown")

Recommendation:

    Define the setting in the module that all others build on, or ask with `getattr(settings, "NAME", default)`.

References:

- https://docs.djangoproject.com/en/stable/topics/settings/#using-settings-in-python-code
- https://docs.djangoproject.com/en/stable/topics/settings/#creating-your-own-settings
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import UndefinedSetting
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every such setting, with all files that ask for it."""
    found: defaultdict[str, list[UndefinedSetting]] = defaultdict(list)
    for item in inventory.undefined_settings:
        found[item.name].append(item)
    homes = [item.location.file for item in inventory.django_settings if item.main]
    for name, (first, *others) in found.items():
        yield Evidence(
            f"{first.location.file} asks for settings.{name}, which {listed(homes, limit=3) or 'no settings module'} "
            "and what lies beside it don't define: the line fails, unless an installed application sets it.",
            first.location,
            subject=name,
            related=tuple(Related(item.location, "asks for it too", member=True) for item in others),
            recommendation=f"Define {name} in {homes[0] if homes else 'the settings'}.",
            example=files.into(homes[0] if homes else "settings.py", f"{name} = <its value>"),
        )
