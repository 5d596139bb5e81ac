"""What a rule starts from, read from its own code, so that no rule has to say it twice."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache, cached_property
from types import CodeType, FunctionType

from auditlib.inventory import Inventory
from auditlib.rules._rule import Rule

_ALWAYS = frozenset({"file_set", "files_by_name", "folder_set", "losers"})
"""What every repository has."""


def is_held(rule: Rule, inventory: Inventory) -> bool:
    """Whether the repository holds anything of the kind of records that the rule starts from."""
    kind = _kind(rule)
    return not kind or bool(getattr(inventory, kind))


def _kind(rule: Rule) -> str:
    """The first kind of records in the code of the rule's check, then of its module; empty if there is none."""
    module = sys.modules[rule.check.__module__]
    functions = [item for item in vars(module).values() if isinstance(item, FunctionType)]
    own = [item for item in functions if item.__module__ == module.__name__]
    codes = [item.__code__ for item in (inspect.unwrap(rule.check), *own)]
    return next((name for code in codes for name in _names(code) if name in _kinds()), "")


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@cache
def _kinds() -> frozenset[str]:
    derived = {name for name, item in vars(Inventory).items() if isinstance(item, cached_property)}
    return frozenset({item.name for item in fields(Inventory) if "of" in item.metadata} | derived) - _ALWAYS
