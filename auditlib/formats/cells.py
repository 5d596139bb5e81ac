"""Cells of CSV that a spreadsheet opens as what they are."""

from __future__ import annotations

from auditlib.formats import visible

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: object) -> object:
    """A cell's value: text that a spreadsheet would run as a formula is marked as text, control characters are spelled.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not isinstance(value, str):
        return value
    text = "\n".join(map(visible, value.split("\n")))
    return f"'{text}" if text.startswith(_FORMULA) else text
