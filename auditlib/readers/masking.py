"""The last thing before records leave the readers: every text in them is masked by all the secrets that are known then.

A reader knows the secrets of the files read so far; a value may stand in the open in one file and as a password in
another that is read later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from auditlib.inventory.stack import Network, Project, Service, Volume
from auditlib.model import Coverage, Location
from auditlib.redaction import Value, Vault

_LEFT_ALONE = (Location, Value)
"""A place names a file, which is shown whatever it is called; a value is masked where it is made."""


def allow_names(vault: Vault, records: Iterable[Any]) -> None:
    """Show the names of services, volumes, networks and projects even where one of them is a password too."""
    vault.allow(*(record.name for record in records if isinstance(record, (Service, Volume, Network, Project))))


class Masking:
    """Masks records; equal texts are looked at once. `paths` are shown as they are."""

    def __init__(self, vault: Vault, paths: Iterable[str]) -> None:
        self._vault = vault
        self._texts: dict[str, str] = {path: path for path in paths}
        self._fields: dict[type, tuple[str, ...]] = {}

    def record(self, record: Any) -> Any:
        """The same record with its texts masked; the very same object if there was nothing to mask."""
        return self._masked(record)

    def coverage(self, entry: Coverage) -> Coverage:
        """A coverage entry whose reason is masked; the name of its file stays."""
        return replace(entry, reason=self._text(entry.reason))

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, tuple):
            return self._tuple(value)
        if isinstance(value, frozenset):
            return self._words(value)
        if isinstance(value, _LEFT_ALONE) or not is_dataclass(value):
            return value
        return self._dataclass(value)

    def _text(self, text: str) -> str:
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._vault.mask(text)
        return known

    def _tuple(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        masked = tuple(self._masked(item) for item in items)
        return masked if any(new is not old for new, old in zip(masked, items, strict=True)) else items

    def _words(self, words: frozenset[str]) -> frozenset[str]:
        """The words of a document, without those that are a part of a secret."""
        kept = frozenset(word for word in words if not self._vault.reveals(word))
        return kept if len(kept) < len(words) else words

    def _dataclass(self, record: Any) -> Any:
        kind = type(record)
        names = self._fields.get(kind)
        if names is None:
            names = self._fields[kind] = tuple(item.name for item in fields(kind))
        changes = {
            name: masked for name in names if (masked := self._masked(old := getattr(record, name))) is not old
        }
        return replace(record, **changes) if changes else record
