"""The last thing before records leave the readers: every text in them is masked by all the secrets that are known then.

A reader knows the secrets of the files read so far; a value may stand in the open in one file and as a password in
another that is read later.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import is_not
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from auditlib.inventory.configuration import NamedVariables, Setting
from auditlib.inventory.delivery import Workflow
from auditlib.inventory.stack import Network, Project, Service, Volume
from auditlib.model import Coverage, Location
from auditlib.patterns import regex
from auditlib.redaction import Value, Vault

_LEFT_ALONE = (Location, Value)
"""A place names a file, which is shown whatever it is called; a value is masked where it is made."""

_SPELLED = regex(r"[A-Z][A-Z\d]*(?:_[A-Z\d]+)+")


def allow_names(vault: Vault, records: Iterable[Any]) -> None:
    """Show the names of services, volumes, networks and projects even where one of them is a password too.

    And those that GitHub's secrets are referred to by, and that code reads variables by, which a table of secrets in a
    document, or a sentence on how to log in, may be taken for.
    """
    found = list(records)
    vault.allow(*(record.name for record in found if isinstance(record, (Service, Volume, Network, Project))))
    uses = (use.name for record in found if isinstance(record, Workflow) for use in record.secrets)
    read = (record.name for record in found if isinstance(record, Setting))
    vault.allow(*(name for name in (*uses, *read) if _SPELLED.fullmatch(name)))


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
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is tuple:
            return self._tuple(value)
        if kind is frozenset:
            return self._words(value)
        if kind is NamedVariables:
            return self._variables(value)
        names = self._fields.get(kind)
        if names is None:
            shown = issubclass(kind, Struct) and kind not in _LEFT_ALONE
            names = self._fields[kind] = kind.__struct_fields__ if shown else ()
        return self._record(value, names) if names else value

    def _text(self, text: str) -> str:
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._vault.mask(text)
        return text if known == text else known  # the very same object, so that its record need not be made again

    def _tuple(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        if not items:
            return items
        masked = tuple([self._masked(item) for item in items])
        return masked if any(map(is_not, masked, items)) else items

    def _words(self, words: frozenset[str]) -> frozenset[str]:
        """The words of a document, without those that are a part of a secret."""
        kept = frozenset(word for word in words if not self._vault.reveals(word))
        return kept if len(kept) < len(words) else words

    def _variables(self, record: NamedVariables) -> NamedVariables:
        """The names of variables, also where a secret's value speaks of one (`pass env:BACKUP_KEY`)."""
        kept = frozenset(name for name in record.names if not self._vault.is_secret(name))
        return replace(record, names=kept) if len(kept) < len(record.names) else record

    def _record(self, record: Any, names: tuple[str, ...]) -> Any:
        changes = {}
        for name in names:
            old = getattr(record, name)
            masked = self._masked(old)
            if masked is not old:
                changes[name] = masked
        return replace(record, **changes) if changes else record
