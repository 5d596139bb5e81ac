"""A program in production sends its mail to a service that only catches mail.

MailHog, Mailpit and the like take every mail and deliver none: they show it in a page for developers. Confirmations,
resets of passwords and invoices reach nobody, and nothing fails. Whoever reaches the page reads all of them, the links
that set a new password included.

Anti-pattern:

    mailhog:
      image: mailhog/mailhog:v1.0.1
      ports: ["8025:8025"]
    api:
      environment:
        NODE_ENV: production
        EMAIL_HOST: mailhog

Better:

    # compose.override.yaml has mailhog, and names it
    api:
      environment:
        NODE_ENV: production
        EMAIL_HOST: ${EMAIL_HOST:?a mail server that delivers}

Recommendation:

    Demand the mail server from the environment, and keep the catcher in an overlay for development.

References:

- https://github.com/mailhog/MailHog
- https://mailpit.axllent.org/docs/
- https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, published_ports, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OF_MAIL = regex(r"MAIL|SMTP")


class _Sender(Struct, frozen=True):
    """A service that is told the catcher in place of a mail server."""

    service: Service
    entry: EnvironmentEntry


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each mail catcher that services name whose environment is production's; not one in files for development."""
    for catcher in inventory.deployed_services:
        kind = services.product(inventory, catcher)
        if kind is None or kind.kind != "mail" or environments.is_for_developers(inventory, catcher):
            continue
        mine = inventory.services_of(catcher.project).values()
        real = (item for item in mine if environments.production_entry(item))
        found = [_Sender(item, entry) for item in real for entry in _told(item, catcher)]
        if found and not _is_filled_in(inventory, catcher, found[0].entry):
            yield _evidence(inventory, catcher, found)


def _told(service: Service, catcher: Service) -> list[EnvironmentEntry]:
    """The first variable on mail that names the catcher."""
    names = {catcher.name, catcher.container_name, catcher.hostname} - {""}
    found = (
        entry
        for entry in service.environment
        if _OF_MAIL.search(entry.name.upper()) and any(end.host in names for end in entry.endpoints)
    )
    return list(found)[:1]


def _is_filled_in(inventory: Inventory, catcher: Service, entry: EnvironmentEntry) -> bool:
    """Whether an environment file beside Compose's, or a template of one, names another server than its default."""
    home = posixpath.dirname(catcher.location.file)
    files = (file for file in inventory.env_files if posixpath.dirname(file.path) == home) if entry.variables else ()
    lines = (line for file in files for line in file.lines if line.name in entry.variables)
    return any(line.value and line.value.text and catcher.name not in line.value.text for line in lines)


def _evidence(inventory: Inventory, catcher: Service, found: list[_Sender]) -> Evidence:
    first, *others = found
    names = listed(dict.fromkeys(item.service.name for item in found))
    fixed = not first.entry.variables and first.entry.origin == "environment"
    pages = [port for port in published_ports.public_ports(catcher) if port.target != "1025"]
    read = f" Whoever reaches port {pages[0].host_port or pages[0].target} reads them." if pages else ""
    default = "" if fixed else " by default"
    return Evidence(
        f"{names} {'runs' if len({item.service.name for item in found}) == 1 else 'run'} in production and "
        f"{'sends' if len(found) == 1 else 'send'} mail to {catcher.name}{default}, which catches it and delivers none."
        f"{read}",
        first.entry.location,
        subject=f"{catcher.project}/{catcher.name}",
        service=first.service.name,
        related=(
            *(
                Related(item.entry.location, f"{item.service.name} too", member=True)
                for item in others
                if item.entry.location != first.entry.location
            ),
            Related(catcher.location, "the service that catches mail"),
            *(Related(port.location, "publishes the page that shows it") for port in pages[:1]),
        ),
        severity=(Severity.HIGH if pages else None) if fixed else Severity.LOW,
        recommendation=f"Demand {first.entry.name} from the environment, and keep {catcher.name} in an overlay for "
        "development.",
        example=compose_lines.of_service(
            first.service, f"environment:\n  {first.entry.name}: ${{{first.entry.name}:?a mail server that delivers}}"
        ),
    )
