"""What a repository says about its own audit: `auditlib.toml`, or `[tool.auditlib]` in pyproject.toml.

It may come from anybody, so it is data within limits: a small regular file of the repository itself, read as TOML.
It can leave files and rules out, which the coverage and the list of suppressed findings show; it can't run anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from auditlib import nearest, rules, scanners
from auditlib.errors import UsageError
from auditlib.listing import read_regular
from auditlib.model import Location, Severity
from auditlib.toml_document import TomlDocument

FILE = "auditlib.toml"
SIZE_LIMIT = 200_000
"""Bytes of the largest configuration that is read."""
ENTRY_LIMIT = 1_000
"""Entries of the longest list or table."""


class Ignore(Struct, frozen=True):
    """What somebody decided not to mend: a rule, where, why, and until when."""

    rule: str
    reason: str
    location: Location
    """Where this was decided."""
    path: str = ""
    """The files for which it holds, as in `.gitignore`; all without it."""
    service: str = ""
    expires: date | None = None


class Configuration(Struct, frozen=True):
    """The settings of one audit; the defaults leave everything on."""

    severity: Mapping[str, Severity] = field(default_factory=dict)
    """By rule: the severity that its findings get."""
    disable: tuple[str, ...] = ()
    """Rules that are switched off."""
    known_hosts: tuple[str, ...] = ()
    """Host names outside of the repository that may be referred to."""
    exclude: tuple[str, ...] = ()
    """Files that are left out, as in `.gitignore`."""
    fail_on: Severity | None = None
    ignore: tuple[Ignore, ...] = ()


def load(root: Path) -> Configuration:
    """The configuration of the repository at `root`; the defaults if it has none. A link is none: the listing says so.

    Raises UsageError, with file and line, for one that can't be understood.
    """
    for name, section in ((FILE, ()), ("pyproject.toml", ("tool", "auditlib"))):
        data = read_regular(root / name, SIZE_LIMIT, follow=False)
        if data is None and name == FILE and (root / name).exists() and not (root / name).is_symlink():
            raise UsageError(f"{name}:1: is no regular file of at most {SIZE_LIMIT} bytes")
        if data is not None and (name == FILE or b"tool.auditlib" in data):
            return _Reader(TomlDocument(name, data.decode("utf-8", "replace"))).read(section)
    return Configuration()


def check_rule(rule: str, known: Iterable[str]) -> str | None:
    """Why there is no such rule, with the nearest that there is; None if there is one."""
    ids = list(known)
    if rule in ids or scanners.is_scanner_rule(rule):
        return None
    hint = nearest.hint(rule, [*ids, *scanners.documented()], "`auditlib rules` lists all")
    return f"there is no rule {rule!r}; {hint}"


class _Reader(Struct):
    document: TomlDocument

    def read(self, section: tuple[str, ...]) -> Configuration:
        table: Any = self.document.parse()
        for name in section:
            table = table.get(name, {}) if isinstance(table, dict) else {}
        fields: dict[str, Callable[[Any], Any]] = {
            "severity": self._severities,
            "disable": lambda value: tuple(self._rule(rule) for rule in self._strings("disable", value)),
            "known_hosts": lambda value: self._strings("known_hosts", value),
            "exclude": lambda value: self._strings("exclude", value),
            "fail_on": lambda value: self._level("fail_on", value),
            "ignore": self._ignores,
        }
        self.document.check_keys(table, fields)
        return Configuration(**{name: fields[name](value) for name, value in table.items()})

    def _strings(self, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.document.error(key, f"{key} is a list of texts")
        if len(value) > ENTRY_LIMIT:
            raise self.document.error(key, f"{key} has more than {ENTRY_LIMIT} entries")
        return tuple(value)

    def _level(self, key: str, value: Any) -> Severity:
        try:
            return Severity(value)
        except ValueError:
            levels = [str(level) for level in Severity]
            hint = nearest.hint(str(value), levels, f"there are {', '.join(levels)}")
            raise self.document.error(key, f"there is no severity {value!r}; {hint}") from None

    def _severities(self, table: Any) -> dict[str, Severity]:
        self.document.check_keys(table, table if isinstance(table, dict) else ())
        return {self._rule(rule): self._level(rule, value) for rule, value in table.items()}

    def _rule(self, rule: str, after: int = 0) -> str:
        problem = check_rule(rule, rules.catalogue())
        if problem:
            raise self.document.error(rule, problem, after)
        return rule

    def _ignores(self, entries: Any) -> tuple[Ignore, ...]:
        if not isinstance(entries, list) or len(entries) > ENTRY_LIMIT:
            raise self.document.error("ignore", f"ignore is a list of at most {ENTRY_LIMIT} tables: write [[ignore]]")
        made: list[Ignore] = []
        for entry in entries:
            after = self.document.line_of("ignore", made[-1].location.line if made else 0)
            made.append(self._ignore(entry, after))
        return tuple(made)

    def _ignore(self, entry: Any, line: int) -> Ignore:
        self.document.check_keys(entry, ("rule", "path", "service", "reason", "expires"), after=line)
        for key in ("rule", "reason"):
            if not str(entry.get(key, "")).strip():
                raise UsageError(f"{self.document.file}:{line}: an ignore needs a {key}")
        texts = {key: entry.get(key, "") for key in ("rule", "path", "service", "reason")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise UsageError(f"{self.document.file}:{line}: rule, path, service and reason of an ignore are texts")
        self._rule(texts["rule"], line)
        return Ignore(
            location=Location(self.document.file, line), expires=self._date(entry.get("expires"), line), **texts
        )

    def _date(self, value: Any, line: int) -> date | None:
        if isinstance(value, datetime):
            return value.date()
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.document.error("expires", f"{value!r} is no date; write expires = 2027-01-31", line) from None
