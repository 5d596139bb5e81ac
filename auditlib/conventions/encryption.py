"""Whether something of a repository speaks TLS, or a document says that something else does."""

from __future__ import annotations

import re

from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.patterns import regex

_TLS_PORTS = frozenset({"443", "8443"})
_ELSEWHERE = regex(
    r"certbot|letsencrypt|acme|cloudflared|ngrok|tailscale|traefik|caddy|nginx-proxy|swag|haproxy|nginxproxymanager|"
    r"stunnel|linkerd|envoy",
    re.I,
)
"""Images of programs that may speak TLS before, or beside, the proxy."""
_BY_LABEL = regex(r"traefik\.http\.routers\.[^.]+\.tls|^caddy(?:_\d+)?$", re.I)
"""Labels that have a proxy of another project speak TLS for a service."""
ENDS = frozenset({"ssl", "tls", "certbot", "letsencrypt", "cloudflare"})
"""Words of documents that speak of encrypted connections."""


def is_spoken_of(inventory: Inventory) -> bool:
    """Whether a document speaks of encrypted connections, so that something outside of the repository may end them."""
    return any(document.words & ENDS for document in inventory.documents)


@answered_once
def may_be_elsewhere(inventory: Inventory) -> bool:
    """Whether something else of the repository, or a platform, takes the connections of TLS."""
    ports = {port.target for service in inventory.services for port in service.ports}
    listens = {port for proxy in inventory.reverse_proxies for port in proxy.listens}
    return (
        bool(_TLS_PORTS & (ports | listens))
        or any(_ELSEWHERE.search(f"{service.image} {service.name}") for service in inventory.services)
        or speaks_by_label(inventory)
        or any(item.encrypted for file in inventory.cluster_files for item in file.ingresses)
        or deployment.leaves_compose(inventory)
    )


def speaks_by_label(inventory: Inventory) -> bool:
    """Whether a service's labels have a proxy, perhaps of another project, speak TLS for it."""
    return any(_BY_LABEL.search(label.name) for item in inventory.services for label in item.labels)
