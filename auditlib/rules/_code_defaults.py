"""Defaults of code: of scripts beside Compose's, and of the files of one image whose defaults for the login to a
database differ, so that a script waits for another one than that which the application asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import programs
from auditlib.inventory import Inventory
from auditlib.inventory.code import ScriptDefault
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import Variable
from auditlib.patterns import regex

_LOGIN = regex(
    r"(?:.+_)?(?:DB|DATABASE|PG|POSTGRES(?:QL)?|MYSQL|MARIADB|MONGO(?:DB)?)_(?:NAME|DB|DATABASE|USER(?:NAME)?)"
)
_ASIDE = regex(
    r"(?:^|/)(?:tests?|__tests__|e2e|specs?|fixtures|docs|examples?|node_modules)/|(?:^|/)(?:test_|conftest)|_test\.|"
    r"(?:^|[/._-])(?:tests?|testing|ci|dev(?:elopment)?|local|staging|prod(?:uction)?)\.\w+$"
)
"""Tests, and the settings of one environment, which have their own on purpose."""


def differing(inventory: Inventory) -> Iterator[tuple[Setting, ...]]:
    """For each variable the first settings of each default, where one image alone is made of all the code."""
    builds = {tuple(item.build.arguments) for item in inventory.distinct_services if item.build is not None}
    if len(inventory.dockerfiles) != 1 or len(builds) > 1:
        return
    found: defaultdict[str, dict[str, Setting]] = defaultdict(dict)
    for item in inventory.settings:
        literal = item.default is not None and item.default_kind == "literal" and not item.default.secret
        if literal and item.default and _LOGIN.fullmatch(item.name) and not _ASIDE.search(item.location.file):
            found[item.name].setdefault(item.default.text, item)
    for by_text in found.values():
        files = {item.location.file for item in by_text.values()}
        if len(files) > 1:
            yield tuple(by_text.values())


def of_scripts(inventory: Inventory) -> Iterator[tuple[Variable, ScriptDefault]]:
    """The numbers that Compose gives a container where nobody sets them, with what its own script takes then."""
    given = {(item.project, item.target): item for item in inventory.variables if item.operator in (":-", "-")}
    for program in programs.programs(inventory) if inventory.script_defaults else ():
        service = program.service
        for item in inventory.script_defaults:
            variable = given.get((service.project, f"services.{service.name}.environment.{item.name}"))
            text = variable.default.text if variable and variable.default else ""
            if variable and text.isdecimal() and int(text) != int(item.value) and program.holds(item.location.file):
                yield variable, item
