"""Schemas by which JavaScript and TypeScript check the whole environment at once: zod, Joi, envalid and t3-env.

Follows https://zod.dev/api, https://joi.dev/api/, https://github.com/af/envalid#api and https://env.t3.gg/docs. An
entry ends where a comma or a bracket of its own level stands; what a schema demands counts only where the file fails.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from auditlib.inventory.configuration import Setting
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.redaction import Vault

HINT = regex(r"\bz(?:od)?\.\w*[oO]bject\(|\bcleanEnv\(|\b[jJ]oi\.object\b|\bcreateEnv\(")
_STRING = r"""'(?:[^'\\\n]|\\.){0,5000}'|"(?:[^"\\\n]|\\.){0,5000}"|`(?:[^`\\]|\\.){0,5000}`"""
_COMMENT = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/"
_LITERAL = rf"{_STRING}|[-+]?\d[\d_.]*|true\b|false\b"
_OPENING = regex(
    r"(?:(?P<zod>\bz(?:od)?\.(?:o|strictO|looseO)bject\(\s*)|(?P<envalid>\bcleanEnv\(\s*process\.env\s*,\s*)|"
    r"(?P<joi>\b[jJ]oi\.object(?:<[^<>\n]{1,80}>)?\(\s*)|(?P<t3>\bcreateEnv\(\{(?:[^{}]{0,500}?\s)?server\s*:\s*))\{"
)
_NAMED = regex(r"(?P<name>\w{1,80})(?:\s*:[^=\n]{1,100})?\s*=\s*\Z")
_CHECKS = r"\.(?:safeP|p)arse(?:Async)?\(\s*(?:\{[^{}]{0,3000}?)?(?:process|Bun|import\.meta)\.env\b"
_CHECKED = regex(rf"\b(?P<name>\w{{1,80}})\s*{_CHECKS}")
_CHECKED_AT_ONCE = regex(rf"\s*\)[^;]{{0,500}}?{_CHECKS}")
_OF_JOI = regex(r"\bprocess\.env\b|\bvalidationSchema\b")
_FAILS = regex(r"\.parse(?:Async)?\(|\bprocess\.exit\(|\bthrow\b|\bcleanEnv\(|\bcreateEnv\(|\bvalidationSchema\b")
_LENIENT = regex(r"\bskipValidation\b|\.partial\(")
_PART = regex(rf"{_COMMENT}|{_STRING}|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<comma>,)")
_KEY = regex(rf"""\s*(?:(?:{_COMMENT})\s*)*["']?(?P<name>[A-Z][A-Z0-9_]{{1,80}})["']?\s*:\s*""")
_DEFAULT = regex(rf"(?:\.default\(|\bdefault\s*:)\s*(?P<value>{_LITERAL})?")
_CHOICES = regex(
    rf"(?:\.enum\(\s*\[|\.valid\(|\bchoices\s*:\s*\[)\s*(?P<values>(?:(?:{_STRING})\s*(?:,\s*|(?=[\])])))+)[\])]"
)
_TAKES_MORE = regex(r"\.\s*(?:catch|or|preprocess|transform|pipe|union|allow)\(")
"""What takes, or makes, other values than the listed ones."""
_TEXT = regex(_STRING)
_LENGTH = 20_000
_MOST = 300
_MOST_SCHEMAS = 100
_BEFORE = 200


class _Library(Struct, frozen=True):
    """How the entries of a library begin, what makes one a demand, and what takes that back."""

    begins: re.Pattern[str]
    demands: re.Pattern[str]
    waives: re.Pattern[str]


_ZOD = _Library(
    regex(r"z(?:od)?\s*\."),
    regex(r"z(?:od)?\s*\.\s*(?!any\b|unknown\b|undefined\b|null\b|void\b|optional\b|preprocess\b|union\b)"),
    regex(r"\.(?:optional|nullish|catch|or|prefault)\(|\bundefined\b|\.\s*coerce\s*\.\s*(?:boolean|string)\("),
)
_LIBRARIES = {
    "zod": _ZOD,
    "t3": _ZOD,
    "envalid": _Library(
        regex(r"\w+\("),
        regex(r"(?:str|bool|num|email|host|port|url|json)\("),
        regex(r"\bdevDefault\s*:|\brequiredWhen\s*:|\bundefined\b"),
    ),
    "joi": _Library(regex(r"[jJ]oi\s*\."), regex(r"(?s:.)*?\.(?:required|exist)\(\)"), regex(r"\.when\(|\.optional\(")),
}


class _Entry(Struct, frozen=True):
    """A variable of a schema, what the schema says of it, and where it stands."""

    name: str
    said: str
    position: int


def read_schemas(text: str, path: str, starts: list[int], vault: Vault) -> Iterator[Setting]:
    """The variables of every schema of a file that the environment is checked by."""
    strict = bool(_FAILS.search(text)) and not _LENIENT.search(text)
    checked = {match["name"] for match in _CHECKED.finditer(text)}
    for match in islice(_OPENING.finditer(text), _MOST_SCHEMAS):
        entries, end = _entries(text, match.end())
        kind = match.lastgroup or ""
        for entry in entries if _is_of_environment(kind, text, match.start(), end, checked) else ():
            line = bisect_right(starts, entry.position)
            place = Location(path, line, entry.position - starts[line - 1] + 1)
            yield _setting(_LIBRARIES[kind], entry, place, vault, strict=strict)


def _is_of_environment(kind: str, text: str, start: int, end: int, checked: set[str]) -> bool:
    """Whether it is the environment that a schema checks, and no request."""
    if kind == "zod":
        named = _NAMED.search(text, max(0, start - _BEFORE), start)
        return (named is not None and named["name"] in checked) or _CHECKED_AT_ONCE.match(text, end) is not None
    return kind != "joi" or _OF_JOI.search(text) is not None


def _entries(text: str, start: int) -> tuple[list[_Entry], int]:
    """The entries of the object that begins at a position, as far as they are called like variables, and its end."""
    found: list[_Entry] = []
    depth, begin = 0, start
    for part in _PART.finditer(text, start, min(len(text), start + _LENGTH)):
        depth += bool(part["open"]) - bool(part["close"])
        if depth < 0 or (depth == 0 and part["comma"]):
            if key := _KEY.match(text, begin, part.start()):
                found.append(_Entry(key["name"], text[key.end() : part.start()].strip(), key.start("name")))
            begin = part.end()
        if depth < 0 or len(found) > _MOST:
            return found, part.end()
    return found, start


def _setting(library: _Library, entry: _Entry, place: Location, vault: Vault, *, strict: bool) -> Setting:
    default = _DEFAULT.search(entry.said)
    written = default["value"] if default else None
    value = None if written is None else vault.value(entry.name, written.strip("'\"`"))
    own = library.begins.match(entry.said) is not None
    asked = library.demands.match(entry.said) is not None and not library.waives.search(entry.said)
    kind = "none" if own and default is None else "expression"
    if value is not None:
        kind = "literal" if value.length else "empty"
    required = strict and asked and default is None
    return Setting(entry.name, "schema", _type(entry.said), value, kind, required, "javascript", place)


def _type(said: str) -> str:
    """The type of an entry: where it lists what is allowed, as Python writes that."""
    choices = _CHOICES.search(said) if not _TAKES_MORE.search(said) else None
    values = [item[1:-1] for item in _TEXT.findall(choices["values"])] if choices else []
    return f"Literal[{', '.join(map(repr, values))}]" if values else "string"
