"""The files that a project was read from: the only code of the package that opens one.

Every file passes through `Sources.read`, which keeps to the root and the size limit, and numbers the text so that a
mark can name it. `Sources.location` turns a mark into the line and column that a person sees.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path

from msgspec import Struct, field

from auditlib.compose.errors import ComposeError, OutsideRootError
from auditlib.compose.tree import Mark, at, pack, unpack
from auditlib.model import Location

SIZE_LIMIT = 10 * 1024 * 1024
"""Larger files are refused: no person wrote them."""


class Source(Struct):
    """One file's text under the name that the user sees."""

    name: str
    path: str
    text: str
    number: int
    _starts: list[int] = field(default_factory=list)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character of the text."""
        if not self._starts:
            self._starts = [0]
            find = self.text.find
            here = find("\n")
            while here >= 0:
                self._starts.append(here + 1)
                here = find("\n", here + 1)
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class Sources:
    """All the files of one project, each read once, never outside `root` if one is given."""

    def __init__(self, root: str | None = None, limit: int = SIZE_LIMIT) -> None:
        self.root = os.path.realpath(root) if root is not None else None
        self.limit = limit
        self.files: list[Source] = []
        self._by_path: dict[str, Source] = {}
        self._base: tuple[str, str] | None = None

    def name_from(self, directory: str, shown: str) -> None:
        """Show files below `directory` as the caller named them: `shown` in the place of `directory`."""
        self._base = (directory, shown)

    def shown(self, path: str) -> str:
        """The name of a file as the user sees it."""
        if not path:
            return path
        if self.root is not None:
            real = os.path.relpath(
                os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)), self.root
            )
            return real.replace(os.sep, "/")
        if self._base is not None:
            return os.path.normpath(os.path.join(self._base[1], os.path.relpath(path, self._base[0])))
        return path

    def guard(self, path: str) -> None:
        """Raise `OutsideRootError` for a path that leads out of the root, also by a symbolic link."""
        if self.root is None:
            return
        real = os.path.realpath(path)
        if real != self.root and not real.startswith(self.root.rstrip(os.sep) + os.sep):
            raise OutsideRootError(f"{path} leads out of {self.root}; it was not opened", kind="outside-root")

    def exists(self, path: str) -> bool:
        """Whether there is a file at that path within the root."""
        self.guard(path)
        return os.path.exists(path)

    def is_dir(self, path: str) -> bool:
        """Whether there is a folder at that path within the root."""
        self.guard(path)
        return os.path.isdir(path)

    def read(self, path: str, name: str | None = None) -> Source:
        """The text of a file; `ComposeError` if it is no readable UTF-8 text of a sensible size."""
        path = os.path.normpath(path)
        found = self._by_path.get(path)
        if found is None:
            found = self.add(name or self.shown(path), path, self._text(path, name or self.shown(path)))
            self._by_path[path] = found
        return found

    def add(self, name: str, path: str, text: str) -> Source:
        """Number a text, so that marks can point into it."""
        source = Source(name, path, text, len(self.files))
        self.files.append(source)
        return source

    def _text(self, path: str, name: str) -> str:
        self.guard(path)
        try:
            if not Path(path).is_file():
                what = (
                    "is a folder"
                    if os.path.isdir(path)
                    else "is not a regular file"
                    if os.path.exists(path)
                    else "not found"
                )
                raise ComposeError(f"file {what}: {name}", Location(name), kind="unreadable")
            size = os.stat(path).st_size
            if size > self.limit:
                raise ComposeError(
                    f"file has {size} bytes, the limit is {self.limit}", Location(name), kind="too-large"
                )
            data = Path(path).read_bytes()
        except OSError as error:
            raise ComposeError(f"cannot read: {error.strerror or error}", Location(name), kind="unreadable") from error
        return decode(data, name)

    def location(self, mark: Mark) -> Location | None:
        """The place that a mark stands for; `None` for what stands in no file."""
        place = at(mark)
        return None if place is None else self._place(place)

    def _place(self, mark: int) -> Location:
        number, start, end = unpack(mark)
        source = self.files[number]
        line, column = source.place(start)
        last, _ = source.place(start + max(len(source.text[start:end].rstrip()) - 1, 0))
        return Location(source.name, line, column, last if last != line else None)

    def raw(self, mark: Mark) -> tuple[Source, int, str] | None:
        """The text behind a mark exactly as it stands in the file, with its source and offset."""
        place = at(mark)
        if place is None:
            return None
        number, start, end = unpack(place)
        return self.files[number], start, self.files[number].text[start:end]

    def point(self, number: int, offset: int, length: int = 0) -> Location:
        """The location of a character of a numbered file."""
        return self._place(pack(number, offset, offset + length))


def decode(data: bytes, name: str) -> str:
    """UTF-8 text without its byte order mark; anything else is a `ComposeError` that names the line."""
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            try:
                return data[2:].decode(codec)
            except UnicodeDecodeError:
                break
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise ComposeError(message, Location(name, line), kind="encoding") from None
    return text.removeprefix("\ufeff")
