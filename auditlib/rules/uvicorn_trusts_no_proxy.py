"""Uvicorn stands behind a proxy that it doesn't trust.

It takes the client's address and the scheme from `X-Forwarded-For` and `X-Forwarded-Proto` of 127.0.0.1 alone, and a
proxy in another container has another address. Its log then has the proxy for every client, and what the application
makes of its own address begins with `http`: a redirect to the same path with a slash leaves HTTPS, and browsers block
it.

Anti-pattern:

    api:
      command: uvicorn app.main:app --host 0.0.0.0
      labels: ["traefik.http.routers.api.rule=Host(`api.example.org`)"]

Better:

    api:
      command: uvicorn app.main:app --host 0.0.0.0 --forwarded-allow-ips=*
      labels: ["traefik.http.routers.api.rule=Host(`api.example.org`)"]

Recommendation:

    Start Uvicorn with `--forwarded-allow-ips`: the addresses of the proxy, or `*` where nobody else reaches the port.

References:

- https://www.uvicorn.org/deployment/#proxies-and-forwarded-headers
- https://fastapi.tiangolo.com/advanced/behind-a-proxy/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, services, starting
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _proxied_services as proxied_services
from auditlib.rules._proxied_services import Proxy
from auditlib.rules._rule import Evidence, rule

_STARTS = regex(r"(?:^|[\s/;&])uvicorn\s+(?:\S{1,80}\s+){0,20}?[\w.]{1,120}:\w+|(?:^|[\s/;&])fastapi\s+run\b")
_TOLD = regex(r"forwarded.allow.ips|no-proxy-headers|\bgunicorn\b|\$\{?\w{0,30}(?:OPT|ARG|FLAG|EXTRA|PARAM)|\$@", 2)
"""Options that tell of a proxy or refuse one, in any case, and words that something else fills in."""
_VARIABLE = "FORWARDED_ALLOW_IPS"

_Found = tuple[Service, Start, Proxy]


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all services that start Uvicorn behind a proxy of the repository, where nothing says so."""
    if _is_known_to_code(inventory):
        return
    before = proxied_services.before(inventory, graph)
    found = [item for key in before for item in _untold(inventory, key, before[key])]
    if found:
        yield _evidence(found)


def _is_known_to_code(inventory: Inventory) -> bool:
    """Whether code or a template trusts a proxy, or another rule tells what code makes of the address."""
    python = [item for item in inventory.proxy_traits if item.location.file.endswith(".py")]
    return any(item.kind in ("trust", "limit") for item in python) or any(
        line.name == _VARIABLE for file in inventory.env_files for line in file.lines
    )


def _untold(inventory: Inventory, key: str, proxy: Proxy) -> Iterator[_Found]:
    service = next((item for item in inventory.distinct_services if item.key == key), None)
    if service is None or environments.is_for_developers(inventory, service) or _is_set(inventory, service):
        return
    starts = starting.of(inventory, service)
    words = [" ".join(item.words) for item in starts]
    server = next((item for item, text in zip(starts, words, strict=True) if _STARTS.search(text)), None)
    if server and not any(map(_TOLD.search, words)):
        yield service, server, proxy


def _is_set(inventory: Inventory, service: Service) -> bool:
    """Whether Compose or the image gives the variable."""
    given = any(item.name == _VARIABLE for item in service.environment)
    image = services.built_from(inventory, service)[1]
    return given or any(item.keyword == "ENV" and _VARIABLE in item.argument for item in image)


def _evidence(found: list[_Found]) -> Evidence:
    (service, start, proxy), *others = found
    names = listed(item.name for item, _, _ in found)
    return Evidence(
        f"{names} {'runs' if not others else 'run'} Uvicorn behind {proxy.name} and "
        f"{'is' if not others else 'are'} not told to trust it: the log has the proxy for every client, and where "
        "the site is called by HTTPS, redirects lead to http.",
        start.location,
        subject=f"{service.name}/uvicorn",
        service=service.name,
        related=(
            *(Related(each.location, f"so does {item.name}", member=True) for item, each, _ in others),
            Related(proxy.location, f"{proxy.name} passes requests to {service.name}"),
        ),
        recommendation=f"Start Uvicorn of {names} with `--forwarded-allow-ips` and the addresses of the proxy.",
        example=compose_lines.of_service(
            service, f"environment:\n  {_VARIABLE}: <addresses of the proxy, or * where it alone reaches the port>"
        ),
    )
