"""The external scanners: one a file. They run side by side while the rules do; their findings become ours.

zizmor and compose-lint come with auditlib; the others are used where they are installed. A scanner that isn't
installed is a coverage entry of status `skipped`; one that crashes, hangs or prints nonsense one of status `failed`,
and the exit status of the command is 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from auditlib import leftovers
from auditlib.model import Coverage, Finding, Read
from auditlib.phrases import counted
from auditlib.scanners import _processes, actionlint, amtool, compose_lint, detect_secrets, hadolint, promtool, zizmor
from auditlib.scanners._documentation import Documentation, documentation, documented, hint
from auditlib.scanners._equivalents import EQUIVALENT
from auditlib.scanners._merging import Reported, merge
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source

if TYPE_CHECKING:
    from auditlib.inventory import Inventory

__all__ = [
    "EQUIVALENT", "SCANNERS", "Documentation", "Issue", "Scan", "Scanner", "documentation", "documented",
    "failures", "hint", "is_scanner_rule", "named", "silent",
]  # fmt: skip

SCANNERS: tuple[Scanner, ...] = (
    zizmor.SCANNER,
    compose_lint.SCANNER,
    hadolint.SCANNER,
    promtool.SCANNER,
    amtool.SCANNER,
    actionlint.SCANNER,
    detect_secrets.SCANNER,
)


def is_scanner_rule(rule: str) -> bool:
    """Whether a rule's id is that of a scanner's (`zizmor/unpinned-uses`)."""
    return named(rule) is not None


def named(rule: str) -> Scanner | None:
    """The scanner that a rule's id begins with; which rules it has, only the scanner itself knows."""
    name, slash, rest = rule.partition("/")
    return next((scanner for scanner in SCANNERS if scanner.name == name), None) if slash and rest else None


def failures(coverage: Iterable[Coverage]) -> list[Coverage]:
    """The entries of scanners that failed."""
    return [entry for entry in coverage if entry.kind.startswith("scanner ") and entry.status is Read.FAILED]


def silent(coverage: Iterable[Coverage]) -> tuple[str, ...]:
    """The names of the scanners that had no say, because they are not installed or have failed."""
    return tuple(sorted(entry.kind.removeprefix("scanner ") for entry in coverage if entry.kind.startswith("scanner ")))


class Scan:
    """The scanners at work on one repository; started where the `with` block begins, stopped at the latest at its end.

    Without `scanners` nothing is started. `path` is where their programs are looked for.
    """

    def __init__(
        self,
        source: Source,
        scanners: Sequence[Scanner] = SCANNERS,
        path: str | None = None,
        time_limit: float = _processes.TIME_LIMIT,
    ) -> None:
        self._source, self._scanners, self._time_limit = source, scanners, time_limit
        self._path = path or _processes.search_path()
        self._coverage: list[Coverage] = []
        self._runs: list[_processes.Run] = []
        self._folder: Path | None = None
        self._held = ExitStack()

    def __enter__(self) -> Scan:
        for scanner in self._scanners:
            files = scanner.wanted(self._source)
            if files:
                self._start(scanner, files)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for run in self._runs:
            run.stop()
        self._held.close()

    def collect(self, findings: Sequence[Finding], inventory: Inventory) -> tuple[list[Finding], list[Coverage]]:
        """Wait for the scanners; our findings and theirs as one list, and how far each scanner came."""
        reported: list[Reported] = []
        for run in self._runs:
            name = run.scanner.name
            try:
                issues = run.scanner.adapted(list(run.scanner.parse(run.result())), inventory, self._source)
            except _processes.Failure as failure:
                self._note(name, Read.FAILED, f"{name} {failure}; its findings are missing")
            except Exception as error:  # whatever it printed, it wasn't what it promises to print
                reason = (
                    f"{name} printed what could not be understood ({type(error).__name__}); its findings are missing"
                )
                self._note(name, Read.FAILED, reason)
            else:
                reported += [(name, issue) for issue in issues if self._source.is_file(issue.location.file)]
        return merge(findings, reported, self._source.vault), self._coverage

    def _start(self, scanner: Scanner, files: list[str]) -> None:
        program = _processes.find(scanner, self._path)
        if program is None:
            wanted = counted(len(files), "file")
            reason = f"{scanner.name} is not installed ({scanner.homepage}); {wanted} for it"
            self._note(scanner.name, Read.SKIPPED, reason)
            return
        if self._folder is None:
            self._folder = self._held.enter_context(leftovers.temporary("scan"))
        folder = self._folder / scanner.name
        try:
            run = _processes.start(scanner, program, self._source, files, folder, self._time_limit)
        except OSError as error:
            self._note(scanner.name, Read.FAILED, f"{scanner.name} can't be started: {error.strerror or error}")
            return
        self._runs.append(run)

    def _note(self, name: str, status: Read, reason: str) -> None:
        self._coverage.append(Coverage(".", f"scanner {name}", status, reason))
