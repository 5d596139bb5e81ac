"""An audit as a file: JSON that msgspec reads back into records by their declared types.

Loading builds auditlib's own records and nothing else; no code is run (as pickle would), whoever wrote the file. There
is no secret in it, since no record holds one. A snapshot is read by the version of auditlib that has the same records;
the digest of their fields tells. The graph is not saved: it follows from the inventory.
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from auditlib import graph
from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.excerpts import Excerpt
from auditlib.history import History
from auditlib.inventory import Inventory
from auditlib.model import Coverage, Finding, Location

_ROOMS = ("auditlib.excerpts", "auditlib.history", "auditlib.inventory", "auditlib.model")
"""Where the records are declared that a snapshot holds."""


class _Version(Struct):
    records: str


class _Saved(_Version):
    inventory: Inventory
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    excerpts: tuple[tuple[Location, Excerpt], ...]
    history: History | None
    as_of: date
    quiet: tuple[str, ...]


def save(audit: Audit, path: Path) -> None:
    """Write an audit to `path`."""
    path.write_bytes(dumps(audit))


def load(path: Path) -> Audit:
    """Read what `save` wrote. Raises UsageError for any other file."""
    try:
        return loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the snapshot {path} can't be read: {error}") from None


def dumps(audit: Audit) -> bytes:
    """The text of a snapshot."""
    excerpts = tuple(audit.excerpts.items())
    saved = _Saved(
        _digest(),
        audit.inventory,
        audit.findings,
        audit.coverage,
        excerpts,
        audit.history,
        audit.as_of,
        audit.quiet,
    )
    return msgspec.json.encode(saved, order="deterministic")


def loads(text: bytes) -> Audit:
    """The audit that `dumps` made the text of. Raises UsageError for any other text."""
    try:
        if msgspec.json.decode(text, type=_Version).records != _digest():
            raise UsageError("the snapshot was made by another version of auditlib; run the audit again")
        saved = msgspec.json.decode(text, type=_Saved)
    except (ValueError, RecursionError):
        raise UsageError("this is no snapshot of an audit; `auditlib report` makes one") from None
    inventory = saved.inventory
    return Audit(
        inventory,
        graph.assemble(inventory),
        saved.findings,
        saved.coverage,
        dict(saved.excerpts),
        saved.history,
        saved.as_of,
        saved.quiet,
    )


@cache
def _digest() -> str:
    """Changes with the name or type of any field of any record that a snapshot may hold."""
    records = {of for of in _below(Struct) if of.__module__.startswith(_ROOMS)} | {Inventory, _Saved}
    text = "\n".join(sorted(f"{of.__module__}.{of.__qualname__}({of.__annotations__})" for of in records))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _below(record: type) -> set[type]:
    return {record}.union(*map(_below, record.__subclasses__()))
