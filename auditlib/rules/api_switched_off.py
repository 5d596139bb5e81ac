"""A command asks Alertmanager for the first version of its API, which it no longer has.

Alertmanager 0.27 took away the API v1. The answer is an error of which `curl` without `--fail` makes nothing: the alert
that was to be tested, or the silence that was to be set, never arrives.

Anti-pattern:

    # scripts/test-alert.sh
    curl -X POST http://localhost:9093/api/v1/alerts -d '[{"labels": {"alertname": "Test"}}]'
    # compose.yaml
    alertmanager: {image: "prom/alertmanager:v0.27.0", ports: ["127.0.0.1:9093:9093"]}

Better:

    curl --fail -X POST http://localhost:9093/api/v2/alerts -H "Content-Type: application/json" \\
      -d '[{"labels": {"alertname": "Test"}}]'

Recommendation:

    Use Alertmanager's API v2, and have `curl` fail where it is refused.

References:

- https://github.com/prometheus/alertmanager/releases/tag/v0.27.0
- https://prometheus.io/docs/alerting/latest/alerts_api/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import images, told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_URL = regex(r"(?:https?://)?(?P<host>[\w.${}-]{1,80}):(?P<port>\d{2,5})/api/v1/(?P<what>[a-z]{1,20})")
_ELSEWHERE = frozenset({"kubectl", "helm", "minikube", "kubernetes"})
_RELEASE = regex(r"v?0\.(\d{1,3})(?:\.|$|-)")
_LAST = 26
"""The second number of the last release that has the API."""
_PORT = "9093"


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The calls of the old API in commands or documents, where every Alertmanager is of a release without it."""
    managers = [item for item in inventory.services
                if images.repository(item.image).rpartition("/")[2] == "alertmanager" and not item.build]  # fmt: skip
    if not managers or not all(map(_lacks_it, managers)):
        return
    others = {item.path for item in inventory.documents if not _ELSEWHERE.isdisjoint(item.words)}
    uses = [told for told in told_commands.everywhere(inventory)
            if "/api/v1/" in told.text and not (told.by_document and told.location.file in others)
            and any(_is_meant(managers, *match) for match in _URL.findall(told.text))]  # fmt: skip
    if uses:
        yield _evidence(managers[0], uses)


def _lacks_it(service: Service) -> bool:
    release = _RELEASE.match(images.tag(service.image))
    return release is not None and int(release[1]) > _LAST


def _is_meant(managers: list[Service], host: str, port: str, _what: str) -> bool:
    """Whether an address is that of an Alertmanager: behind a port of the host, or by its name."""
    published = {item.host_port for service in managers for item in service.ports if item.target == _PORT}
    names = {name for item in managers for name in (item.name, item.container_name)}
    return port in published or (host in names and port == _PORT)


def _evidence(service: Service, uses: list[Told]) -> Evidence:
    first, *others = uses
    found = _URL.search(first.text)
    what = found["what"] if found else "alerts"
    return Evidence(
        f"{first.caller} `/api/v1/{what}` of {service.name}, which runs {service.image}, and that has no API v1 any "
        "more: it answers with an error and does nothing.",
        first.location,
        subject=f"{service.key}/api/v1",
        service=service.name,
        related=(
            Related(service.image_location, f"{service.name} runs {service.image}"),
            *(Related(item.location, "asks for it too", member=True) for item in others),
        ),
        recommendation=f"Call `/api/v2/{what}` in its place, with `--fail`.",
        severity=Severity.LOW if all(item.by_document for item in uses) else None,
        example=files.into(
            first.location.file,
            f'curl --fail -H "Content-Type: application/json" <as before> http://localhost:{_PORT}/api/v2/{what}',
        ),
    )
