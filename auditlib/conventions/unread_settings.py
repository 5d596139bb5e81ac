"""Which settings a program declares and never reads.

Follows https://docs.pydantic.dev/latest/concepts/pydantic_settings/ for what a field of a settings class is, and
https://docs.pydantic.dev/latest/concepts/serialization/ for the ways in which code takes all of them at once.
"""

from __future__ import annotations

from collections import defaultdict

from auditlib.conventions import programs
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting


def unread(inventory: Inventory) -> list[Setting]:
    """The fields of settings classes that no code names, of classes of which it does name another one.

    None where code takes all fields at once or computes their names: then nobody knows which it reads.
    """
    if any(item.whole for item in inventory.setting_uses):
        return []
    named = {name for item in inventory.setting_uses for name in item.names}
    classes: defaultdict[tuple[str, str], list[Setting]] = defaultdict(list)
    for setting in inventory.settings:
        if setting.style == "pydantic" and not programs.is_aside(setting):
            classes[setting.location.file, setting.attribute.rpartition(".")[0]].append(setting)
    found: list[Setting] = []
    for fields in classes.values():
        unused = [item for item in fields if _field(item) not in named]
        found += unused if len(unused) < len(fields) else []
    return found


def _field(setting: Setting) -> str:
    return setting.attribute.rpartition(".")[2]
