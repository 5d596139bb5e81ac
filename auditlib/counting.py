"""How texts count things."""

from __future__ import annotations


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 service`, `3 services`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
