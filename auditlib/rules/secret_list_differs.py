"""A document lists other secrets than the workflows use.

Who sets the repository up by the list enters too few, and the workflow runs with empty values, often without a failure;
or enters what nobody asks for, and gives a password away for nothing.

Anti-pattern:

    <!-- docs/setup.md: the workflow uses AWS_SECRET_ACCESS_KEY too -->
    | Secret | Purpose |
    |---|---|
    | `SSH_HOST` | the server |
    | `SSH_KEY` | the key for it |

Better:

    | Secret | Purpose |
    |---|---|
    | `SSH_HOST` | the server |
    | `SSH_KEY` | the key for it |
    | `AWS_SECRET_ACCESS_KEY` | the storage of uploads |

Recommendation:

    Keep one list of the secrets, and link to it from the other documents.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Document, Mention, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SECRETS = regex(r"secret|github actions|\bci\b", re.I)
_OF_GITHUB = regex(r"github|actions|repository secret", re.I)
_GIVEN = frozenset({"GITHUB_TOKEN", "ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"})
_ENOUGH = 2
"""Secrets of a workflow that a list has to name before it counts as that workflow's."""


class _List(Struct, frozen=True):
    """What a document names below one heading: `names` of any kind, `rows` of a table of secrets."""

    document: Document
    title: str
    names: dict[str, Mention]
    rows: dict[str, Mention]


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each workflow one finding for all lists that lack its secrets; for each document one for what none uses."""
    uses = {item.file: _uses(item) for item in inventory.workflows}
    lists = [item for document in inventory.documents for item in _lists(document)] if any(uses.values()) else []
    short: defaultdict[str, list[tuple[_List, list[str]]]] = defaultdict(list)
    for item in lists:
        for file, lacking in _lacking(item, uses):
            short[file].append((item, lacking))
    for file, found in short.items():
        yield _too_short(file, found, uses[file])
    if not any(job.uses and not job.uses.startswith("./") for job in inventory.jobs):
        everything = {name for names in uses.values() for name in names} | _GIVEN
        for item in lists:
            unused = [name for name in item.rows if name not in everything]
            if unused and _OF_GITHUB.search(item.title):
                yield _unused(item, unused)


def _uses(workflow: Workflow) -> dict[str, Related]:
    """The secrets that a workflow uses, with the first place of each."""
    found: dict[str, Related] = {}
    for use in workflow.secrets:
        if use.kind == "secrets" and use.name not in _GIVEN:
            found.setdefault(use.name, Related(use.location, f"{use.name} is used here"))
    return found


def _lists(document: Document) -> Iterator[_List]:
    """What a document names below each heading on secrets or on CI, up to the next heading."""
    for index, heading in enumerate(document.headings):
        if not _SECRETS.search(heading.text):
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
            yield _List(document, f"{document.title} {heading.text}", names, rows)


def _lacking(item: _List, uses: dict[str, dict[str, Related]]) -> Iterator[tuple[str, list[str]]]:
    """The workflows of which a list names some secrets, with those that its whole document doesn't name."""
    named = {mention.text for mention in item.document.mentions if mention.kind == "variable"}
    complete = [set(names) & set(item.names) for names in uses.values() if set(names) <= named]
    for file, names in uses.items():
        told = set(names) & set(item.names)
        lacking = [name for name in names if name not in named]
        if len(told) >= _ENOUGH and lacking and not any(len(told & other) >= _ENOUGH for other in complete):
            yield file, lacking


def _first(item: _List) -> Mention:
    return min(item.names.values(), key=lambda mention: mention.location.line)


def _too_short(file: str, found: list[tuple[_List, list[str]]], uses: dict[str, Related]) -> Evidence:
    (first, lacking), *others = found
    told = [name for name in first.names if name in uses]
    path = first.document.path
    return Evidence(
        f"{path} lists {listed(sorted(told), limit=4)} as secrets, and {file} uses {listed(lacking)} too: who follows "
        "the list has it run with empty values.",
        _first(first).location,
        subject=f"{file}/{path}",
        related=(
            *(Related(_first(item).location, f"lacks {listed(names)}", member=True) for item, names in others),
            *(uses[name] for name in lacking),
        ),
        recommendation=f"Add {listed(lacking, limit=4)} to the list of {path}, or link to one list of all.",
        example=files.into(path, "\n".join(f"| `{name}` | <purpose> | <where it comes from> |" for name in lacking)),
    )


def _unused(item: _List, unused: list[str]) -> Evidence:
    path = item.document.path
    return Evidence(
        f"{path} lists {listed(unused)} among the secrets of GitHub, and no workflow uses "
        f"{'it' if len(unused) == 1 else 'them'}.",
        item.rows[unused[0]].location,
        subject=f"{path}/unused",
        related=tuple(Related(item.rows[name].location, f"lists {name}", member=True) for name in unused[1:]),
        recommendation=f"Take {listed(unused, limit=4)} out of the list of {path}, or have a workflow use them.",
        severity=Severity.LOW,
        example="\n".join(f"# {item.rows[name].location}: without {name}" for name in unused),
    )
