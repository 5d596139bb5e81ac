"""How texts count and name things."""

from __future__ import annotations

from collections.abc import Iterable


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 service`, `3 services`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def specified(name: str, kind: str) -> str:
    """`db (PostgreSQL)`; `redis` alone, which says what it is."""
    return name if name.casefold() == kind.casefold() else f"{name} ({kind})"


def listed(names: Iterable[str], limit: int = 6) -> str:
    """`a`, `a and b`, `a, b and c`; of more than `limit` the first ones and how many more there are."""
    items = list(dict.fromkeys(names))
    if len(items) > limit:
        kept = max(limit - 1, 1)
        return f"{', '.join(items[:kept])} and {len(items) - kept} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def first_sentence(text: str) -> str:
    """The first of several sentences, without its full stop."""
    return text.strip().partition(". ")[0].rstrip(".")
