"""How far each Compose file was understood; a file of several projects as far as the one that understood least."""

from __future__ import annotations

from auditlib.model import Coverage, Read
from auditlib.readers.compose.projects import Resolved

_REASONS_LIMIT = 20
"""Entries for one file; what a generator wrote may be wrong ten thousand times."""
_WORST_FIRST = (Read.FAILED, Read.PARTIAL, Read.SKIPPED, Read.PARSED)


class Progress:
    """Collects the entries of all projects."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._noted: dict[str, dict[Coverage, None]] = {}

    def note(self, file: str, status: Read, reason: str = "", line: int = 1) -> None:
        """Say how far a file was understood."""
        self._noted.setdefault(file, {})[Coverage(file, self._kind, status, reason, line)] = None

    def add(self, resolved: Resolved) -> None:
        """Note a project: parsed, or an entry for each error. Nothing of it was understood if no service was."""
        errors = [problem for problem in resolved.problems if problem.kind == "error"]
        status = Read.PARTIAL if resolved.services or resolved.resources else Read.FAILED
        for problem in errors:
            self.note(problem.location.file, status, problem.message, problem.location.line)
        for file in resolved.files:
            self.note(file, Read.PARSED)

    def entries(self) -> list[Coverage]:
        """The entries by file: those of the worst status, at most a few."""
        found: list[Coverage] = []
        for file in sorted(self._noted):
            noted = list(self._noted[file])
            worst = min((entry.status for entry in noted), key=_WORST_FIRST.index)
            entries = [entry for entry in noted if entry.status is worst]
            found += entries[:_REASONS_LIMIT]
            if len(entries) > _REASONS_LIMIT:
                more = len(entries) - _REASONS_LIMIT
                found.append(Coverage(file, self._kind, worst, f"and {more} more", entries[_REASONS_LIMIT].line))
        return found
