"""Which fields of a class of settings are named by no code but their own definition."""

from __future__ import annotations

from collections import Counter

import ahocorasick_rs
from msgspec.structs import replace

from auditlib.inventory.configuration import Setting
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_AS_A_WHOLE = regex(
    r"\b(?:settings|config|conf|cfg|self)\w*(?:\(\))?\.(?:model_dump|dict|json|__dict__|model_fields|__fields__)\b|"
    r"\b(?:getattr|vars|asdict|dict)\(\s*[\w.]*(?:settings|config|conf|cfg|self)\b|\*\*\s*(?:settings|config)\b"
)
"""Code that takes all fields at once, or one by a name that only a run knows."""


def mark(source: Source, reading: Reading) -> None:
    """Say of each field of a settings class whether any code names it besides."""
    fields = {_field(item) for item in reading.records if isinstance(item, Setting) and item.style == "pydantic"}
    if not fields:
        return
    texts = [source.glance(path) for path in source.files if path.endswith(".py")]
    if any(_AS_A_WHOLE.search(text) for text in texts):
        return
    search = ahocorasick_rs.AhoCorasick(sorted(fields), matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    named = Counter(name for text in texts for name in _words(text, search))
    if max(named.values()) <= 1:
        return  # the code that uses the class isn't here
    reading.records = [
        replace(item, unused=named[_field(item)] <= 1)
        if isinstance(item, Setting) and item.style == "pydantic"
        else item
        for item in reading.records
    ]


def _field(setting: Setting) -> str:
    return setting.attribute.rpartition(".")[2]


def _words(text: str, search: ahocorasick_rs.AhoCorasick) -> list[str]:
    """The fields that stand in a text as whole words, as often as they do."""
    return [
        text[start:end]
        for _, start, end in search.find_matches_as_indexes(text)
        if not _is_part(text[start - 1 : start]) and not _is_part(text[end : end + 1])
    ]


def _is_part(character: str) -> bool:
    return character.isalnum() or character == "_"
