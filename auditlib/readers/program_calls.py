"""The programs that code starts by a name that stands in it, in Python, JavaScript and Go.

Follows https://docs.python.org/3/library/subprocess.html, https://nodejs.org/api/child_process.html and
https://pkg.go.dev/os/exec. A file that asks whether the program is there (`shutil.which`) gives none, and a call in
Python none whose failure ends in a plain answer (`except Exception: return "unknown"`).
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from msgspec.structs import replace

from auditlib.inventory.code import ProgramCall
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.reading import Reading, location_at
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

_NAME = r"[\"'](?P<name>[a-z][\w.+-]{1,30})[\"']"
_LIST = r"[\"'](?P<listed>[a-z][\w.+-]{1,30})[\"']"
_JAVASCRIPT = regex(rf"\b(?:spawn|spawnSync|execFile|execFileSync)\(\s*{_NAME}")
_CALLS = {
    ".py": (
        "subprocess",
        regex(
            rf"(?:\b(?:run|Popen|call|check_call|check_output)\(|\b(?:cmd|command|args)\s*=)\s*\[\s*{_LIST}|"
            rf"create_subprocess_exec\(\s*{_NAME}"
        ),
    ),
    ".js": ("child_process", _JAVASCRIPT),
    ".ts": ("child_process", _JAVASCRIPT),
    ".go": ('"os/exec"', regex(rf"\bexec\.Command(?:Context)?\((?:\w+,\s*)?{_NAME}")),
}
"""By the ending of code what shows that it starts programs, and how."""
_ASKS = regex(r"\bwhich\(|LookPath\(|FileNotFoundError|ENOENT")
_COMMENT = regex(r"(?m)^[ \t]*(?:#|//|\*)[^\n]*")
_NAMING = frozenset({*_CALLS, ".mjs", ".cjs", ".tsx", ".jsx", ".json", ".sh", ".toml", ".cfg", ".ini", ".conf"})
_CATCHES = frozenset({"Exception", "BaseException", "OSError", "FileNotFoundError"})
_COMMON = frozenset({"index", "main", "__init__", "__main__"})
"""Modules that are reached by the names of their folders."""


def read(source: Source) -> Reading:
    """A record for each program of each file, at its first place."""
    reading = Reading()
    for path in source.files:
        ending = posixpath.splitext(path)[1]
        text = source.glance(path) if ending in _CALLS else ""
        if text and _CALLS[ending][0] in text and not is_test(path) and not _ASKS.search(text):
            caught = _caught(source, path) if ending == ".py" and "except" in text else []
            found = _calls(path, _COMMENT.sub("", text), _CALLS[ending][1])
            reading.records += [item for item in found if not any(item.location.line in lines for lines in caught)]
    named = {path: _naming(source, path) for path in {item.location.file for item in reading.records}}
    reading.records = [replace(item, named_by=named[item.location.file]) for item in reading.records]
    return reading


def _calls(path: str, text: str, pattern: re.Pattern[str]) -> Iterator[ProgramCall]:
    told: set[str] = set()
    for match in pattern.finditer(text):
        name = next(filter(None, match.groupdict().values()))
        if name not in told:
            told.add(name)
            yield ProgramCall(name, location_at(path, text, match.start()))


def _caught(source: Source, path: str) -> list[range]:
    """The lines of a file whose failure is caught and answered by nothing but a value."""
    try:
        module = python_code.parse(source, path)
    except Unreadable:
        return []
    tries = (item for item in module.of(ast.Try) if any(_is_answer(handler) for handler in item.handlers))
    return [range(item.lineno, (item.body[-1].end_lineno or item.lineno) + 1) for item in tries]


def _is_answer(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes a program that isn't there for a usual case, and tells nobody."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {item.id for item in kinds if isinstance(item, ast.Name)}
    takes = handler.type is None or not names.isdisjoint(_CATCHES)
    parts = [part for item in handler.body for part in ast.walk(item)]
    return takes and not any(isinstance(part, (ast.Call, ast.Raise, ast.Name)) for part in parts)


def _naming(source: Source, path: str) -> frozenset[str] | None:
    """The other files of code that name a file's module."""
    stem, ending = posixpath.splitext(posixpath.basename(path))
    if stem in _COMMON or ending == ".go" or "/management/commands/" in f"/{path}":
        return None
    word = re.compile(rf"(?<![\w-]){re.escape(stem)}(?![\w-])")
    others = (item for item in source.files if posixpath.splitext(item)[1] in _NAMING and item != path)
    return frozenset(item for item in others if stem in (text := source.glance(item)) and word.search(text))
