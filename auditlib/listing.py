"""The walk over a repository: which files the audit considers, what it leaves out and why.

`.gitignore` decides as Git has it (https://git-scm.com/docs/gitignore): what is tracked is not ignored. The walk goes
level by level, so that where a limit cuts it short, what lies near the root is listed.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path

import pathspec
from msgspec import Struct, field

from auditlib.model import Coverage, Read
from auditlib.paths import folders_of
from auditlib.patterns import regex
from auditlib.phrases import counted

COUNT_LIMIT = 50_000
"""Files that are listed."""
DEPTH_LIMIT = 40
IGNORE_LIMIT = 1_000_000
"""Bytes of the largest `.gitignore` that is heeded."""

VENDORED = frozenset({
    ".git", ".hg", ".svn", "node_modules", "bower_components", "vendor", "third_party", ".venv", "venv",
    "site-packages", "__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform",
    ".ipynb_checkpoints",
})  # fmt: skip
"""Folders whose content others wrote or programs made."""

REPORT = frozenset({"index.html", "findings.json", "snapshot.json"})
"""Files by which the folder of a report of ours is known; a report must not audit the one before it."""

_INTRICATE = regex(r"(?:[^*/]*\*+){4}[^/]*|(?:.*?\*\*){4}")
"""More wildcards than anybody writes by hand: matching takes time in the power of their number."""

_Specs = tuple[tuple[str, pathspec.GitIgnoreSpec], ...]

_PLACES = ("file or folder", "files or folders")


class Listing(Struct, frozen=True):
    """What a walk over the repository found."""

    files: tuple[str, ...]
    executable: frozenset[str]
    left_out: tuple[Coverage, ...]
    kept: tuple[tuple[str, str], ...] = ()
    """The files that Git tracks although a `.gitignore` leaves them out, each with that `.gitignore`."""
    ignoring: tuple[tuple[str, pathspec.GitIgnoreSpec], ...] = ()
    """The folders with a `.gitignore`, outer ones first, with what it says."""

    def leaves_out(self, path: str) -> bool:
        """Whether a `.gitignore` leaves a path out, there or not: itself as a folder, or one that it is in."""
        parts = path.split("/")
        return any(_said("/".join(parts[:end]) + "/", self._above(parts[: end - 1]))[0]
                   for end in range(1, len(parts) + 1))  # fmt: skip

    def _above(self, folders: list[str]) -> _Specs:
        above = {"/".join(folders[:end]) for end in range(len(folders) + 1)}
        return tuple(item for item in self.ignoring if item[0] in above)


def list_files(root: Path, exclude: tuple[str, ...] = (), tracked: frozenset[str] = frozenset()) -> Listing:
    """Walk the repository below `root`, an absolute path without links, in a fixed order and within limits.

    `exclude` holds patterns in the syntax of `.gitignore`, which nothing overrules; `tracked` the files that no
    `.gitignore` leaves out.
    """
    walk = _Walk(root, _spec(exclude), tracked | folders_of(tracked))
    walk.run()
    summary = (
        Coverage(".", "listing", Read.SKIPPED, f"{counted(count, *_PLACES)} left out: {reason}")
        for reason, count in sorted(walk.counts.items())
    )
    return Listing(
        tuple(sorted(walk.files)),
        frozenset(walk.executable),
        (*walk.left_out, *summary),
        tuple(walk.kept),
        tuple(walk.ignoring),
    )


class _Walk(Struct):
    root: Path
    exclude: pathspec.GitIgnoreSpec
    tracked: frozenset[str]
    """Files, and the folders that they are in."""
    files: list[str] = field(default_factory=list)
    executable: set[str] = field(default_factory=set)
    left_out: list[Coverage] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    kept: list[tuple[str, str]] = field(default_factory=list)
    ignoring: list[tuple[str, pathspec.GitIgnoreSpec]] = field(default_factory=list)

    def run(self) -> None:
        folders: deque[tuple[str, _Specs]] = deque([("", ())])
        while folders:
            folder, specs = folders.popleft()
            if len(self.files) >= COUNT_LIMIT:
                self.counts[f"beyond the limit of {COUNT_LIMIT} files"] += 1
                continue
            entries = self._entries(folder)
            if folder and {entry.name for entry in entries} >= REPORT:
                self.counts["an earlier report"] += 1
                continue
            if any(entry.name == ".gitignore" for entry in entries):
                specs = (*specs, (folder, self._gitignore(f"{folder}/.gitignore" if folder else ".gitignore")))
                self.ignoring.append(specs[-1])
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if self._take(entry, path, specs):
                    folders.append((path, specs))

    def _take(self, entry: os.DirEntry[str], path: str, specs: _Specs) -> bool:
        """List a file, or count why it is left out; whether it is a folder to go into."""
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            reason = self._reason_to_skip(entry, path, is_folder, specs)
            executable = not reason and not is_folder and bool(entry.stat().st_mode & stat.S_IXUSR)
        except OSError as error:
            is_folder, executable, reason = False, False, f"can't be looked at: {error.strerror}"
        if reason.startswith("link"):
            self.left_out.append(Coverage(path, "link", Read.SKIPPED, reason))
        elif reason:
            self.counts[reason] += 1
        elif not is_folder and len(self.files) >= COUNT_LIMIT:
            self.counts[f"beyond the limit of {COUNT_LIMIT} files"] += 1
        elif not is_folder:
            self.files.append(path)
        if executable:
            self.executable.add(path)
        return is_folder and not reason

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as found:
                return sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            reason = f"can't be listed: {error.strerror}"
            self.left_out.append(Coverage(folder or ".", "folder", Read.FAILED, reason))
            return []

    def _reason_to_skip(self, entry: os.DirEntry[str], path: str, is_folder: bool, specs: _Specs) -> str:
        if not _is_text(entry.name):
            return "the name is not UTF-8"
        if is_folder and entry.name in VENDORED:
            return "vendored or generated"
        if is_folder and path.count("/") >= DEPTH_LIMIT:
            return f"deeper than {DEPTH_LIMIT} folders"
        if self._ignored(path, is_folder, specs):
            return "excluded by .gitignore or by configuration"
        if entry.is_symlink():
            return self._reason_to_skip_link(path)
        return "" if is_folder or entry.is_file(follow_symlinks=False) else "no regular file"

    def _reason_to_skip_link(self, path: str) -> str:
        try:
            target = (self.root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return "link that leads nowhere"
        if not target.is_relative_to(self.root):
            return "link that leads out of the repository; it was not followed"
        if target.is_dir():
            return "link to a folder; the folder is read where it is"
        return "" if target.is_file() else "link to what is no regular file"

    def _ignored(self, path: str, is_folder: bool, specs: _Specs) -> bool:
        """The configuration decides, then Git's index, then the deepest `.gitignore` that says anything."""
        slash = "/" if is_folder else ""
        if self.exclude.check_file(path + slash).include:
            return True
        include, by = _said(path + slash, specs)
        if path in self.tracked:
            self.kept += [(path, by)] if include and not is_folder else []
            return False
        return bool(include)

    def _gitignore(self, path: str) -> pathspec.GitIgnoreSpec:
        data = read_regular(self.root / path, IGNORE_LIMIT, follow=False)
        return _spec((data or b"").decode("utf-8", "replace").splitlines())


