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

from msgspec import Struct

from auditlib.conventions import environments, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LOCAL = regex(r"localhost|127\.0\.0\.1|^$")
_READ = regex(r'os\.environ\["\w+"\]')
"""What an environment variable holds is one text, in which Python's middlewares would look for parts."""


class _Allowed(Struct, frozen=True):
    """An origin in a list; `variables` are those in whose place it stands where nobody sets them."""

    origin: str
    location: Location
    variables: tuple[str, ...] = ()

    @property
    def is_placeholder(self) -> bool:
        return switches.is_placeholder_domain(self.origin)


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every holder of origins, in code or in the environment of a service, with a placeholder among them."""
    holders: defaultdict[tuple[str, str], list[_Allowed]] = defaultdict(list)
    for item in inventory.allowed_origins:
        holders[item.location.file, item.holder].append(_Allowed(item.origin, item.location))
    for service in inventory.services:
        for entry in service.environment:
            if entry.value is not None and switches.names_origins(entry.name):
                for origin in switches.origins(entry.value.text):
                    found = _Allowed(origin, entry.location, entry.variables)
                    holders[entry.location.file, entry.name].append(found)
    for (file, holder), listed_there in holders.items():
        if any(item.is_placeholder for item in listed_there) and not environments.is_for_development(file):
            yield _evidence(inventory, holder, listed_there)


def _required(inventory: Inventory, holder: str, file: str) -> str:
    """The list as a variable that each environment sets; of a server's header the origin alone."""
    if holder == "Access-Control-Allow-Origin":
        return files.into(file, f"{holder} <the origin of the frontend>")
    name = holder.upper().strip("()")
    variable = "ALLOWED_ORIGINS" if "ORIGIN" not in name else name
    text = code_lines.in_code(inventory, variable, file, "list[str]")
    return files.into(file, f'{text}.split(",")' if _READ.fullmatch(text) else text)


def _evidence(inventory: Inventory, holder: str, there: list[_Allowed]) -> Evidence:
    first, *others = [item for item in there if item.is_placeholder]
    origins = list(dict.fromkeys(item.origin for item in (first, *others)))
    real = [item for item in there if not item.is_placeholder and not _LOCAL.search(item.origin)]
    related = {
        item.location: f"{item.origin} is a placeholder, too"
        for item in others
        if item.location.line != first.location.line
    }
    return Evidence(
        f"{holder} allows {listed(f'`{origin}`' for origin in origins)}, "
        f"{'a placeholder' if len(origins) == 1 else 'placeholders'}"
        f"{f', where nobody sets {listed(first.variables)}' if first.variables else ''}: {_effect(origins, real)}.",
        first.location,
        subject=holder,
        related=tuple(Related(place, text) for place, text in related.items()),
        recommendation=f"Replace {listed((f'`{origin}`' for origin in origins), limit=2)} by the origins of the "
        "frontend, read from a required variable.",
        severity=Severity.LOW if real else None,
        confidence=Confidence.MEDIUM if first.variables else None,
        example=_required(inventory, holder, first.location.file),
    )


def _effect(origins: list[str], real: list[_Allowed]) -> str:
    if not real:
        return "the real frontend is not in the list"
    pages = "pages of that domain" if len(origins) == 1 else "pages of these domains"
    return f"{pages} may call the application beside those of {real[0].origin}"
