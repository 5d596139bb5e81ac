"""The base that an overlay says it is for, by the call of Compose that a comment of it shows."""

from __future__ import annotations

from collections.abc import Iterable
from posixpath import basename, dirname, join, normpath

from auditlib import compose_command
from auditlib.compose import Found
from auditlib.patterns import regex
from auditlib.readers.compose import raw
from auditlib.source import Source

_CALL = regex(r"\bdocker[ -]compose\s[^\n;&|]{0,200}")


def told_bases(source: Source, found: Iterable[Found], deployed: Iterable[str]) -> dict[str, str]:
    """By overlay the base that it is laid over (`-f compose.prod.yml -f compose.scale.yml`): one by itself, or by what
    is `deployed`.
    """
    every = list(found)
    bases = {item.name for item in every if item.role != "overlay"}.union(deployed)
    overlays = [item.name for item in every if item.role == "overlay"]
    return {file: base for file in overlays if (base := _told(source, file)) in bases}


def _told(source: Source, file: str) -> str:
    """The first file of a call that lays an overlay over it; nothing where there is none."""
    for text in _CALL.findall(raw.comments(source, file)):
        call = compose_command.of(text.replace("\\", " ").split())
        first, *others = call.files if call and call.files else ("",)
        if basename(file) in map(basename, others):
            return normpath(join(dirname(file), basename(first)))
    return ""
