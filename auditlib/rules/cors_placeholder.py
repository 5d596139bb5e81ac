"""An origin that may call the application is a placeholder.

The list was never filled in. The real frontend is refused by the browser, or the list isn't in use at all; and a domain
such as `your-domain.com` belongs to somebody else, whose pages are now allowed.

Anti-pattern:

    if settings.ENVIRONMENT == "production":
        origins = ["https://your-domain.com"]

Better:

    origins = settings.ALLOWED_ORIGINS        # required, without a default

Recommendation:

    Read the origins from a required variable, and set it in each environment.

References:

- https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
- https://12factor.net/config
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every holder of origins, in code or in the environment of a service, with a placeholder among them."""
    holders: defaultdict[tuple[str, str], list[tuple[Location, str]]] = defaultdict(list)
    for item in inventory.allowed_origins:
        if switches.is_placeholder_domain(item.origin):
            holders[item.location.file, item.holder].append((item.location, item.origin))
    for service in inventory.services:
        for entry in service.environment:
            if entry.value is not None and switches.names_origins(entry.name):
                for origin in filter(switches.is_placeholder_domain, switches.origins(entry.value.text)):
                    holders[entry.location.file, entry.name].append((entry.location, origin))
    for (file, holder), found in holders.items():
        if not environments.is_for_development(file):
            yield _evidence(inventory, holder, found)


def _required(inventory: Inventory, holder: str, file: str) -> str:
    """The list as a variable that each environment sets."""
    name = holder.upper().strip("()")
    variable = "ALLOWED_ORIGINS" if "ORIGIN" not in name else name
    return files.into(file, code_lines.in_code(inventory, variable, file, "list[str]"))


def _evidence(inventory: Inventory, holder: str, found: list[tuple[Location, str]]) -> Evidence:
    (first, _), *others = found
    origins = list(dict.fromkeys(origin for _, origin in found))
    related = {place: f"{origin} is a placeholder, too" for place, origin in others if place.line != first.line}
    return Evidence(
        f"{holder} allows {listed(f'`{origin}`' for origin in origins)}, "
        f"{'a placeholder' if len(origins) == 1 else 'placeholders'}: the real frontend is not in the list.",
        first,
        subject=holder,
        related=tuple(Related(place, text) for place, text in related.items()),
        recommendation=f"Replace {listed((f'`{origin}`' for origin in origins), limit=2)} by the origins of the "
        "frontend, read from a required variable.",
        example=_required(inventory, holder, first.file),
    )
