"""The files of one image whose defaults for the login to a database differ: a script waits for another one than that
which the application asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
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
