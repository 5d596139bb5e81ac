"""Where code of JavaScript, Go or Laravel tells environments apart by a list of names: `switch`, `environment([…])`.

Follows https://laravel.com/docs/configuration#determining-the-current-environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.settings.branches import VARIABLE

_SWITCH = regex(
    r"\bswitch\s*\(?\s*(?:\w{1,60}\s*:=\s*)?(?:strings\.ToLower\(\s*)?(?:process\.env\.(?P<name>\w{1,60})|"
    r"[\w.]{1,60}\(\s*\"(?P<asked>[A-Z][A-Z0-9_]{1,60})\"(?:\s*,\s*\"[^\"\n]{0,60}\")?\s*\))"
    r"(?:\??\.to(?:Lower|Upper)Case\(\))?\s*\)*(?:\s*;\s*(?:strings\.ToLower\()?\w{1,60}\)?)?\s*\{"
)
"""In Go what is looked up may be kept first: `switch env := getEnv("APP_ENV", "development"); env {`."""
_CASE = regex(r"\bcase\s+(?P<values>[\"'][\w-]{1,40}[\"'](?:\s*,\s*[\"'][\w-]{1,40}[\"']){0,20})\s*:")
_ASKED = regex(
    r"(?:\bApp::|\bapp\(\)->|\$(?:this->)?app->)environment\(\s*(?P<values>\[?\s*(?:[\"'][\w-]{1,40}[\"']\s*(?:,\s*)?){1,20})"
)
_VALUE = regex(r"[\"']([\w-]{1,40})[\"']")
_LENGTH = 3_000
_COMPARED = regex(
    r"""\b(?P<holder>\w{1,60})\b"""
    r"""\s{0,3}(?:[!=]==?\s{0,3}|\.equals\(\s{0,3}|\.Equals\(\s{0,3})["']"""
    r"""(?P<value>prod(?:uction)?|dev(?:elopment)?|stag(?:e|ing)|test(?:ing)?|local)["']"""
)


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


def comparisons(text: str, holders: Mapping[str, str]) -> Iterator[tuple[str, re.Match[str]]]:
    """The comparisons of what holds the environment's name with one of an environment, by the variable."""
    for match in _COMPARED.finditer(text) if holders else ():
        if match["holder"] in holders:
            yield holders[match["holder"]], match


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
