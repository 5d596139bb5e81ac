"""The only code that opens files of the audited repository.

It lists them (vendored folders, `.git` and what `.gitignore` excludes left out and counted), reads them within limits,
never follows a link out of the root, and remembers every secret that it comes across.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pathspec

from auditlib import yamltree
from auditlib.errors import ProjectError
from auditlib.model import Coverage, Read
from auditlib.redaction import Vault

FILE_LIMIT = 5_000_000
"""Bytes of the largest file that is read; configuration written by people is a thousand times smaller."""
COUNT_LIMIT = 50_000
DEPTH_LIMIT = 40

VENDORED = frozenset({
    ".git", ".hg", ".svn", "node_modules", "bower_components", "vendor", "third_party", ".venv", "venv", "site-packages",
    "__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".terraform", ".ipynb_checkpoints",
})  # fmt: skip
"""Folders whose content others wrote or programs made."""

_CODE = {".py", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".go", ".java", ".kt", ".rb", ".php", ".rs", ".cs"}


class Unreadable(Exception):
    """One file can't be read; a reader turns it into a coverage entry."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


@dataclass(frozen=True, slots=True)
class Listing:
    """What a walk over the repository found."""

    files: tuple[str, ...]
    executable: frozenset[str]
    left_out: tuple[Coverage, ...]


class Source:
    """The files of one repository. Paths are relative to its root, with `/`.

    `exclude` holds further patterns in the syntax of `.gitignore`. Raises ProjectError if `root` is no folder
    that can be listed.
    """

    def __init__(self, root: Path, exclude: Iterable[str] = ()) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            raise ProjectError(f"{root} is not a folder; name the folder of the repository to audit")
        if not os.access(self.root, os.R_OK | os.X_OK):
            raise ProjectError(f"{root} can't be listed; check its permissions")
        self.vault = Vault()
        self._exclude = tuple(exclude)
        self._texts: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.root.name

    @cached_property
    def commit(self) -> str:
        """The commit that is checked out, from `.git` as text (git itself is never run); empty if there is none."""
        git = self.root / ".git"
        try:
            head = (git / "HEAD").read_text(encoding="utf-8")[:500].strip()
            if not head.startswith("ref: "):
                return head if _is_hash(head) else ""
            name = head.removeprefix("ref: ")
            if (loose := git / name).is_file() and loose.resolve().is_relative_to(git.resolve()):
                found = loose.read_text(encoding="utf-8")[:64].strip()
                return found if _is_hash(found) else ""
            with (git / "packed-refs").open(encoding="utf-8") as refs:
                found = next((line.split()[0] for line in refs if line.rstrip().endswith(f" {name}")), "")
            return found if _is_hash(found) else ""
        except (OSError, ValueError):
            return ""

    @cached_property
    def _listing(self) -> Listing:
        return _list(self.root, self._exclude)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the audit considers, sorted."""
        return self._listing.files

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(str(parent) for path in self.files for parent in PurePosixPath(path).parents)

    @property
    def left_out(self) -> tuple[Coverage, ...]:
        """What was counted but not opened, and why."""
        return self._listing.left_out

    def is_executable(self, path: str) -> bool:
        """Whether the owner's execute bit is set."""
        return path in self._listing.executable

    def matching(self, *patterns: str) -> list[str]:
        """The files that one of the patterns matches, as in `.gitignore` (`*.md`, `/monitoring/**/*.yml`)."""
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
        return [path for path in self.files if spec.match_file(path)]

    def is_file(self, path: str) -> bool:
        """Whether the audit considers a file of this path."""
        return _normal(path) in self._known

    def is_folder(self, path: str) -> bool:
        """Whether some file that the audit considers is below this path."""
        return _normal(path) in self._folders

    def exists(self, path: str) -> bool:
        """Whether `path` is a file or folder of the repository, ignored ones included, without leaving its root."""
        if self.is_file(path) or self.is_folder(path):
            return True
        target = self._inside(path)
        return target is not None and target.exists()

    def text(self, path: str) -> str:
        """The text of a file, decoded as UTF-8. Raises Unreadable for what is too large, binary, gone or outside."""
        if path not in self._texts:
            text = self._read(path)
            self.vault.learn(text, code=PurePosixPath(path).suffix in _CODE)
            self._texts[path] = text
        return self._texts[path]

    def lines(self, path: str) -> list[str]:
        """The lines of a file, without their ends. Raises Unreadable."""
        return self.text(path).splitlines()

    def yaml(self, path: str) -> list[yamltree.Node]:
        """The YAML documents of a file. Raises Unreadable, with the line."""
        try:
            return yamltree.parse(self.text(path))
        except yamltree.YamlError as error:
            raise Unreadable(f"not valid YAML: {error.reason}", error.line) from None

    def json(self, path: str) -> object:
        """The content of a JSON file. Raises Unreadable, with the line."""
        try:
            return json.loads(self.text(path))
        except json.JSONDecodeError as error:
            raise Unreadable(f"not valid JSON: {error.msg}", error.lineno) from None
        except RecursionError:
            raise Unreadable("not valid JSON: nested too deep") from None

    def _inside(self, path: str) -> Path | None:
        try:
            target = (self.root / path).resolve()
        except (OSError, ValueError, RuntimeError):
            return None
        return target if target.is_relative_to(self.root) else None

    def _read(self, path: str) -> str:
        target = self._inside(path)
        if target is None:
            raise Unreadable("leads out of the repository; it was not opened")
        try:
            with open(target, "rb", opener=_open_without_waiting) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise Unreadable("is no regular file; it was not opened")
                if status.st_size > FILE_LIMIT:
                    raise Unreadable(f"has {status.st_size / 1e6:.1f} MB; files above {FILE_LIMIT / 1e6:.0f} MB are not read")
                data = file.read(FILE_LIMIT + 1)
        except OSError as error:
            raise Unreadable(f"can't be opened: {error.strerror or error}") from None
        if b"\0" in data[:8192]:
            raise Unreadable("is binary; it was not read as text")
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise Unreadable(f"is not UTF-8 (byte {data[error.start]:#04x}); save it as UTF-8", line) from None


