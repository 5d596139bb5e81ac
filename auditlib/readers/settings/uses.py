"""Which fields of a settings class no code names but the lines that declare them.

Follows https://docs.pydantic.dev/latest/concepts/pydantic_settings/ for what a field is, and
https://docs.pydantic.dev/latest/concepts/serialization/ for the ways in which code takes all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import ahocorasick_rs
from msgspec.structs import replace

from auditlib.inventory.configuration import Setting
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_FIELD = regex(r"^[ \t]+(?P<name>[A-Za-z]\w*)[ \t]*:(?!=)", re.M)
_CODE = (".py", ".pyi", ".html", ".jinja", ".jinja2", ".j2", ".mako", ".ipynb")
_HOLDER = r"(?:\w*[Ss]ettings|\w*[Cc]onf(?:ig)?|cfg|get_\w+)(?:\(\))?"
_WHOLE = regex(
    rf"\b(?:getattr|hasattr|vars|asdict|dict|iter)\(\s*{_HOLDER}\s*[,)]|\*\*\s*{_HOLDER}|from_object\(|load_config\b|"
    rf"\b{_HOLDER}\.(?:model_dump|model_dump_json|dict|json|model_copy|copy|__dict__|model_fields|__fields__|items)\b"
)
"""Code that takes all fields at once, or one by a name that only a run knows."""
_HINTS = ("ettings", "onf", "cfg", "get_")
"""What stands in such code."""
_OWN_WHOLE = regex(r"(?:getattr|vars)\(\s*(?:self|cls)\b|\bself\.(?:model_dump|dict|json|__dict__)\b|\*\*\s*self\b")
"""The same in the file of a settings class, where `self` is the settings."""


def mark(source: Source, reading: Reading) -> None:
    """Say of each field of a settings class whether no code names it; of a class that nothing uses it says nothing."""
    fields = [item for item in reading.records if isinstance(item, Setting) and item.style == "pydantic"]
    code = [path for path in source.files if path.endswith(_CODE)] if fields else []
    declaring = {item.location.file for item in fields}
    if any(_takes_all(source.glance(path), own=path in declaring) for path in code):
        return
    used = _used(source, code, declaring, {_field(item) for item in fields})
    classes = {_class(item) for item in fields if _field(item) in used}
    reading.records = [
        replace(item, unused=_field(item) not in used)
        if isinstance(item, Setting) and item.style == "pydantic" and _class(item) in classes
        else item
        for item in reading.records
    ]


def _takes_all(text: str, *, own: bool) -> bool:
    hinted = any(hint in text for hint in _HINTS)
    return bool((hinted and _WHOLE.search(text)) or (own and _OWN_WHOLE.search(text)))


def _used(source: Source, code: Iterable[str], declaring: set[str], fields: set[str]) -> set[str]:
    """The fields that stand in code as whole words, apart from the places that declare them."""
    search = ahocorasick_rs.AhoCorasick(sorted(fields), matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    used: set[str] = set()
    for path in code:
        text = source.glance(path)
        declared = {match.start("name") for match in _FIELD.finditer(text)} if path in declaring else set()
        used.update(
            text[start:end]
            for _, start, end in search.find_matches_as_indexes(text)
            if start not in declared and not _is_part(text[start - 1 : start]) and not _is_part(text[end : end + 1])
        )
    return used


def _is_part(character: str) -> bool:
    return character.isalnum() or character == "_"


def _field(setting: Setting) -> str:
    return setting.attribute.rpartition(".")[2]


def _class(setting: Setting) -> tuple[str, str]:
    return setting.location.file, setting.attribute.rpartition(".")[0]
