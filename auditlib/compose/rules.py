"""Rules by key path: what to do with the value at `services.*.ports`, for all the stages that walk the project.

compose-go compares every path of the project with every pattern of a table. Here a table is compiled into a tree
that is walked together with the project, so a walk only enters what some rule is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.tree import Map, Mark, Seq

DROP = object()
"""What an action returns for an entry that is to go away."""


class Rule:
    """One step of a pattern: the action at this path, if any, and the patterns below it."""

    __slots__ = ("act", "any", "below")

    def __init__(self) -> None:
        self.act: Any = None
        self.below: dict[str, Rule] = {}
        self.any: Rule | None = None

    def child(self, key: str) -> Rule | None:
        """The rules below a key; `[]` stands for any index of a list."""
        return self.below.get(key, self.any)


class Rules:
    """A table of actions by pattern: parts separated by dots, `*` for any key or index."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.top = Rule()
        for pattern, action in table.items():
            rule = self.top
            for part in pattern.split("."):
                if part == "*":
                    rule.any = rule.any or Rule()
                    rule = rule.any
                else:
                    rule = rule.below.setdefault(part, Rule())
            rule.act = action


Action = Callable[[Any, Mark, Path], Any]
Fault = Callable[[str, Mark, Path], None]


class Rewrite:
    """Walks a project along rules and replaces what their actions return; containers are copied when they change.

    An action gets the value, its mark and its path. When it raises `RefusedError`, the fault is reported and the
    entry left out.
    """

    def __init__(self, rules: Rules, fault: Fault) -> None:
        self.rules, self.fault = rules, fault

    def run(self, project: Map) -> Map:
        """The project with every rule applied."""
        result = self._visit(project, self.rules.top, None, ())
        return result if isinstance(result, Map) else Map()

    def _visit(self, value: Any, rule: Rule, mark: Mark, path: Path) -> Any:
        if rule.act is not None:
            try:
                value = rule.act(value, mark, path)
            except RefusedError as error:
                self.fault(str(error), mark, path)
                return DROP
        if type(value) is Map and (rule.below or rule.any):
            return self._mapping(value, rule, path)
        if type(value) is Seq and rule.any is not None:
            return self._sequence(value, rule.any, path)
        return value

    def _mapping(self, value: Map, rule: Rule, path: Path) -> Map:
        out = None
        keys = list(value) if rule.any is not None else [k for k in rule.below if k in value]
        for key in keys:
            below = rule.below.get(key, rule.any)
            if below is None:
                continue
            old = value[key]
            new = self._visit(old, below, value.marks.get(key), (*path, key))
            if new is not old:
                out = out or value.copy()
                if new is DROP:
                    out.drop(key)
                else:
                    out[key] = new
        return value if out is None else out

    def _sequence(self, value: Seq, rule: Rule, path: Path) -> Seq:
        out = Seq()
        changed = False
        for index, (item, mark) in enumerate(value.entries()):
            new = self._visit(item, rule, mark, (*path, index))
            changed = changed or new is not item
            if new is not DROP:
                out.add(new, mark)
        return out if changed else value
