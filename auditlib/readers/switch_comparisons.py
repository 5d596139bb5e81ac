"""Reads where code compares a variable with one spelling of yes, and with no other.

Sources: https://docs.python.org/3/library/os.html#os.getenv and https://nodejs.org/api/process.html#processenv. Only a
variable that is compared as it is counts; `.lower()` before the comparison takes more spellings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.configuration import SwitchComparison
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

KIND = "switch"
_SUFFIXES = (".py", ".js", ".mjs", ".cjs", ".ts")
_YES = r"""\s*===?\s*["'](?P<value>[Tt]rue|TRUE|1|yes|on)["']"""
_PYTHON = regex(
    r"""(?:getenv|environ\.get)\(\s*["'](?P<name>\w{1,100})["'][^()\n]{0,60}\)""" + _YES
    + r"""|environ\[["'](?P<item>\w{1,100})["']\]"""
    + _YES.replace("value", "other")
)  # fmt: skip
_SCRIPT = regex(r"process\.env\.(?P<name>\w{1,100})" + _YES)


def read(source: Source) -> Reading:
    """Every such comparison of Python, JavaScript and TypeScript, tests left out."""
    files = [path for path in source.files if path.endswith(_SUFFIXES) and not is_test(path) and _says_so(source, path)]
    return Reading(each(source, files, KIND, _read).records, [])


def _says_so(source: Source, path: str) -> bool:
    try:
        text = source.text(path)
    except Unreadable:
        return False
    return ("environ" in text or "getenv" in text) if path.endswith(".py") else "process.env." in text


def _read(source: Source, path: str) -> Iterator[Any]:
    pattern = _PYTHON if path.endswith(".py") else _SCRIPT
    for number, line in enumerate(source.lines(path), 1):
        for match in pattern.finditer(line[:1_000]) if "==" in line else ():
            found = match.groupdict()
            name, value = found["name"] or found.get("item"), found["value"] or found.get("other")
            yield SwitchComparison(str(name), str(value), Location(path, number, match.start() + 1))
