"""Functions that take a secret as an argument without a name, as patterns of their arguments."""

from __future__ import annotations

from auditlib.secret_spans.programs import STRING

_FIRST = r"""\s*["'][^"'\n]*["']\s*,\s*"""
CALLS: dict[str, str] = {
    "basicauth(": _FIRST + STRING,
    "auth=(": _FIRST + STRING,
    ".auth(": _FIRST + STRING,
    ".login(": _FIRST + STRING,
    "createhmac(": _FIRST + STRING,
    "jwt.": rf"(?:sign|verify|encode|decode)\([^\"'\n]{{0,100}},\s*{STRING}",
    "btoa(": r"""\s*["'`][^"'`:\n]*:(?P<value>[^"'`\n]+)["'`]""",
    "set_password(": rf"\s*{STRING}",
    "compare_digest(": rf"[^\"'\n]{{0,100}},\s*{STRING}",
}
"""What follows the name of a function and its bracket."""
