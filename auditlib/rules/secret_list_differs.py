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

from auditlib.conventions import secret_lists
from auditlib.conventions.secret_lists import SecretList
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import PairUse
from auditlib.inventory.document import Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_GITHUB = regex(r"github|actions|repository secret", re.I)


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each workflow one finding for all lists that lack its secrets; for each document one for what none uses."""
    uses = {item.file: secret_lists.uses(item) for item in inventory.workflows}
    lists = secret_lists.of(inventory)
    short: defaultdict[str, list[tuple[SecretList, list[str]]]] = defaultdict(list)
    for item in lists:
        for file, lacking in item.lacking(uses):
            short[file].append((item, lacking))
    for file, found in short.items():
        yield _too_short(file, found, uses[file])
    if not any(job.uses and not job.uses.startswith("./") for job in inventory.jobs):
        everything = {name for names in uses.values() for name in names} | secret_lists.GIVEN
        for item in lists:
            unused = [name for name in item.rows if name not in everything]
            if unused and _OF_GITHUB.search(item.title):
                yield _unused(item, unused)


def _first(item: SecretList) -> Mention:
    return min(item.names.values(), key=lambda mention: mention.location.line)


def _too_short(file: str, found: list[tuple[SecretList, list[str]]], uses: dict[str, PairUse]) -> Evidence:
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
            *(Related(uses[name].location, f"{name} is used here") for name in lacking),
        ),
        recommendation=f"Add {listed(lacking, limit=4)} to the list of {path}, or link to one list of all.",
        example=files.into(path, "\n".join(f"| `{name}` | <purpose> | <where it comes from> |" for name in lacking)),
    )


def _unused(item: SecretList, unused: list[str]) -> Evidence:
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
