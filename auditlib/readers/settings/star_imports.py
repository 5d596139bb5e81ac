"""What a file of settings has of another one by `from .base import *`, as Django's settings for production do.

Follows https://docs.python.org/3/reference/simple_stmts.html#import.
"""

from __future__ import annotations

import re

from auditlib import module_paths
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.python_code import Module
from auditlib.source import Source, Unreadable

_STAR = regex(r"^from[ \t]+(?P<module>\.+\w[\w.]{0,100})[ \t]+import[ \t]+\*", re.M)
_DEPTH = 4
"""Files that are followed, one from the other."""


def are_in(text: str) -> bool:
    """Whether a file takes all names of a file beside it."""
    return "import *" in text and _STAR.search(text) is not None


def modules(source: Source, path: str) -> list[Module]:
    """The files whose names a file has, the nearest first; one that can't be read ends the way."""
    found: list[Module] = []
    while len(found) < _DEPTH:
        match = _STAR.search(source.text(path))
        paths = module_paths.of_module(match["module"], path, ()) if match else []
        path = next((item for item in paths if source.is_file(item)), "")
        if not path or path in {item.file for item in found}:
            return found
        try:
            found.append(python_code.parse(source, path))
        except Unreadable:
            return found
    return found


def completed(module: Module, above: list[Module]) -> Module:
    """A file that knows the imports of those whose names it has."""
    imports = {name: origin for item in (*reversed(above), module) for name, origin in item.imports.items()}
    return Module(module.file, module.tree, imports)
