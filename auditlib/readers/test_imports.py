"""Which files of code the tests in JavaScript and TypeScript load, as far as imports that begin their lines tell.

Follows https://nodejs.org/api/modules.html#all-together, relative paths alone. Tests that put something else in the
place of a module (`jest.mock`) are left out, with what they load.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditlib.module_paths import of_module
from auditlib.patterns import regex
from auditlib.readers.local_imports import of_javascript
from auditlib.source import Source

_CODE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts", ".cts")
_REPLACES = regex(r"\.(?:do)?[mM]ock\(|\bproxyquire\b|\bmock\.module\(")
_FILES = 1_000


def reached(source: Source, tests: Iterable[str]) -> frozenset[str]:
    """The files that loading the tests loads, the tests themselves included."""
    known = frozenset(source.files)
    waiting = [path for path in tests if path.endswith(_CODE) and not _REPLACES.search(source.glance(path))]
    seen = set(waiting)
    for path in waiting:  # which grows
        for item in of_javascript(source.glance(path), path):
            paths = (target for target in of_module(item.module, path, ()) if target in known)
            target = next(paths, "")
            if target.endswith(_CODE) and target not in seen and len(seen) < _FILES:
                seen.add(target)
                waiting.append(target)
    return frozenset(seen)