def _open_without_waiting(path: str, flags: int) -> int:
    """A named pipe must not hold the audit up."""
    return os.open(path, flags | os.O_NONBLOCK)


def _is_hash(text: str) -> bool:
    return len(text) in (40, 64) and set(text) <= set("0123456789abcdef")


def _normal(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")


def _list(root: Path, exclude: tuple[str, ...]) -> Listing:
    """Walk the repository in sorted order, deterministic and bounded."""
    files: list[str] = []
    executable: set[str] = set()
    left_out: list[Coverage] = []
    counts: Counter[str] = Counter()
    stack: list[tuple[str, tuple[tuple[str, pathspec.GitIgnoreSpec], ...]]] = [
        ("", (("", pathspec.GitIgnoreSpec.from_lines(exclude)),))
    ]
    while stack:
        folder, specs = stack.pop()
        entries = _entries(root / folder, folder, left_out)
        if any(entry.name == ".gitignore" for entry in entries):
            specs = (*specs, (folder, _gitignore(root / folder / ".gitignore")))
        below: list[str] = []
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            reason = _reason_to_skip(root, entry, path, is_folder, specs)
            if reason:
                counts[reason] += 1
                if reason.startswith("link"):
                    left_out.append(Coverage(path, "link", Read.SKIPPED, reason))
            elif is_folder:
                below.append(path)
            elif len(files) >= COUNT_LIMIT:
                counts[f"beyond the limit of {COUNT_LIMIT} files"] += 1
            else:
                files.append(path)
                if entry.stat().st_mode & stat.S_IXUSR:
                    executable.add(path)
        stack.extend((path, specs) for path in reversed(below))
    left_out += [
        Coverage(".", "listing", Read.SKIPPED, f"{count} files or folders left out: {reason}")
        for reason, count in sorted(counts.items())
        if not reason.startswith("link")
    ]
    return Listing(tuple(sorted(files)), frozenset(executable), tuple(left_out))


def _entries(path: Path, folder: str, left_out: list[Coverage]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        left_out.append(Coverage(folder or ".", "folder", Read.FAILED, f"can't be listed: {error.strerror}"))
        return []


def _gitignore(path: Path) -> pathspec.GitIgnoreSpec:
    try:
        if path.is_symlink() or path.stat().st_size > FILE_LIMIT:
            return pathspec.GitIgnoreSpec([])
        return pathspec.GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, ValueError):
        return pathspec.GitIgnoreSpec([])


def _reason_to_skip(
    root: Path, entry: os.DirEntry[str], path: str, is_folder: bool, specs: tuple[tuple[str, pathspec.GitIgnoreSpec], ...]
) -> str:
    if is_folder and entry.name in VENDORED:
        return "vendored or generated"
    if is_folder and path.count("/") >= DEPTH_LIMIT:
        return f"deeper than {DEPTH_LIMIT} folders"
    if _ignored(path, is_folder, specs):
        return "excluded by .gitignore or by configuration"
    if entry.is_symlink():
        try:
            target = (root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return "link that leads nowhere"
        if not target.is_relative_to(root):
            return "link that leads out of the repository; it was not followed"
        if target.is_dir():
            return "link to a folder; the folder is read where it is"
    elif not is_folder and not entry.is_file(follow_symlinks=False):
        return "no regular file"
    return ""


def _ignored(path: str, is_folder: bool, specs: tuple[tuple[str, pathspec.GitIgnoreSpec], ...]) -> bool:
    """The deepest `.gitignore` that says anything decides (https://git-scm.com/docs/gitignore)."""
    for folder, spec in reversed(specs):
        relative = path[len(folder) + 1 :] if folder else path
        include = spec.check_file(relative + "/" if is_folder else relative).include
        if include is not None:
            return include
    return False
