"""Which of the fields of settings classes any code names, beside the lines that declare them.

A field that no file names is read by nothing, unless code takes all of them at once (`settings.model_dump()`) or by a
name that it computes (`getattr(settings, name)`), which is told too.
"""

from __future__ import annotations

import re

import ahocorasick_rs

from auditlib.inventory.configuration import SettingUses
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_FIELD = regex(r"^[ \t]+(?P<name>[A-Za-z]\w*)[ \t]*:(?!=)", re.M)
_CODE = (".py", ".pyi", ".html", ".jinja", ".jinja2", ".j2", ".mako", ".ipynb")
_HOLDER = r"(?:\w*[Ss]ettings|\w*[Cc]onf(?:ig)?|get_\w+)(?:\(\))?"
_WHOLE = regex(
    rf"\b(?:getattr|hasattr|vars|asdict|dict|iter)\(\s*{_HOLDER}\s*[,)]|\*\*\s*{_HOLDER}|from_object\(|load_config\b|"
    rf"\b{_HOLDER}\.(?:model_dump|model_dump_json|dict|json|model_copy|copy|__dict__|model_fields|__fields__|items)\b"
)
_OWN_WHOLE = regex(r"(?:getattr|vars)\(\s*(?:self|cls)\b|\bself\.(?:model_dump|dict|json|__dict__)\b|\*\*\s*self\b")
"""In the file of a settings class, where `self` is the settings."""
_NAMES_LIMIT = 5_000


def read(source: Source) -> Reading:
    """A record for each file of code that names a field. It reports no coverage: files belong to other readers."""
    code = [path for path in source.files if path.endswith(_CODE)]
    declaring = {path for path in code if path.endswith(".py") and "BaseSettings" in source.glance(path)}
    reading = Reading()
    names = sorted({name for path in declaring for name in _FIELD.findall(source.glance(path))})
    if not names:
        return reading
    search = ahocorasick_rs.AhoCorasick(names[:_NAMES_LIMIT], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    for path in code:
        text = source.glance(path)
        own = path in declaring
        whole = bool(_WHOLE.search(text) or (own and _OWN_WHOLE.search(text)))
        found = _named(text, search, {match.start("name") for match in _FIELD.finditer(text)} if own else set())
        if found or whole:
            reading.records.append(SettingUses(path, found, whole, Location(path)))
    return reading


def _named(text: str, search: ahocorasick_rs.AhoCorasick, declared: set[int]) -> frozenset[str]:
    """The names that stand in a text as whole words, apart from the places that declare them."""
    return frozenset(
        text[start:end]
        for _, start, end in search.find_matches_as_indexes(text)
        if start not in declared and not _is_part(text[start - 1 : start]) and not _is_part(text[end : end + 1])
    )


def _is_part(character: str) -> bool:
    return character.isalnum() or character == "_"
