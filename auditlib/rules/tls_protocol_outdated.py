"""A proxy still takes encryption that is broken or given up.

TLS 1.0 and 1.1 were withdrawn in 2021, SSL long before: browsers refuse them, audits fail by them, and somebody on the
way can talk two sides down to them where both allow it.

Anti-pattern:

    ssl_protocols TLSv1 TLSv1.1 TLSv1.2;

Better:

    ssl_protocols TLSv1.2 TLSv1.3;

Recommendation:

    Allow TLS 1.2 and 1.3 alone.

References:

- https://www.rfc-editor.org/rfc/rfc8996
- https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols
- https://doc.traefik.io/traefik/reference/routing-configuration/http/tls/tls-options/#minimum-tls-version
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import nginx_sites
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OLD = {"SSLv2": "SSL 2", "SSLv3": "SSL 3", "TLSv1": "TLS 1.0", "TLSv1.0": "TLS 1.0", "TLSv1.1": "TLS 1.1"}
_OLD_OF_TRAEFIK = {"VersionSSL30": "SSL 3", "VersionTLS10": "TLS 1.0", "VersionTLS11": "TLS 1.1"}


class _Said(Struct, frozen=True):
    """A statement that allows old protocols, as it is written, and what it should be."""

    location: Location
    names: tuple[str, ...]
    written: str
    better: str
    line: str
    """The whole statement as it should be."""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file of Nginx or Traefik one finding for the statements that allow protocols before TLS 1.2."""
    found: dict[str, list[_Said]] = {}
    for said in _said(inventory):
        found.setdefault(said.location.file, []).append(said)
    for file, mine in found.items():
        yield _evidence(file, mine)


def _said(inventory: Inventory) -> Iterator[_Said]:
    for config in inventory.reverse_proxies:
        for item in nginx_sites.everything(config.tree) if config.tree else ():
            old = tuple(_OLD[word] for word in item.words[1:] if word in _OLD)
            if item.words[0] == "ssl_protocols" and old:
                kept = [word for word in item.words[1:] if word not in _OLD] or ["TLSv1.2"]
                new = kept if "TLSv1.3" in kept else [*kept, "TLSv1.3"]
                better = " ".join(("ssl_protocols", *new))
                yield _Said(item.location, old, " ".join(item.words), better, f"{better};")
    for setting in inventory.traefik_settings:
        if setting.name.endswith(".minversion") and setting.value in _OLD_OF_TRAEFIK:
            sign = (
                'minVersion = "VersionTLS12"' if setting.location.file.endswith(".toml") else "minVersion: VersionTLS12"
            )
            yield _Said(setting.location, (_OLD_OF_TRAEFIK[setting.value],), setting.value, "VersionTLS12", sign)


def _evidence(file: str, found: list[_Said]) -> Evidence:
    first, *others = found
    names = listed(dict.fromkeys(name for item in found for name in item.names))
    return Evidence(
        f"{file} lets clients speak {names}, which {'is' if ' and ' not in names else 'are'} withdrawn.",
        first.location,
        subject=f"{file}/protocols",
        related=tuple(Related(item.location, f"allows {listed(item.names)} too", member=True) for item in others),
        recommendation=f"Allow TLS 1.2 and 1.3 alone in {file}.",
        change=(first.written, first.better),
        example=files.into(file, first.line),
    )
