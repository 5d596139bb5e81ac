"""Where code of JavaScript, Go or Laravel tells environments apart by a list of names: `switch`, `environment([…])`.

Follows https://laravel.com/docs/configuration#determining-the-current-environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.settings.branches import VARIABLE

_SWITCH = regex(
    r"\bswitch\s*\(?\s*(?:strings\.ToLower\(\s*)?(?:process\.env\.(?P<name>\w{1,60})|"
    r"os\.Getenv\(\s*\"(?P<asked>\w{1,60})\"\s*\))(?:\??\.to(?:Lower|Upper)Case\(\))?\s*\)*\s*\{"
)
_CASE = regex(r"\bcase\s+(?P<values>[\"'][\w-]{1,40}[\"'](?:\s*,\s*[\"'][\w-]{1,40}[\"']){0,20})\s*:")
_ASKED = regex(
    r"(?:\bApp::|\bapp\(\)->|\$(?:this->)?app->)environment\(\s*(?P<values>\[?\s*(?:[\"'][\w-]{1,40}[\"']\s*(?:,\s*)?){1,20})"
)
_VALUE = regex(r"[\"']([\w-]{1,40})[\"']")
_LENGTH = 3_000


def read(path: str, text: str) -> Iterator[EnvironmentBranch]:
    """The branches of a file, each with its names; a name with a star stands for several and is left out."""
    for match in _SWITCH.finditer(text) if "switch" in text else ():
        name = match["name"] or match["asked"]
        body = text[match.end() : _end(text, match.end())]
        values = tuple(value for case in _CASE.finditer(body) for value in _VALUE.findall(case["values"]))
        if values and VARIABLE.fullmatch(name):
            yield EnvironmentBranch(name, values, (), _place(path, text, match))
    for match in _ASKED.finditer(text) if "environment(" in text and path.endswith(".php") else ():
        yield EnvironmentBranch("APP_ENV", tuple(_VALUE.findall(match["values"])), (), _place(path, text, match))


def _end(text: str, start: int) -> int:
    """Where the block ends that begins at a position, by its brackets."""
    depth = 1
    for found in re.finditer(r"[{}]", text[start : start + _LENGTH]):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return start + found.start()
    return start + _LENGTH


def _place(path: str, text: str, match: re.Match[str]) -> Location:
    begin = text.rfind("\n", 0, match.start()) + 1
    return Location(path, text.count("\n", 0, begin) + 1, match.start() - begin + 1)
