"""What Renovate is kept to: the managers that alone it may use, or none where it is switched off.

Follows https://docs.renovatebot.com/configuration-options/#enabledmanagers and
https://docs.renovatebot.com/getting-started/installing-onboarding/#configuration-location. Files in JSON5 aren't read.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.delivery import UpdateLimit
from auditlib.readers.nodes import Entries, location
from auditlib.readers.reading import Reading, each
from auditlib.source import Source, Unreadable

KIND = "renovate"
FILES = ("renovate.json", ".github/renovate.json", ".renovaterc", ".renovaterc.json")
_REACHES_ALL = ("regex", "custom.")
"""Managers that take whatever files they are told of."""


def read(source: Source) -> Reading:
    """An UpdateLimit for a configuration that keeps Renovate to some managers, or from all."""
    return each(source, [path for path in FILES if source.is_file(path)], KIND, _read)


def _read(source: Source, file: str) -> Iterator[UpdateLimit]:
    documents = source.yaml(file)
    if not documents or not documents[0].is_mapping:
        raise Unreadable("is no mapping")
    root = documents[0]
    entries = Entries(file, KIND)
    named = root.get("enabledManagers")
    managers = tuple(item.text for item in entries.scalars(named))
    switch = root.get("enabled")
    again = any((found := rule.get("enabled")) and found.value is True for rule in entries.of(root, "packageRules"))
    if switch is not None and switch.value is False and not again:
        yield UpdateLimit((), location(switch, file))
    elif named is not None and managers and not any(name.startswith(_REACHES_ALL) for name in managers):
        yield UpdateLimit(managers, location(named, file))
