"""Small turns of phrase that sentences and captions share."""

from __future__ import annotations

from collections.abc import Iterable

from auditlib.counting import counted


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 service`, `3 services`, `no services`."""
    return counted(number, noun, plural) if number else f"no {plural or noun + 's'}"


def listing(names: Iterable[str], limit: int = 5) -> str:
    """`a, b and c`; beyond the limit `a, b and 7 more`."""
    items = list(dict.fromkeys(names))
    if len(items) > limit:
        items = [*items[: limit - 1], f"{len(items) - limit + 1} more"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]
