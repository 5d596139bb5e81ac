"""The servers of programs in Go that wait without an end, and those that nothing ends in order."""

from __future__ import annotations

from auditlib.conventions import code_traits, published_ports
from auditlib.conventions.code_traits import Use
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once

_FRAMEWORKS = frozenset({"gin's Run", "echo's Start", "fiber's Listen"})
"""What serves a program's users, and not its metrics."""


@answered_once
def untimed(inventory: Inventory) -> list[Use]:
    """The servers without a limit of time for reading: those that others reach, else those that a framework starts."""
    limited = {item.location.file for item in inventory.code_traits if item.kind == "go timeouts"}
    found = [use for use in code_traits.of(inventory, "go server") if use.trait.location.file not in limited]
    reached = code_traits.where(found, published_ports.is_exposed)
    return reached or [use for use in found if use.trait.word in _FRAMEWORKS]


def unended(inventory: Inventory, kinds: tuple[str, ...], endings: tuple[str, ...]) -> list[Use]:
    """The servers in code of which nothing handles SIGTERM, with the services that run them."""
    found = code_traits.of(inventory, *kinds)
    ends = [use for use in code_traits.of(inventory, "ends") if use.trait.location.file.endswith(endings)]
    minded = {item.key for use in ends for item in use.services}
    return code_traits.where(found, lambda item: item.key not in minded) if found else []
