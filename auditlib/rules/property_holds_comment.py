"""A comment after a property becomes a part of its value.

In a `.properties` file `#` begins a comment only as the first sign of a line. What follows a value belongs to it, with
the blank before: a key with a comment behind it is refused by the server that it is for, and a number is none.

Anti-pattern:

    parcels.api.key=${PARCELS_API_KEY} # from the vault

Better:

    # from the vault
    parcels.api.key=${PARCELS_API_KEY}

Recommendation:

    Write the comment on a line of its own, above the property.

References:

- https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)
- https://docs.spring.io/spring-boot/reference/features/external-config.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import CommentInValue
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each of Spring's files one finding for all values that go on with a comment."""
    found: defaultdict[str, list[CommentInValue]] = defaultdict(list)
    for item in inventory.comments_in_values:
        found[item.location.file].append(item)
    for path, items in found.items():
        yield _evidence(path, items)


def _evidence(path: str, items: list[CommentInValue]) -> Evidence:
    first, *others = items
    names = listed(item.name for item in items)
    return Evidence(
        f"{names} {'has' if not others else 'have'} a comment after the value, which belongs to it in a file of "
        f"properties: {first.name} ends in `{first.comment[:40]}`.",
        first.location,
        subject=f"{path}/comments",
        related=tuple(Related(item.location, f"{item.name} has one too", member=True) for item in others),
        recommendation=f"Write the comment of {first.name} on a line of its own above it"
        f"{', and those of the others' if others else ''}.",
        example=files.into(path, f"{first.comment}\n{first.name}=<its value>"),
    )
