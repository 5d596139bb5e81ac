"""Sentry is sent personal data of users with each error.

With `send_default_pii` its SDK adds who is logged in, the address that a request came from, its cookies and headers,
and what a form held. Whoever reads errors sees them, and with Sentry's own service they leave for another company: a
case for the privacy notice, and a session's cookie is a login.

Anti-pattern:

    sentry_sdk.init(dsn=settings.sentry_dsn, send_default_pii=True)

Better:

    sentry_sdk.init(dsn=settings.sentry_dsn, send_default_pii=False)
    sentry_sdk.set_user({"id": user.pseudonym})      # where errors have to be told apart by user

Recommendation:

    Leave it off, and set the few fields that you need to find an error.

References:

- https://docs.sentry.io/platforms/python/data-management/data-collected/
- https://docs.sentry.io/platforms/javascript/configuration/options/#sendDefaultPii
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import log_habits
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogHabit
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all code that has Sentry get personal data without a condition."""
    for items in log_habits.in_operation(inventory, "personal").values():
        yield _evidence(items)


def _evidence(items: list[LogHabit]) -> Evidence:
    first, *others = items
    where = listed(dict.fromkeys(item.location.file for item in items), limit=3)
    return Evidence(
        f"`{first.source}` in {where} has Sentry get users' addresses, cookies and logins with each error.",
        first.location,
        subject=f"Sentry/{first.location.file}",
        related=tuple(Related(item.location, f"`{item.source}` as well", member=True) for item in others),
        recommendation=f"Turn it off in {first.location.file}, and set the fields that you need by `set_user`.",
        change=("True", "False") if first.source.endswith("True") else ("true", "false"),
        example=files.into(first.location.file, first.source.replace("True", "False").replace("true", "false")),
    )
