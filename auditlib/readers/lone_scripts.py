"""Programs of Python that somebody has to start: so they look, and no other file of code or settings names them.

Follows https://docs.python.org/3/library/__main__.html. A name of few letters, or one that is a word elsewhere in the
code, is taken for a use.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from auditlib.patterns import regex
from auditlib.source import Source

_STARTED = regex(r"^if __name__ == [\"']__main__[\"']:", re.M)
_READ = frozenset({
    ".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".go", ".rb", ".java", ".kt", ".rs", ".ipynb", ".toml", ".cfg", ".ini",
    ".json", ".yml", ".yaml", ".txt", ".in", ".mk", ".nix", ".service", ".timer", ".conf", ".tf", ".j2", "",
})  # fmt: skip
"""Endings of files whose texts may start or import one; the `Makefile` and the like have none."""
_LOCKS = ("package-lock.json", "pnpm-lock.yaml")
_SCRIPTS = 300


def of(source: Source, files: Iterable[str]) -> frozenset[str]:
    """Those of these files."""
    started = [file for file in files if file.endswith(".py") and _STARTED.search(source.glance(file))][:_SCRIPTS]
    by_name: defaultdict[str, set[str]] = defaultdict(set)
    for file in started:
        by_name[PurePosixPath(file).stem].add(file)
    if not started:
        return frozenset()
    names = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(by_name)))})\b")
    used: set[str] = set()
    for path in source.files:
        if PurePosixPath(path).suffix in _READ and not path.endswith(_LOCKS):
            used.update(file for name in set(names.findall(source.glance(path))) for file in by_name[name] - {path})
    return frozenset(started) - used
