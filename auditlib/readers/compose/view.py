"""One loaded project as the records need it: values with fallback places, paths from the root, masked texts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from auditlib import compose
from auditlib.inventory.delivery import Command
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import shell
from auditlib.readers.compose.credentials import CredentialWords
from auditlib.redaction import Value, is_credential_name
from auditlib.source import Source, Unreadable

_MESSAGE_LIMIT = 500
_ABSOLUTE = regex(r"(?<![^\s'\"])/[^\s:;,'\"]+")
_BLOCK = regex(r"[|>][-+\d]{0,2}\s*(?:#.*)?$")
_URL = regex(r"[a-z][a-z0-9+.-]*://|git@", re.I)


@dataclass
class View:
    """A project of the loader under the name that the repository gives it."""

    source: Source
    name: str
    project: compose.Project
    config: dict[str, Any] = field(init=False)
    """All of the project, unused resources included, as plain data."""
    overrides: dict[Location, tuple[Location, ...]] = field(default_factory=dict)
    """The places that were asked for whose value won over others, with the places of those."""

    def __post_init__(self) -> None:
        self.config = self.project.full_config()
        self._root = str(self.source.root)
        self._credentials = CredentialWords(self.project.variables)
        self.listed = frozenset(self.source.files)
        """The files that the audit considers; what stands in others is not passed on."""

    def learn_secrets(self) -> None:
        """Have every secret of the environments known, so that none shows where it stands earlier in the project."""
        for config in self.section("services").values():
            for name, value in (config.get("environment") or {}).items():
                if value and is_credential_name(name):
                    self.source.vault.value(name, self.text(value))
                elif value:
                    self.source.vault.learn(self.text(value))

    def section(self, name: str) -> dict[str, dict[str, Any]]:
        """A top-level section: its entries by name, an empty one for null."""
        return {key: value or {} for key, value in (self.config.get(name) or {}).items()}

    def place(self, *path: str | int) -> Location | None:
        """Where a value stands; None for what Compose made up. What it won over is noted."""
        place = self.project.location(*path)
        if place and len(self.project.files) > 1 and self._is_scalar(path):
            losers = tuple(loser for loser in self.project.overridden(*path) if loser != place)
            self.overrides |= {place: losers} if losers else {}
        return place

    def _is_scalar(self, path: tuple[str | int, ...]) -> bool:
        """Whether one value stands at a path: of a mapping, only the parts win or lose; a command wins as a whole."""
        if path[-1] in ("command", "entrypoint"):
            return True
        node: Any = self.config
        for key in path:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                return False
        return not isinstance(node, (dict, list))

    def nearest(self, *path: str | int) -> Location:
        """Where a value stands, or the nearest thing around it that stands somewhere."""
        for length in range(len(path), 0, -1):
            if (found := self.place(*path[:length])) is not None:
                return found
        return Location(self.project.files[0])

    def value(self, name: str, text: object, place: Location | None = None) -> Value:
        """A variable's value as it may be passed on; its place tells which credentials it was made of."""
        return self.source.vault.value(name, self.text(text), self._credentials.at(place))

    def masked(self, text: object) -> str:
        """A text as it may be passed on."""
        return self.source.vault.mask(self.text(text)) if text not in (None, "") else ""

    def text(self, value: object) -> str:
        """A scalar as Compose writes it, without the path of this checkout."""
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value).replace(self._root, ".")

    def message(self, text: str, code: str) -> str:
        """What the loader says, in one line; paths out of the repository as seen from its root."""
        if code == "outside-root":
            text = text.replace(f"out of {self._root};", "out of the repository;")
            text = _ABSOLUTE.sub(lambda found: self._from_root(found[0]), text)
        return self.masked(" ".join(text.split())[:_MESSAGE_LIMIT])

    def words(self, words: Sequence[object] | None, place: Location | None) -> tuple[str, ...]:
        """The words of a command as they may be passed on; a secret is known by its place and the words around it."""
        return self.source.vault.mask_words([self.text(word) for word in words or ()], self._credentials.at(place))

    def commands(
        self, words: Sequence[object], place: Location, *others: Location | None, as_text: bool = False
    ) -> tuple[Command, ...]:
        """The simple commands of a list of words, or of the text that the first of them is, from one place or more."""
        texts, vault = [self.text(word) for word in words], self.source.vault
        secret = frozenset().union(*map(self._credentials.at, (place, *others)))
        if as_text:
            found = shell.commands(texts[0], place.file, place.line, vault) if texts else ()
        else:
            found = shell.of_words(texts, place, vault)
        return tuple(replace(each, words=vault.mask_words(each.words, secret)) for each in found) if secret else found

    def path(self, path: str, place: Location | None = None) -> tuple[str, bool]:
        """A path relative to the root, and whether it lies outside; there it stays as the file has it."""
        if _URL.match(path):
            return self.masked(path), True
        if path == self._root or path.startswith(self._root + "/"):
            return os.path.relpath(path, self._root).replace(os.sep, "/"), False
        if not path.startswith("/") or self._is_written(path, place):
            return path, True
        return self._from_root(path), True

    def begins_block(self, place: Location) -> bool:
        """Whether a text of several lines begins below a place (`command: |`, `command: >`)."""
        try:
            lines = self.source.lines(place.file)[place.line - 1 : place.line]
        except Unreadable:
            return False
        return any(_BLOCK.search(line) for line in lines)

    def _from_root(self, path: str) -> str:
        """An absolute path that may be a resolved relative one, as seen from the root."""
        near = path.split("/")[1:2] == self._root.split("/")[1:2]
        return os.path.relpath(path, self._root).replace(os.sep, "/") if near else path

    def _is_written(self, path: str, place: Location | None) -> bool:
        """Whether an absolute path stands so in the file, rather than being a relative one that was resolved."""
        try:
            lines = self.source.lines(place.file)[place.line - 1 : place.last_line] if place else []
        except Unreadable:
            return True
        first = "/" + path.split("/")[1]
        return not lines or any(first in line for line in lines)


def strings(values: Iterable[object] | None) -> tuple[str, ...]:
    """The items of a list as texts."""
    return tuple(str(value) for value in values or ())
