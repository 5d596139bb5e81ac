"""What Dependabot looks after, by its entries.

Follows https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.delivery import UpdateEntry
from auditlib.model import Coverage
from auditlib.readers.nodes import Entries, location, text
from auditlib.readers.reading import Reading, each
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "dependabot"
FILES = (".github/dependabot.yml", ".github/dependabot.yaml")


def read(source: Source) -> Reading:
    """An UpdateEntry for each entry of `updates`."""
    return each(source, [path for path in FILES if source.is_file(path)], KIND, _read)


def _read(source: Source, file: str) -> Iterator[UpdateEntry | Coverage]:
    documents = source.yaml(file)
    if not documents or not documents[0].is_mapping:
        raise Unreadable("is no mapping")
    entries = Entries(file, KIND)
    for entry in entries.of(documents[0], "updates"):
        yield UpdateEntry(text(entry, "package-ecosystem"), _folders(entry, entries), location(entry, file))
    yield from entries.problems


def _folders(entry: Node, entries: Entries) -> tuple[str, ...]:
    named = [text(entry, "directory"), *(item.text for item in entries.scalars(entry.get("directories")))]
    return tuple(name.strip("/") for name in named if name)
