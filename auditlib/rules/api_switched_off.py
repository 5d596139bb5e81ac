"""A command asks a monitoring program for something that it doesn't offer.

Prometheus takes a reload or a snapshot by HTTP only with a flag that says so, and Alertmanager 0.27 took away the first
version of its API. The answer is an error of which `curl` without `--fail` makes nothing: the configuration stays the
old one, the alert that was to be tested never arrives.

Anti-pattern:

    # README.md: curl -X POST http://localhost:9090/-/reload
    prometheus:
      image: prom/prometheus:v2.54.1
      command: ["--config.file=/etc/prometheus/prometheus.yml"]

Better:

    # README.md: docker compose kill -s SIGHUP prometheus

Recommendation:

    Send Prometheus a SIGHUP, or start it with the flag where nobody else reaches its port; use Alertmanager's API v2.

References:

- https://prometheus.io/docs/prometheus/latest/management_api/
- https://prometheus.io/docs/prometheus/latest/querying/api/#tsdb-admin-apis
- https://github.com/prometheus/alertmanager/releases/tag/v0.27.0
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import images, told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_URL = regex(r"(?:https?://)?(?P<host>[\w.${}-]{1,80}):(?P<port>\d{2,5})(?P<path>/[\w./-]{1,80})")
_PATHS = ("/-/reload", "/-/quit", "/api/v1/")
_ELSEWHERE = frozenset({"kubectl", "helm", "minikube", "kubernetes", "lifecycle"})
_RELEASE = regex(r"v?0\.(\d{1,3})(?:\.|$|-)")


class _Offer(Struct, frozen=True):
    """What a path asks of a program: the image's last name, the flag that it needs, and what to do instead."""

    program: str
    path: str
    flag: str
    instead: str


_OFFERS = (
    _Offer("prometheus", "/-/reload", "--web.enable-lifecycle", "docker compose kill -s SIGHUP {service}"),
    _Offer("prometheus", "/-/quit", "--web.enable-lifecycle", "docker compose stop {service}"),
    _Offer("prometheus", "/api/v1/admin/", "--web.enable-admin-api", "# with --web.enable-admin-api in {service}"),
    _Offer("alertmanager", "/api/v1/", "", "curl --fail http://localhost:9093/api/v2/alerts"),
)


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each thing that commands or documents ask of Prometheus and Alertmanager and that every one of these refuses."""
    programs = {name: _services(inventory, name) for name in ("prometheus", "alertmanager")}
    found: defaultdict[_Offer, list[Told]] = defaultdict(list)
    others = _other_documents(inventory) if any(programs.values()) else frozenset()
    for told in told_commands.everywhere(inventory) if any(programs.values()) else ():
        asks = "/-/" in told.text or "/api/v1/" in told.text
        if not asks or (told.by_document and told.location.file in others):
            continue
        for match in _URL.finditer(told.text):
            offer = _offer(programs, match["host"], match["port"], match["path"])
            if offer and all(_refuses(service, offer) for service in programs[offer.program]):
                found[offer].append(told)
    for offer, uses in found.items():
        yield _evidence(programs[offer.program], offer, uses)


def _other_documents(inventory: Inventory) -> frozenset[str]:
    """The documents that tell of the flags, or reach the programs in another way than Compose starts them."""
    return frozenset(item.path for item in inventory.documents if not _ELSEWHERE.isdisjoint(item.words))


def _services(inventory: Inventory, program: str) -> list[Service]:
    return [item for item in inventory.services
            if images.repository(item.image).rpartition("/")[2] == program and not item.build]  # fmt: skip


def _offer(programs: dict[str, list[Service]], host: str, port: str, path: str) -> _Offer | None:
    """What an address asks for, if it is that of one of the programs."""
    for offer in _OFFERS:
        if path.startswith(offer.path):
            known = programs[offer.program]
            published = {
                item.host_port for service in known for item in service.ports if item.target == _OWN[offer.program]
            }
            named = host in {item.name for item in known} | {item.container_name for item in known}
            if known and (port in published or (named and port == _OWN[offer.program])):
                return offer
    return None


_OWN = {"prometheus": "9090", "alertmanager": "9093"}
"""The ports that they listen on."""


def _refuses(service: Service, offer: _Offer) -> bool:
    """Whether a program of this release, with these options, doesn't offer it."""
    if offer.flag:
        options = [*service.entrypoint, *service.command]
        return not any(offer.flag in word or "$" in word for word in options)
    release = _RELEASE.match(service.image.rpartition(":")[2])
    return bool(release) and int(release[1]) >= 27 if release else False


def _evidence(services: list[Service], offer: _Offer, uses: list[Told]) -> Evidence:
    first, *others = uses
    service = services[0]
    why = f"is started without `{offer.flag}`" if offer.flag else f"runs {service.image}, which has no API v1 any more"
    place = (service.command_location or service.location) if offer.flag else service.image_location
    instead = offer.instead.format(service=service.name)
    return Evidence(
        f"{first.caller} `{offer.path.rstrip('/')}` of {service.name}, which {why}: it answers with an error and does "
        "nothing.",
        first.location,
        subject=f"{service.key}{offer.path}",
        service=service.name,
        related=(
            Related(place, f"{service.name} {why}"),
            *(Related(item.location, "asks for it too", member=True) for item in others),
        ),
        recommendation=f"Call `{instead}` in place of it."
        if not instead.startswith("#")
        else f"Start {service.name} with `{offer.flag}`, or take the command out.",
        severity=Severity.LOW if all(item.by_document for item in uses) else None,
        example=files.into(first.location.file, instead),
    )
