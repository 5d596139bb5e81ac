"""`dataclass` for frozen records with slots, of which every start makes two hundred.

The standard library compiles six functions for each class, a tenth of a second altogether. Here `__init__` alone is
compiled; the other methods need no code of their own. To a type checker, to `dataclasses.fields` and to `replace` these
are dataclasses like any other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: Literal[True], slots: Literal[True]) -> Callable[[type], type]:
        """The class decorator. A field has a plain default or none, and each is a parameter; no `__post_init__`."""
        return _record


def _record(declared: type) -> Any:
    declared.__doc__ = declared.__doc__ or declared.__name__  # else the standard library works the signature out
    record: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(declared)
    values = _values([field.name for field in dataclasses.fields(record)])

    def equal(self: Any, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is record else NotImplemented

    record.__init__ = _init(record)
    record.__eq__ = equal
    record.__hash__ = lambda self: hash(values(self))
    record.__repr__ = _shown
    record.__reduce__ = lambda self: (record, values(self))
    record.__setattr__ = record.__delattr__ = _refuse
    return record


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*names) if len(names) > 1 else lambda self: tuple(getattr(self, name) for name in names)


def _init(record: Any) -> Callable[..., None]:
    """Sets the slots past `__setattr__`, which refuses."""
    fields = dataclasses.fields(record)
    known: dict[str, Any] = {f"set_{field.name}": getattr(record, field.name).__set__ for field in fields}
    known |= {f"default_{field.name}": field.default for field in fields}
    defaults = {
        field.name: "" if field.default is dataclasses.MISSING else f"=default_{field.name}" for field in fields
    }
    parameters = ", ".join(name + default for name, default in defaults.items())
    body = "".join(f"\n set_{name}(self, {name})" for name in defaults)
    exec(f"def __init__(self, {parameters}):{body or ' pass'}", known)  # noqa: S102  # names of fields, nothing else
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{record.__qualname__}.__init__"
    return init


def _shown(self: Any) -> str:
    fields = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self))
    return f"{self.__class__.__qualname__}({', '.join(fields)})"


def _refuse(self: object, name: str, *_: object) -> None:
    raise dataclasses.FrozenInstanceError(f"{self.__class__.__qualname__}.{name} can't be changed")
