"""No alert tells that a certificate is about to run out.

A renewal fails in silence: a changed record of DNS, a port that is closed, a proxy that never reads the new file. For
weeks nothing is to be seen, and then every client refuses the connection in the same minute.

Anti-pattern:

    # nginx serves /etc/nginx/ssl/fullchain.pem, which somebody copies there each year; rules.yml:
    - alert: ServiceDown
      expr: up == 0

Better:

    # a blackbox exporter asks https://shop.example.org; rules.yml:
    - alert: CertificateExpires
      expr: probe_ssl_earliest_cert_expiry - time() < 14 * 24 * 3600

Recommendation:

    Ask the address from outside, as its users do, and alert two weeks before its certificate runs out.

References:

- https://github.com/prometheus/blackbox_exporter#prometheus-configuration
- https://letsencrypt.org/docs/monitoring-options/
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import deployment, environments, monitoring, proxies, published_ports
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASKS = regex(r"cert|ssl|tls|x509|acme")
_LOOKS = regex(
    r"\bopenssl\s+(?:x509|s_client|verify)\b|\bcheckend\b|ssl-cert-check|uptime-?kuma|x509-certificate-exporter"
)
_KEYS = regex(r"(?:^|[/_.-])(?:ssl|certs?|certificates?|letsencrypt|tls|fullchain|privkey)(?:$|[/_.-])")
_RENEWS = regex(r"certbot|acme\.sh|acme-companion|letsencrypt|\blego\b|dehydrated|swag")
_ALERT = """groups:
  - name: certificates
    rules:
      - alert: CertificateExpires
        expr: probe_ssl_earliest_cert_expiry - time() < 14 * 24 * 3600
        for: 1h
        labels: {severity: warning}
        annotations: {summary: "the certificate of {{ $labels.instance }} runs out within two weeks"}"""


class _End(Struct, frozen=True):
    """A service that ends TLS for users, where that is seen, and whether it renews its certificates by itself."""

    service: Service
    place: Location
    renewed: bool


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the proxies that end TLS, where a Prometheus has alerts and none asks for a certificate."""
    alerts = [rule for config in monitoring.prometheus_in_use(inventory) for rule in
              monitoring.all_alerts(inventory, config)] if inventory.alert_rules else []  # fmt: skip
    if alerts and not deployment.uses_orchestrator(inventory) and not _is_watched(inventory):
        ends = list({item.service.key: item for item in _ends(inventory)}.values())
        if ends:
            yield _evidence(ends, alerts[0])


def _is_watched(inventory: Inventory) -> bool:
    """Whether an expression, a script or another program may look at certificates."""
    texts = (" ".join(item.words) for item in deployment.commands(inventory))
    return (
        any(_ASKS.search(item.query.expression) for item in inventory.alert_rules)
        or any(map(_LOOKS.search, texts))
        or any(_LOOKS.search(item.image) for item in inventory.services)
    )


def _ends(inventory: Inventory) -> Iterator[_End]:
    """The proxies that publish the port of HTTPS and have certificates: mounted, or got by themselves."""
    renewing = {item.project for item in inventory.services if _RENEWS.search(item.image)}
    for proxy in inventory.reverse_proxies:
        for service in proxies.runners(inventory, proxy) if proxy.kind in ("nginx", "caddy", "traefik") else ():
            keys = next((item for item in service.mounts if _KEYS.search(f"{item.source} {item.target}")), None)
            own = proxy.kind != "nginx"
            public = any(port.target == "443" for port in published_ports.public_ports(service))
            listens = own or "443" in proxy.listens
            if public and listens and (own or keys) and not environments.only_for_development(service):
                place = keys.location if keys and not own else proxy.location
                yield _End(service, place, own or service.project in renewing)


def _evidence(ends: list[_End], alert: AlertRule) -> Evidence:
    ends = sorted(ends, key=lambda item: item.renewed)
    first, *others = ends
    names = listed(dict.fromkeys(item.service.name for item in ends))
    one = len({item.service.name for item in ends}) == 1
    how = (
        "serves certificates that a program renews" if first.renewed else "serves certificates that somebody puts there"
    )
    return Evidence(
        f"{names} {'answers' if one else 'answer'} at the port of HTTPS, and none of the alerts asks when a "
        f"certificate runs out: {first.service.name} {how}, and nobody is told where that fails.",
        first.place,
        subject="certificates",
        service=first.service.name,
        related=(
            *(Related(item.place, f"{item.service.name} answers there too", member=True) for item in others),
            Related(alert.location, "what is watched"),
        ),
        recommendation=f"Probe the address with a blackbox exporter, and alert on its certificate in {alert.file}.",
        severity=Severity.LOW if first.renewed else None,
        example=files.into(alert.file, _ALERT),
    )
