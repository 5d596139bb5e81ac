"""The links in notifications lead to an address that only the host or the container knows.

Alertmanager and Prometheus make the links of their messages out of `--web.external-url`, and Grafana out of `root_url`.
Without these they take the name of their container, or `localhost`: who is woken at night clicks on
`http://3f1c9a7b2d10:9093`, and looks for the alert by hand.

Anti-pattern:

    alertmanager:
      image: prom/alertmanager:v0.28.1        # the message links to http://3f1c9a7b2d10:9093

Better:

    alertmanager:
      image: prom/alertmanager:v0.28.1
      command: [--config.file=/etc/alertmanager/alertmanager.yml, --web.external-url=https://alerts.example.com]

Recommendation:

    Tell each program that sends notifications under which address its readers reach it.

References:

- https://prometheus.io/docs/alerting/latest/configuration/
- https://prometheus.io/docs/prometheus/latest/command-line/prometheus/
- https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#root_url
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, monitoring, published_ports, services, stacks, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Receiver
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_FOR_MACHINES = frozenset({"webhook", "sns"})
"""Integrations to which programs listen, which need no link."""
_ADDRESS = ("GF_SERVER_ROOT_URL", "GF_SERVER_DOMAIN")
_ELSEWHERE = ("GF_PATHS_CONFIG",)


class _Silent(Struct, frozen=True):
    """A service that sends links and isn't told of its address, with what shows that it sends any."""

    service: Service
    location: Location
    shown: Related
    lines: str


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for its Alertmanager and its Grafana that send links and know no address."""
    proxied = {end.host for config in inventory.reverse_proxies for end in config.upstreams}
    sending = [*_alertmanagers(inventory), *_grafanas(inventory)]
    found = [item for item in sending if _is_reached(item.service, proxied)]
    by_key = {item.service.key: item for item in reversed(found)}
    for mine in stacks.by_project(item.service for item in found).values():
        yield _evidence([by_key[key] for key in dict.fromkeys(service.key for service in mine)])


def _is_reached(service: Service, proxied: set[str]) -> bool:
    """Whether people reach a service from elsewhere, so that there is an address to tell it."""
    return bool(published_ports.public_ports(service)) or not proxied.isdisjoint((service.name, service.container_name))


def _alertmanagers(inventory: Inventory) -> Iterator[_Silent]:
    for receiver in inventory.receivers:
        if not _is_for_people(receiver) or environments.is_for_development(receiver.file):
            continue
        for service in monitoring.runners(inventory, receiver.file):
            words = [word for command in services.commands(inventory, service) for word in command.words]
            told = any(
                "external-url" in word or "$" in word for word in (*service.command, *service.entrypoint, *words)
            )
            if not told and "." not in service.hostname and not environments.is_for_developers(inventory, service):
                shown = Related(receiver.location, f"the receiver {receiver.name} is for people")
                line = "command: <what stands there now> --web.external-url=https://<the host's name>"
                yield _Silent(service, service.command_location or service.location, shown, line)


def _is_for_people(receiver: Receiver) -> bool:
    return any(item.kind not in _FOR_MACHINES for item in receiver.integrations)


def _grafanas(inventory: Inventory) -> Iterator[_Silent]:
    """Each Grafana that sends mail, or whose address is made of a domain, where nothing says which domain that is."""
    for service in inventory.deployed_services:
        given = {entry.name: entry for entry in service.environment}
        made = given.get("GF_SERVER_ROOT_URL")
        mails = given.get("GF_SMTP_ENABLED")
        if not _is_open(inventory, service):
            continue
        line = 'environment:\n  GF_SERVER_ROOT_URL: "https://<the host\'s name>/<its path, if any>"'
        if made and made.value and "%(domain)s" in made.value.text and "GF_SERVER_DOMAIN" not in given:
            yield _Silent(service, made.location, Related(made.location, "the domain is `localhost` unless told"), line)
        elif mails and mails.value and switches.is_on(mails.value.text) and not given.keys() & {*_ADDRESS}:
            yield _Silent(service, service.location, Related(mails.location, "it sends mail"), line)


def _is_open(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a Grafana of which the repository shows all that it is told."""
    found = services.product(inventory, service)
    if found is None or found.name != "Grafana" or service.build or environments.is_for_developers(inventory, service):
        return False
    mounted = any(item.target.rstrip("/") == "/etc/grafana" or item.target.endswith(".ini") for item in service.mounts)
    named = {entry.name for entry in service.environment}
    hidden = mounted or service.configs or service.command or not named.isdisjoint(_ELSEWHERE)
    return not hidden and all(_leaves_out(inventory, item.path) for item in service.env_files)


def _leaves_out(inventory: Inventory, path: str) -> bool:
    """Whether an environment file, or the template of it, is there and names no address."""
    known = [item for item in inventory.env_files if path in (item.path, item.copied_to)]
    return bool(known) and not any(line.name in _ADDRESS for item in known for line in item.lines)


def _evidence(found: list[_Silent]) -> Evidence:
    first, *others = found
    names = listed(item.service.name for item in found)
    them = "it" if not others else "them"
    return Evidence(
        f"{names} {'sends' if not others else 'send'} notifications and {'is' if not others else 'are'} not told under "
        f"which address people reach {them}: the links in the messages lead to a container or to localhost, unless "
        "their texts hold none.",
        first.location,
        subject=f"{first.service.project}/links",
        service=first.service.name,
        related=(
            first.shown,
            *(Related(item.location, f"{item.service.name} neither", member=True) for item in others),
        ),
        recommendation=f"Give {names} the address that {'its' if not others else 'their'} readers use.",
        example=compose_lines.of_service(first.service, first.lines),
    )
