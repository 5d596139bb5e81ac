"""The lists of GitHub's secrets in documents, and which secrets of a workflow they lack.

Follows https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from auditlib.inventory import Inventory
from auditlib.inventory.delivery import PairUse, Workflow
from auditlib.inventory.document import Document, Mention
from auditlib.patterns import regex

GIVEN = frozenset({"GITHUB_TOKEN", "ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"})
"""What GitHub provides, or knows by itself."""
_HEADING = regex(r"secret|github actions|\bci\b", re.I)
_ENOUGH = 2
"""Secrets of a workflow that a list has to name before it counts as that workflow's."""


class SecretList(Struct, frozen=True):
    """What a document names below one heading: `names` of any kind, `rows` of a table of secrets."""

    document: Document
    title: str
    names: dict[str, Mention]
    rows: dict[str, Mention]

    def lacking(self, uses: Mapping[str, Mapping[str, PairUse]]) -> Iterator[tuple[str, list[str]]]:
        """The workflows of which the list names some secrets, with those that its whole document doesn't name."""
        named = {mention.text for mention in self.document.mentions if mention.kind in ("variable", "secret")}
        needed = {file: [name for name in names if not names[name].optional] for file, names in uses.items()}
        complete = [set(names) & set(self.names) for file, names in uses.items() if set(needed[file]) <= named]
        for file, names in uses.items():
            told = set(names) & set(self.names)
            lacking = [name for name in needed[file] if name not in named and not self._may_name(name)]
            if len(told) >= _ENOUGH and lacking and not any(len(told & other) >= _ENOUGH for other in complete):
                yield file, lacking

    def _may_name(self, name: str) -> bool:
        """Whether the document may name a secret of one word (`DOMAIN`), which no sign tells from other words."""
        return "_" not in name and name.lower() in self.document.words


def uses(workflow: Workflow) -> dict[str, PairUse]:
    """The secrets that somebody sets for a workflow, each with its first use; one that nothing stands in for wins."""
    found: dict[str, PairUse] = {}
    for use in sorted(workflow.secrets, key=lambda item: item.optional):
        if use.kind == "secrets" and use.name.upper() not in GIVEN:
            found.setdefault(use.name, use)
    return found


def of(inventory: Inventory) -> list[SecretList]:
    """The lists of all documents; none where no workflow uses a secret."""
    if not any(map(uses, inventory.workflows)):
        return []
    return [item for document in inventory.documents for item in _of_document(document)]


def _of_document(document: Document) -> Iterator[SecretList]:
    """What a document names below each heading on secrets or on CI, up to the next heading."""
    for index, heading in enumerate(document.headings):
        if not _HEADING.search(heading.text):
            continue
        first = heading.location.line
        last = next((item.location.line for item in document.headings[index + 1 :]), None)
        mine = [
            item for item in document.mentions
            if first < item.location.line and (last is None or item.location.line < last)
        ]  # fmt: skip
        names = {item.text: item for item in reversed(mine) if item.kind == "variable"}
        rows = {item.text: item for item in mine if item.kind == "secret"}
        if names or rows:
            yield SecretList(document, f"{document.title} {heading.text}", names, rows)
