"""Small turns of phrase that sentences and captions share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from auditlib.phrases import counted, listed


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 service`, `3 services`, `no services`."""
    return counted(number, noun, plural) if number else f"no {plural or noun + 's'}"


def listing(names: Iterable[str], limit: int = 5) -> str:
    """`a, b and c`; beyond the limit `a, b and 7 more`."""
    return listed(names, limit) or "none"


def day(moment: date) -> str:
    """`3 February 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]
