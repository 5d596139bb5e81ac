"""An Express application behind a proxy takes the proxy for its client.

Unless it is told to trust the proxy, `req.ip` is the proxy's address and `req.secure` is false. A limit by address then
counts all users as one, so that a few of them lock out all others, and a session's cookie that is for HTTPS alone is
never set: nobody stays logged in.

Anti-pattern:

    // nginx passes requests to this application
    const app = express();
    app.use(rateLimit({ windowMs: 60_000, limit: 100 }));

Better:

    const app = express();
    app.set("trust proxy", 1); // nginx alone stands before it
    app.use(rateLimit({ windowMs: 60_000, limit: 100 }));

Recommendation:

    Set `trust proxy` to the number of proxies before the application, or to their addresses; `true` lets clients choose
    their address.

References:

- https://expressjs.com/en/guide/behind-proxies.html
- https://express-rate-limit.mintlify.app/guides/troubleshooting-proxy-issues
- https://github.com/expressjs/session#cookiesecure
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, programs, traefik
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ExpressFile
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_named

_SAYS = {
    "limit": "limits requests by address, and counts all users as one",
    "cookie": "sets a session's cookie for HTTPS alone, which it then leaves out",
}
_TESTS = frozenset({"test", "tests", "__tests__", "e2e", "spec", "node_modules"})


class _Proxy(Struct, frozen=True):
    """What stands before a service, and where that shows."""

    name: str
    location: Location
    encrypted: bool = False
    """Whether it asks the service by HTTPS, so that the application sees that as well."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each package with Express that runs behind a proxy of the repository and doesn't know of it."""
    packages = _packages(inventory)
    if not packages:
        return
    before = _before(inventory, graph)
    running: dict[str, Program] = {}
    for each in programs.programs(inventory):
        for root in each.roots if each.service.key in before else ():
            running.setdefault(root, each)
    for items in packages.values():
        faults = [item for item in items if item.kind in _SAYS]
        program = next(filter(None, (_runner(item.location.file, running) for item in faults)), None)
        if program and not any(item.kind == "trust" for item in items):
            yield from _evidence(items, faults, program, before[program.service.key])


def _runner(path: str, running: dict[str, Program]) -> Program | None:
    """The program behind a proxy that holds a file, by its roots."""
    while path:
        if path in running:
            return running[path]
        path = posixpath.dirname(path)
    return running.get("")


def _packages(inventory: Inventory) -> dict[str, list[ExpressFile]]:
    """What is known of the code, by the folder of the package.json with Express that it belongs to.

    What belongs to none may be shared by all.
    """
    express = {
        posixpath.dirname(item.path)
        for item in inventory.manifests
        if item.kind == "npm" and any(one.name == "express" for one in item.requirements)
    }
    found: defaultdict[str, list[ExpressFile]] = defaultdict(list)
    shared: list[ExpressFile] = []
    for item in inventory.express_files:
        path = item.location.file
        if not _TESTS.isdisjoint(path.split("/")):
            continue
        home = _home(path, express)
        (shared if home is None else found[home]).append(item)
    trusts = [item for item in shared if item.kind == "trust"]
    return {home: [*items, *trusts] for home, items in found.items()}


def _home(path: str, folders: set[str]) -> str | None:
    """The nearest of the folders above a file."""
    while path:
        path = posixpath.dirname(path)
        if path in folders:
            return path
    return None


def _before(inventory: Inventory, graph: DependencyGraph) -> dict[str, _Proxy]:
    """By service the proxy that passes requests to it, outside of development."""
    found: dict[str, _Proxy] = {}
    for config in inventory.reverse_proxies:
        for item in config.upstreams if not environments.is_for_development(config.file) else ():
            service = service_named(inventory, graph, item.host, item.port, config.file)
            if service is not None:
                found.setdefault(service.key, _Proxy(config.kind, item.location, item.scheme == "https"))
    for service in inventory.distinct_services:
        if proxy := _by_itself(service):
            found.setdefault(service.key, proxy)
    return found


def _by_itself(service: Service) -> _Proxy | None:
    """The proxy that a service's own labels or variables ask to pass requests to it."""
    if route := next(traefik.routes_of(service), None):
        return _Proxy("Traefik", route.location)
    entry = next((item for item in service.environment if item.name == "VIRTUAL_HOST" and item.value), None)
    return _Proxy("nginx-proxy", entry.location) if entry else None


def _evidence(
    items: list[ExpressFile], faults: list[ExpressFile], program: Program, proxy: _Proxy
) -> Iterator[Evidence]:
    known = [item for item in faults if program.holds(item.location.file)]
    known = [item for item in known if item.kind == "limit" or not proxy.encrypted]
    if not known:
        return
    first, *others = sorted(known, key=lambda item: item.kind == "cookie")
    made = next((item for item in items if item.kind == "application"), first)
    says = listed(dict.fromkeys(_SAYS[item.kind] for item in (first, *others)))
    name = proxy.name
    yield Evidence(
        f"{program.service.name} stands behind {name} and never sets `trust proxy`: it {says}, unless something else "
        "tells it the client's address.",
        first.location,
        subject=posixpath.dirname(first.location.file) or "application",
        service=program.service.name,
        related=(
            Related(proxy.location, f"{name} passes requests to {program.service.name}"),
            *(Related(item.location, _SAYS[item.kind], member=True) for item in others),
        ),
        recommendation=f"Set `trust proxy` in {made.location.file} to the number of proxies before it.",
        example=files.into(made.location.file, f'app.set("trust proxy", 1);  // {name} alone stands before it'),
    )
