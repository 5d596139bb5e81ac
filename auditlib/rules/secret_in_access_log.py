"""A credential stands in an address, and the proxy logs addresses.

What a client sends in the query is a part of the request line. Nginx and Caddy write that line into their log, from
where it goes to files, collectors and everybody who may read them: a list of keys that are valid.

Anti-pattern:

    # main.py
    key = websocket.query_params.get("api_key")
    # nginx.conf
    log_format main '$remote_addr "$request" $status';

Better:

    # main.py
    key = websocket.headers.get("x-api-key")
    # nginx.conf
    log_format main '$remote_addr "$request_method $uri" $status';

Recommendation:

    Take credentials from a header or a cookie, and log the path without the query.

References:

- https://datatracker.ietf.org/doc/html/rfc6750#section-5.3
- https://nginx.org/en/docs/http/ngx_http_log_module.html
- https://caddyserver.com/docs/caddyfile/directives/log
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, proxies
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import QueryCredential, RequestLog
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LASTING = regex(r"key|password|secret|jwt", re.I)
"""Names of credentials that go on being valid; a token may be of one use."""
_NGINX = """log_format without_query '$remote_addr [$time_local] "$request_method $uri" $status';
access_log /var/log/nginx/access.log without_query;"""
_CADDY = """log {{
  format filter {{
    wrap json
    fields {{
      request>uri query {{
        replace {} REDACTED
      }}
    }}
  }}
}}"""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all credentials in queries, where a proxy that is deployed logs whole addresses."""
    if inventory.query_credentials and inventory.request_logs:
        log = next(_in_use(inventory), None)
        if log:
            yield _evidence(sorted(inventory.query_credentials, key=lambda item: not _lasts(item)), log)


def _lasts(item: QueryCredential) -> bool:
    return bool(_LASTING.search(item.name))


def _in_use(inventory: Inventory) -> Iterator[RequestLog]:
    """The logs of proxies that a deployed service runs: that of its main file, where it has one of its own."""
    known = {item.file: item for item in inventory.request_logs}
    for proxy in inventory.reverse_proxies:
        runners = proxies.runners(inventory, proxy) if proxy.file in known else ()
        for service in runners:
            if service not in inventory.deployed_services or environments.is_for_developers(inventory, service):
                continue
            main = next((mount.source for mount in service.mounts if mount.target == proxies.MAIN_FILE), proxy.file)
            if main in known:
                yield known[main]


def _evidence(found: list[QueryCredential], log: RequestLog) -> Evidence:
    first, *others = found
    names = listed(item.name for item in found)
    caddy = "Caddyfile" in log.file
    lines = _CADDY.format(first.name) if caddy else _NGINX
    return Evidence(
        f"{first.location.file} takes {first.name} from the query of an address, and by {log.file} the proxy logs the "
        "whole of it, unless another setting leaves the query out.",
        first.location,
        subject=f"{first.location.file}/{first.name}",
        related=(
            Related(log.location, "logs whole addresses"),
            *(Related(item.location, f"takes {item.name} from there too", member=True) for item in others),
        ),
        recommendation=f"Take {names} from a header or a cookie, and leave the query out of the log of {log.file}.",
        severity=Severity.MEDIUM if _lasts(first) else None,
        example=files.into(log.file, lines),
    )
