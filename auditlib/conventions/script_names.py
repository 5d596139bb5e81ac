"""Scripts that documents run by a name that is a slip of another script's."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.inventory.document import Mention
from auditlib.patterns import regex

_RUN = regex(r"\./[\w./@-]+\.(?:sh|bash)")
_CLOSE = 0.85
"""How much of two names has to be equal for one to be a slip of the other."""


_CLOSE_WORDS = 0.8
_SEPARATOR = regex(r"[-_.]")
_DIGITS = regex(r"\d+")


class Slip(Struct, frozen=True):
    """A place that runs `path`, which the repository lacks, and the script that is meant."""

    mention: Mention
    path: str
    script: Script


def slips(inventory: Inventory) -> Iterator[Slip]:
    """Every place of a document, those for development alone left out, that runs a script from where it stands."""
    scripts = {posixpath.basename(item.path): item for item in inventory.scripts}
    for document in inventory.documents:
        for item in document.mentions if not environments.is_for_development(document.path) else ():
            for path in _run(item):
                name = posixpath.basename(path)
                like = difflib.get_close_matches(name, scripts, 1, _CLOSE) if name not in scripts else []
                if like and _is_slip(name, like[0]):
                    yield Slip(item, path, scripts[like[0]])


def _is_slip(name: str, other: str) -> bool:
    """Whether two names mean the same: one with `un` or `re` before it, another number or another word doesn't."""
    mine, theirs = _SEPARATOR.split(name.lower()), _SEPARATOR.split(other.lower())
    if "".join(mine) == "".join(theirs):
        return True
    return len(mine) == len(theirs) and all(map(_is_alike, mine, theirs))


def _is_alike(word: str, other: str) -> bool:
    alike = word[:1] == other[:1] and _DIGITS.findall(word) == _DIGITS.findall(other)
    return word == other or (alike and difflib.SequenceMatcher(None, word, other).ratio() >= _CLOSE_WORDS)


def _run(item: Mention) -> list[str]:
    """The scripts that a mention starts by their path."""
    words = item.text.split() if item.kind == "command" else [item.text] if item.kind == "missing" else []
    return [word for word in words[:2] if _RUN.fullmatch(word)]
