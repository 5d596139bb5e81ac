"""A service in production is told that its own public address is localhost.

What it makes of that address leaves the host: links in mails, redirects after a login, addresses that a browser calls.
For whoever opens them localhost is their own computer.

Anti-pattern:

    services:
      api:
        environment:
          NODE_ENV: production
          PASSWORD_RESET_URL: http://localhost:3000/reset-password

Better:

    services:
      api:
        environment:
          NODE_ENV: production
          PASSWORD_RESET_URL: ${PUBLIC_URL:?}/reset-password

Recommendation:

    Take the address from a variable that each environment has to set.

References:

- https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, programs, published_ports, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PUBLIC = regex(
    r"(?:^|_)(?:PUBLIC|BASE|SITE|APP|FRONTEND|CLIENT|WEB|ROOT|EXTERNAL|CALLBACK|REDIRECT|RESET|RESET_PASSWORD|"
    r"PASSWORD_RESET|VERIFY|VERIFICATION|ACTIVATION|CONFIRMATION|INVITE|NEXTAUTH|BETTER_AUTH)(?:_BASE)?_UR[LI]$|"
    r"^(?:NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP)_\w*(?:URL|URI|ORIGIN)$"
)
"""Names of addresses that users or their browsers are sent to."""
_IN_PAGES = regex(r"(?:NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP)_")
_LOCAL = regex(r"https?://(?:localhost|127\.0\.0\.1)(?::\d+)?(?:/\S*)?$")


class _Local(Struct, frozen=True):
    """A service in production, the variable that says so, and its addresses that are local."""

    service: Service
    told: EnvironmentEntry
    entries: list[EnvironmentEntry]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The deployed services that are told they are in production, with such addresses, those of one line together."""
    exposed = {service.project for service in inventory.deployed_services if published_ports.is_exposed(service)}
    caught = {service.project for service in inventory.deployed_services if _catches_mail(inventory, service)}
    by_place: dict[Location, list[_Local]] = {}
    for service in inventory.deployed_services:
        told = environments.production_entry(service) if service.project in exposed else None
        if told and not environments.is_for_developers(inventory, service):
            found = [entry for entry in service.environment if _is_local(entry)]
            if found:
                by_place.setdefault(found[0].location, []).append(_Local(service, told, found))
    for several in by_place.values():
        yield _evidence(several, several[0].service.project in caught)
    yield from _left_to_code(inventory, exposed - caught)


def _left_to_code(inventory: Inventory, exposed: set[str]) -> Iterator[Evidence]:
    """The addresses that a service in production isn't given, and that its code takes for local then."""
    deployed = {service.key for service in inventory.deployed_services}
    for program in programs.programs(inventory):
        service = program.service
        told = (
            environments.production_entry(service) if service.project in exposed and service.key in deployed else None
        )
        unknown = services.lacks_env_file(inventory, service) or environments.is_for_developers(inventory, service)
        if told and service.ports and not unknown:
            found = [item for item in program.settings if _defaults_to_local(item) and not _names(item) & program.given]
            if found:
                yield _of_code(service, told, found)


def _names(setting: Setting) -> set[str]:
    return {name.upper() for name in (setting.name, *setting.aliases)}


def _defaults_to_local(setting: Setting) -> bool:
    """Whether a server's code has such an address where nobody sets it; pages are given theirs when they are built."""
    name = _PUBLIC.search(setting.name) and not _IN_PAGES.match(setting.name)
    literal = setting.default is not None and setting.default_kind == "literal"
    return bool(name and literal and setting.default and _LOCAL.fullmatch(setting.default.text))


def _of_code(service: Service, told: EnvironmentEntry, settings: list[Setting]) -> Evidence:
    first, *others = settings
    text = first.default.text if first.default else ""
    return Evidence(
        f"{service.name} is in production by {told.name} and isn't given {first.name}, for which its code has {text}: "
        "who follows that ends at their own computer.",
        service.location,
        subject=f"{service.name}/{first.name}",
        service=service.name,
        related=(
            Related(first.location, f"{first.name} is local unless it is set"),
            Related(told.location, f"{told.name} says production"),
            *(Related(item.location, f"so is {item.name}", member=True) for item in others),
        ),
        recommendation=f"Give {service.name} {listed(item.name for item in settings)}, from a variable that each "
        "environment sets.",
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(
            service, f"environment:\n  {first.name}: ${{{first.name}:?such as https://shop.example.org}}"
        ),
    )


def _catches_mail(inventory: Inventory, service: Service) -> bool:
    """Whether a service keeps mails that nobody outside is to get, so that its stack is one to try things out."""
    found = services.product(inventory, service)
    return found is not None and found.kind == "mail"


def _is_local(entry: EnvironmentEntry) -> bool:
    """Whether a variable is such an address, fixed for every environment."""
    local = entry.value is not None and _PUBLIC.search(entry.name) and _LOCAL.fullmatch(entry.value.text)
    return bool(local) and entry.origin == "environment" and not entry.variables


def _evidence(found: list[_Local], caught: bool) -> Evidence:
    """Where mails are caught, links in them lead nobody astray."""
    service, told, (first, *others) = found[0].service, found[0].told, found[0].entries
    all_names = listed(item.service.name for item in found)
    names = listed(entry.name for entry in found[0].entries)
    text = first.value.text if first.value else ""
    path = "/".join(text.split("/")[3:])
    address = "${PUBLIC_URL:?such as https://shop.example.org}" + (f"/{path}" if path else "")
    is_in, has = ("is", "has") if len(found) == 1 else ("are", "have")
    return Evidence(
        f"{all_names} {is_in} in production by {told.name} and {has} {text} as {first.name}: who follows that "
        "ends at their own computer.",
        first.location,
        subject=f"{service.name}/{first.name}",
        service=service.name,
        related=(
            Related(told.location, f"{told.name} says production"),
            *(Related(entry.location, f"{entry.name} is local too", member=True) for entry in others),
        ),
        recommendation=f"Take {names} of {all_names} from a variable that each environment sets.",
        severity=Severity.LOW if caught else None,
        example=compose_lines.of_service(service, f"environment:\n  {first.name}: {address}"),
    )
