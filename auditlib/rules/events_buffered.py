"""Nginx keeps a stream of events back until its buffer is full.

An application that sends events one by one (Server-Sent Events, answers of a model word by word) is heard in lumps, and
a stream that says nothing for a minute is cut off, since Nginx buffers answers and waits sixty seconds for more.

Anti-pattern:

    # api: StreamingResponse(events(), media_type="text/event-stream")
    location /api/ { proxy_pass http://api:8000; }

Better:

    location /api/events {
      proxy_buffering off;
      proxy_read_timeout 1h;
      proxy_pass http://api:8000;
    }

Recommendation:

    Turn `proxy_buffering` off where the stream is asked for, or send the header `X-Accel-Buffering: no`.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
- https://developer.mozilla.org/en-US/docs/Web/API/Server-sent_events/Using_server-sent_events
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import nginx_sites
from auditlib.conventions.nginx_sites import Chain
from auditlib.conventions.proxied import unmet
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ProxyTrait, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each built service that sends events, to which an Nginx passes requests, and buffers all its answers."""
    for item in unmet(inventory, "stream", _may_stream):
        yield _evidence(item.config, item.runner, item.service, item.trait, item.chains[0])


def _may_stream(chain: Chain) -> bool:
    """Whether a location hands answers on as they come, or includes a file that may say so."""
    return nginx_sites.value(chain, "proxy_buffering") == "off" or nginx_sites.includes_more(chain)


def _evidence(config: ReverseProxy, runner: Service, service: Service, trait: ProxyTrait, chain: Chain) -> Evidence:
    statement = nginx_sites.own(chain, "proxy_pass")[0]
    waits = nginx_sites.value(chain, "proxy_read_timeout")
    cut = "" if waits else ", and cuts off one that is silent for 60 seconds"
    return Evidence(
        f"{service.name} sends a stream of events, and {config.file} buffers every answer of it: Nginx hands events on "
        f"in lumps{cut}, unless an answer's own header says otherwise.",
        statement.location,
        subject=f"{config.file}/{service.name}/buffering",
        service=runner.name,
        related=(Related(trait.location, f"{service.name} sends events"),),
        recommendation=f"Turn `proxy_buffering` off in {config.file} where {service.name} is asked for its stream.",
        example=files.into(
            config.file,
            f"location <the path of the stream> {{\n  proxy_buffering off;\n  proxy_read_timeout 1h;\n"
            f"  {' '.join(statement.words)};\n}}",
        ),
    )
