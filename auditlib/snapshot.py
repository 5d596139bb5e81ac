"""An audit as a file: JSON that is read back into records by their declared types.

Loading builds auditlib's own frozen records and nothing else; no code is run (as pickle would), whoever wrote the file.
There is no secret in it, since no record holds one. A snapshot is read by the version of auditlib that has the same
records; the digest of their fields tells. The graph is not saved: it follows from the inventory.
"""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from auditlib import graph
from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.excerpts import Excerpt
from auditlib.history import History
from auditlib.inventory import Inventory
from auditlib.model import Coverage, Finding, Location

_PARTS: dict[str, Any] = {
    "inventory": Inventory,
    "findings": tuple[Finding, ...],
    "coverage": tuple[Coverage, ...],
    "excerpts": tuple[tuple[Location, Excerpt], ...],
    "history": History | None,
}


def save(audit: Audit, path: Path) -> None:
    """Write an audit to `path`."""
    path.write_text(dumps(audit), encoding="utf-8")


def load(path: Path) -> Audit:
    """Read what `save` wrote. Raises UsageError for any other file."""
    try:
        return loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the snapshot {path} can't be read: {error}") from None


def dumps(audit: Audit) -> str:
    """The text of a snapshot."""
    values = (audit.inventory, audit.findings, audit.coverage, tuple(audit.excerpts.items()), audit.history)
    parts = {name: _encode(value) for name, value in zip(_PARTS, values, strict=True)}
    return json.dumps({"records": _digest(), **parts}, ensure_ascii=False, separators=(",", ":"))


def loads(text: str) -> Audit:
    """The audit that `dumps` made the text of. Raises UsageError for any other text."""
    try:
        document = json.loads(text)
        if document["records"] != _digest():
            raise UsageError("the snapshot was made by another version of auditlib; run the audit again")
        inventory, findings, coverage, excerpts, history = (_decoder(of)(document[name]) for name, of in _PARTS.items())
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("this is no snapshot of an audit; `auditlib report` makes one") from None
    return Audit(inventory, graph.build(inventory), findings, coverage, dict(excerpts), history)


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(value)
    if _is_record(type(value)):
        return [_encode(getattr(value, name)) for name in _field_names(value.__class__)]
    return [_encode(item) for item in value]


def _is_record(of: Any) -> bool:
    return isinstance(of, type) and (issubclass(of, Struct) or of is Inventory)


@cache
def _field_names(record: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record)) if record is Inventory else record.__struct_fields__


@cache
def _decoder(of: Any) -> Callable[[Any], Any]:
    """What turns JSON back into a value of type `of`."""
    origin, arguments = typing.get_origin(of), typing.get_args(of)
    if origin is tuple and arguments[-1] is Ellipsis:
        item = _decoder(arguments[0])
        return lambda values: tuple([item(value) for value in values])
    if origin is tuple:
        parts = [_decoder(argument) for argument in arguments]
        return lambda values: tuple(part(value) for part, value in zip(parts, values, strict=True))
    if origin is frozenset:
        return frozenset
    if origin in (types.UnionType, typing.Union):
        inner = _decoder(next(argument for argument in arguments if argument is not type(None)))
        return lambda value: None if value is None else inner(value)
    if _is_record(of):
        return _record_decoder(of)
    return _plain_decoder(of)


def _record_decoder(record: type) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(record)
    parts = [_decoder(hints[name]) for name in _field_names(record)]
    return lambda values: record(*[part(value) for part, value in zip(parts, values, strict=True)])


def _plain_decoder(of: type) -> Callable[[Any], Any]:
    if issubclass(of, Enum):
        return of

    def check(value: Any) -> Any:
        if not isinstance(value, of):
            raise TypeError(f"{value!r} is no {of.__name__}")
        return value

    return check


@cache
def _digest() -> str:
    """Changes with the name or type of any field of any record that a snapshot holds."""
    described: dict[type, str] = {}
    waiting: list[Any] = list(_PARTS.values())
    while waiting:
        of = waiting.pop()
        waiting += typing.get_args(of)
        if _is_record(of) and of not in described:
            hints = typing.get_type_hints(of)
            described[of] = ", ".join(f"{name}: {hints[name]}" for name in _field_names(of))
            waiting += hints.values()
    text = "\n".join(sorted(f"{of.__qualname__}({shape})" for of, shape in described.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
