"""Cells of CSV that a spreadsheet opens as what they are."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: object) -> object:
    """Text that a spreadsheet would run as a formula is marked as text (https://owasp.org/www-community/attacks/CSV_Injection)."""
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else value
