"""The environment of containers, and the `${…}` that files are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from auditlib import compose
from auditlib.inventory.stack import EnvironmentEntry, Variable
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.compose.view import View
from auditlib.readers.endpoints import endpoints
from auditlib.redaction import Value, is_credential_name
from auditlib.source import Unreadable

_OPTIONS = regex(r"(?:--?[A-Za-z][\w-]*[ =]?|\$\w+|\$\{\w+\}| )+")
"""Options, and variables as their values."""
_LIST_ENTRY = regex(r"\s*-\s*[\"']?([\w.-]+)=")
_Place = tuple[str, int]
Config = dict[str, Any]


class _Use(Struct, frozen=True):
    variable: compose.Variable
    found: compose.Interpolated


class Interpolations:
    """Every `${…}` of a project by its line, and which entry of which service each became a part of."""

    def __init__(self, view: View, unset: frozenset[str]) -> None:
        self._view, self._unset = view, unset
        self._by_line: defaultdict[_Place, list[_Use]] = defaultdict(list)
        self._targets: defaultdict[Location, dict[tuple[str, str], None]] = defaultdict(dict)
        for variable in view.project.variables:
            for found in variable.uses:
                self._by_line[found.location.file, found.location.line].append(_Use(variable, found))

    def of_entry(self, service: str, name: str, place: Location) -> tuple[str, ...]:
        """The variables that an environment entry at `place` was made of, in the order of the file."""
        uses = [
            use
            for line in range(place.line, place.last_line + 1)
            for use in self._by_line.get((place.file, line), ())
            if self._belongs(use.found, name, place)
        ]
        for use in uses:
            self._targets[use.found.location][service, f"services.{service}.environment.{name}"] = None
        ordered = sorted(uses, key=lambda use: (use.found.location.line, use.found.location.column))
        return tuple(dict.fromkeys(use.variable.name for use in ordered))

    @staticmethod
    def _belongs(found: compose.Interpolated, name: str, place: Location) -> bool:
        if found.location.line == place.line and found.location.column < place.column:
            return False
        return not found.path or found.path[-1] == name or isinstance(found.path[-1], int)

    def records(self) -> Iterator[Variable]:
        """A record for each `${…}`, by file and line; several where an anchor carries it into several services."""
        uses = [use for line in sorted(self._by_line) for use in self._by_line[line]]
        for use in sorted(uses, key=lambda use: (use.found.location, use.found.name)):
            targets = self._targets.get(use.found.location) or {self._own_target(use.found): None}
            for service, target in targets:
                yield self._record(use, service or None, target)

    def _own_target(self, found: compose.Interpolated) -> tuple[str, str]:
        """The service and key in which a text stands in its own file."""
        parts = [str(part) for part in found.path]
        if len(parts) > 3 and parts[2] == "environment" and isinstance(found.path[3], int):
            parts[3] = self._name_at(found.location) or parts[3]
        return (parts[1] if len(parts) > 1 and parts[0] == "services" else "", ".".join(parts))

    def _name_at(self, place: Location) -> str:
        try:
            match = _LIST_ENTRY.match(self._view.source.lines(place.file)[place.line - 1])
        except (Unreadable, IndexError):
            return ""
        return match[1] if match else ""

    def _record(self, use: _Use, service: str | None, target: str) -> Variable:
        found = use.found
        key = target.rpartition(".")[2]
        name = found.name if is_credential_name(found.name) else key
        text = self._argument(found, name) if found.operator else None
        return Variable(
            self._view.name, found.name, found.operator, text, self._source(use), found.location, service, target
        )

    def _argument(self, found: compose.Interpolated, name: str) -> Value:
        """What stands after the operator: a default, which the name may make a secret, or what is surely none.

        That is a message, and options that take the variable: `${REDIS_PASSWORD:+--requirepass $REDIS_PASSWORD}`.
        """
        if found.operator in (":?", "?") or ("+" in found.operator and _OPTIONS.fullmatch(found.argument)):
            return self._view.value("message", found.argument)
        return self._view.value(name, found.argument, found.location)

    def _source(self, use: _Use) -> str:
        if use.variable.value is not None and use.found.name not in self._unset:
            place = use.variable.source_location
            return place.file if place is not None else "environment"
        return "default" if use.found.default is not None else "unset"


def entries(view: View, service: str, config: Config, uses: Interpolations) -> Iterator[EnvironmentEntry]:
    """The variables that a container gets, from `environment` and those env files that the audit considers."""
    for name, value in (config.get("environment") or {}).items():
        place = view.nearest("services", service, "environment", name)
        if place.file not in view.listed:
            continue
        is_compose = place.file.endswith((".yml", ".yaml"))
        text = None if value is None else view.text(value)
        yield EnvironmentEntry(
            name,
            None if text is None else view.value(name, text, place),
            uses.of_entry(service, name, place),
            "environment" if is_compose else place.file,
            place,
            () if text is None else endpoints(name, text),
        )
