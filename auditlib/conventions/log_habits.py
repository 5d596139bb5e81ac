"""What code of programs in operation says of how they log."""

from __future__ import annotations

from collections import defaultdict

from auditlib import stages
from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogHabit
from auditlib.patterns import regex

_OF_TOOLS = regex(r"(?:^|[/_-])(?:cli|ctl|tools?|scripts?|hack|migrat(?:e|ions?)|seeds?)(?:[/_.-]|$)")
"""Programs that people start at a terminal."""


def in_operation(inventory: Inventory, kind: str) -> dict[str, list[LogHabit]]:
    """By product the habits of a kind, but for those in files for development."""
    found: defaultdict[str, list[LogHabit]] = defaultdict(list)
    for item in inventory.log_habits:
        path = item.location.file
        aside = environments.is_for_development(path) or stages.is_for_development(path) or _OF_TOOLS.search(path)
        if item.kind == kind and not aside:
            found[item.product].append(item)
    return dict(found)