def _said(path: str, specs: _Specs) -> tuple[bool | None, str]:
    """What the deepest `.gitignore` that says anything of a path says, and which one that is."""
    for folder, spec in reversed(specs):
        include = spec.check_file(path[len(folder) + 1 :] if folder else path).include
        if include is not None:
            return include, f"{folder}/.gitignore" if folder else ".gitignore"
    return None, ""


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes | None:
    """The bytes of a regular file of at most `limit` bytes; None for anything else. It never waits for a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    except (OSError, ValueError):
        return None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
        os.close(descriptor)
        return None
    with open(descriptor, "rb") as file:
        return file.read(limit)


def _spec(patterns: tuple[str, ...] | list[str]) -> pathspec.GitIgnoreSpec:
    """What the patterns mean together; one that is malformed, or too intricate to match in bounded time, has no say."""
    try:
        return _compiled(line for line in patterns if not _INTRICATE.match(line[:1_000]))
    except (ValueError, re.error):
        return _compiled(line for line in patterns if _is_pattern(line))


def _compiled(lines: Iterable[str]) -> pathspec.GitIgnoreSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of brackets that a later Python may read as nested sets
        return pathspec.GitIgnoreSpec.from_lines(lines)


def _is_pattern(line: str) -> bool:
    try:
        _compiled([line])
    except (ValueError, re.error):
        return False
    return not _INTRICATE.match(line[:1_000])


def _is_text(name: str) -> bool:
    """A name whose bytes are no UTF-8 can't be written to any report."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
