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
                if like:
                    yield Slip(item, path, scripts[like[0]])


def _run(item: Mention) -> list[str]:
    """The scripts that a mention starts by their path."""
    words = item.text.split() if item.kind == "command" else [item.text] if item.kind == "missing" else []
    return [word for word in words[:2] if _RUN.fullmatch(word)]
