"""The only code that opens files of the audited repository.

It lists them (vendored folders, `.git` and what `.gitignore` excludes left out and counted), reads them within limits,
never follows a link out of the root, and remembers every secret that it comes across.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterable
from functools import cached_property
from operator import itemgetter
from pathlib import Path

import pathspec

from auditlib import git_index, web_host, yamltree
from auditlib.errors import ProjectError
from auditlib.listing import Listing, list_files, read_regular
from auditlib.model import Coverage
from auditlib.paths import folders_of
from auditlib.patterns import regex
from auditlib.redaction import Vault

FILE_LIMIT = 5_000_000
"""Bytes of the largest file that is read; configuration written by people is a thousand times smaller."""
TOTAL_LIMIT = 400_000_000
"""Bytes that are read altogether."""
CACHE_LIMIT = 60_000_000
"""Characters that are kept for the next reader; a file beyond them is read from the disk again."""

_ENDING = regex(r"[^*?\[\]\\/]*$")
"""What a path that a pattern matches ends with."""
_ANY_WITH_ENDING = regex(r"\*\.[\w.]+")
_CODE = (".py", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".go", ".java", ".kt", ".rb", ".php", ".rs", ".cs")


_OUTSIDE = "leads out of the repository; it was not opened"


class Unreadable(Exception):  # noqa: N818  # `except Unreadable` says it
    """One file can't be read; a reader turns it into a coverage entry."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


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
        self._cached = self._total = 0
        self._learned: set[str] = set()
        self._glanced: set[str] = set()
        self._unreadable: dict[str, Unreadable] = {}
        self.repeated_keys: dict[str, list[tuple[str, int]]] = {}
        """The keys that stand twice in one mapping of a YAML or JSON file that was parsed, each with its line."""
        self._real_paths: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.root.name

    @cached_property
    def commit(self) -> str:
        """The commit that is checked out, from `.git` as text (git itself is never run); empty if there is none."""
        head = self._git("HEAD")
        if not head.startswith("ref: "):
            return head if _is_hash(head) else ""
        name = head.removeprefix("ref: ")
        if _is_hash(loose := self._git(name)):
            return loose
        refs = (line.split(" ") for line in self._git("packed-refs").splitlines())
        return next((ref[0] for ref in refs if ref[1:] == [name] and _is_hash(ref[0])), "")

    @cached_property
    def origin(self) -> str:
        """The page of the repository on its web host, as `https://host/owner/name`; empty if it isn't known."""
        return web_host.address(self._git("config"))

    @cached_property
    def tracked(self) -> frozenset[str] | None:
        """The files that Git tracks; None if that isn't known."""
        return git_index.tracked(self._git_file("index"))

    def _git(self, name: str) -> str:
        return self._git_file(name).decode("utf-8", "replace").strip()

    def _git_file(self, name: str) -> bytes:
        """A file inside `.git`, of which nothing is believed: no link out of it is followed, nothing large is read."""
        folder, path = self.root / ".git", self._inside(f".git/{name}")
        if path is None or folder.is_symlink() or not path.is_relative_to(folder):
            return b""
        return read_regular(path, FILE_LIMIT) or b""

    @cached_property
    def _listing(self) -> Listing:
        return list_files(self.root, self._exclude, self.tracked or frozenset())

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the audit considers, sorted."""
        return self._listing.files

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return folders_of(self.files)

    @property
    def left_out(self) -> tuple[Coverage, ...]:
        """What was counted but not opened, and why."""
        return self._listing.left_out

    @property
    def tracked_though_ignored(self) -> tuple[tuple[str, str], ...]:
        """The files that Git tracks although a `.gitignore` leaves them out, each with that `.gitignore`."""
        return self._listing.kept

    def is_ignored(self, path: str) -> bool:
        """Whether a `.gitignore` leaves out what lies, or will lie, at a path."""
        return self._listing.leaves_out(_normal(path))

    def is_executable(self, path: str) -> bool:
        """Whether the owner's execute bit is set."""
        return path in self._listing.executable

    def matching(self, *patterns: str) -> list[str]:
        """The files that one of the patterns matches, as in `.gitignore` (`*.md`, `/monitoring/**/*.yml`)."""
        files: Iterable[str] = self.files
        endings = tuple(_ENDING.search(pattern)[0] for pattern in patterns)  # type: ignore[index]  # it may be empty
        if all(endings) and not any(folder.endswith(endings) for folder in self._folders):
            files = [path for path in files if path.endswith(endings)]  # only they can match, and this is much faster
            if all(map(_ANY_WITH_ENDING.fullmatch, patterns)):
                return files
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
        return [path for path in files if spec.match_file(path)]

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
        self._glanced.discard(path)
        if path in self._unreadable:
            raise Unreadable(self._unreadable[path].reason, self._unreadable[path].line)
        if path in self._texts:
            return self._texts[path]
        try:
            text = self._read(path)
        except Unreadable as error:
            self._unreadable[path] = error
            raise
        if path not in self._learned:
            self.vault.learn(text, **syntax(path))
            self._learned.add(path)
        if self._cached + len(text) <= CACHE_LIMIT:
            self._texts[path] = text
            self._cached += len(text)
        return text

    def glance(self, path: str) -> str:
        """The text of a file for a look at what may stand anywhere; empty if it can't be read.

        A glance is no reading: the file counts as opened, or as unreadable, only if a reader asks for its text.
        """
        if path in self._unreadable:
            return ""
        known = path in self._learned and path not in self._glanced
        try:
            text = self.text(path)
        except Unreadable:
            del self._unreadable[path]
            return ""
        if not known:
            self._glanced.add(path)
        return text

    @property
    def opened(self) -> list[str]:
        """The files that were read so far, sorted."""
        return sorted(self._learned - self._glanced)

    @property
    def unreadable(self) -> dict[str, Unreadable]:
        """The files that could not be read so far, with the reason."""
        return self._unreadable

    def lines(self, path: str) -> list[str]:
        """The lines of a file, without their ends. Raises Unreadable."""
        lines = self.text(path).split("\n")  # not `splitlines`, which breaks lines where no editor does
        return lines[:-1] if not lines[-1] else lines

    def masked_lines(self, path: str) -> list[str]:
        """The lines of a file as they may be shown, the secrets in them masked. Raises Unreadable."""
        lines = self.vault.mask_lines(self.text(path), **syntax(path))
        return lines[:-1] if not lines[-1] else lines

    def yaml(self, path: str) -> list[yamltree.Node]:
        """The YAML documents of a file. Raises Unreadable, with the line."""
        try:
            documents = yamltree.parse(self.text(path))
        except yamltree.YamlError as error:
            raise Unreadable(f"not valid YAML: {error.reason}", error.line) from None
        repeated = (key for document in documents for key in document.repeated)
        self.repeated_keys[path] = sorted(repeated, key=itemgetter(1))
        return documents

    def json(self, path: str) -> object:
        """The content of a JSON file. Raises Unreadable, with the line."""
        try:
            return json.loads(self.text(path))
        except json.JSONDecodeError as error:
            raise Unreadable(f"not valid JSON: {error.msg}", error.lineno) from None
        except RecursionError:
            raise Unreadable("not valid JSON: nested too deep") from None
        except ValueError as error:  # a number of thousands of digits
            raise Unreadable(f"not valid JSON: {error}") from None

    def _inside(self, path: str) -> Path | None:
        try:
            target = Path(os.path.realpath(os.path.join(self.root, path)))
        except (OSError, ValueError):
            return None
        return target if target.is_relative_to(self.root) else None

    def _open(self, path: str, flags: int) -> int:
        """A descriptor of what `path` leads to; a pipe is not waited for. Raises OSError; Unreadable for outside."""
        folder, name = os.path.split(path)
        try:
            return os.open(f"{self._real(folder)}/{name}", flags | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        except ValueError:
            raise Unreadable(_OUTSIDE) from None
        return os.open(self._real(path), flags | os.O_NONBLOCK)  # it is a link

    def _real(self, path: str) -> str:
        """Where a path of the repository leads to, all links followed. Raises Unreadable for outside."""
        if path not in self._real_paths:
            if (target := self._inside(path)) is None:
                raise Unreadable(_OUTSIDE)
            self._real_paths[path] = str(target)
        return self._real_paths[path]

    def _read(self, path: str) -> str:
        try:
            with open(path, "rb", opener=self._open) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise Unreadable("is no regular file; it was not opened")
                self._check_size(status.st_size)
                data = file.read(FILE_LIMIT + 1)
        except OSError as error:
            raise Unreadable(f"can't be opened: {error.strerror or error}") from None
        self._total += len(data)
        if b"\0" in data[:8192]:
            raise Unreadable("is binary; it was not read as text")
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise Unreadable(f"is not UTF-8 (byte {data[error.start]:#04x}); save it as UTF-8", line) from None

    def _check_size(self, size: int) -> None:
        if size > FILE_LIMIT:
            raise Unreadable(f"has {size / 1e6:.1f} MB; files above {FILE_LIMIT / 1e6:.0f} MB are not read")
        if self._total + size > TOTAL_LIMIT:
            raise Unreadable(f"was not read, as {TOTAL_LIMIT / 1e6:.0f} MB were read before it")


_ENV_FILE = regex(r"(?:[\w-]*\.)?env(?:\.(?!example|sample|template|tmpl|tpl|dist|default)[\w-]+)*", re.I)
"""The name of a real environment file; a template is a text for people."""


def syntax(path: str) -> dict[str, bool]:
    """What the file's name says of its text: whether it is code, or a real environment file."""
    code = path.endswith(_CODE)
    return {"code": code, "env": not code and bool(_ENV_FILE.fullmatch(path.rpartition("/")[2]))}


def _is_hash(text: str) -> bool:
    return len(text) in (40, 64) and set(text) <= set("0123456789abcdef")


def _normal(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")
