"""An application behind a proxy takes the proxy for its client.

Unless it is told to trust the proxy, the address that it sees is the proxy's. A limit by address then counts all users
as one, so that a few of them lock out all others. In Express, `req.secure` is false as well, and a session's cookie
that is for HTTPS alone is never set: nobody stays logged in. Read are Express, Nest, Fastify, FastAPI and Starlette,
Flask, Django, Go, Spring, ASP.NET and Laravel.

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
- https://www.uvicorn.org/deployment/#proxies-and-forwarded-headers
- https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
- https://learn.microsoft.com/en-us/aspnet/core/host-and-deploy/proxy-load-balancer
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import programs, starting
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ExpressFile
from auditlib.inventory.proxy import ProxyTrait
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _proxied_services as proxied_services
from auditlib.rules._proxied_services import Proxy
from auditlib.rules._rule import Evidence, rule

_SAYS = {
    "limit": "limits requests by address, and counts all users as one",
    "cookie": "sets a session's cookie for HTTPS alone, which it then leaves out",
}
_TESTS = frozenset({"test", "tests", "__tests__", "e2e", "spec", "node_modules"})


_LANGUAGES = {
    "slowapi": "py", "Starlette": "py", "Flask-Limiter": "py", "Flask": "py", "Django": "py", "django-axes": "py",
    "Nest": "js", "Fastify": "js", "net/http": "go", "httprate": "go", "Fiber": "go", "Spring": "java",
    "ASP.NET": "cs", "Laravel": "php",
}  # fmt: skip
_UVICORN = ("Start Uvicorn with `--forwarded-allow-ips`, the addresses of the proxy",
            "--proxy-headers --forwarded-allow-ips=<addresses of the proxy>")  # fmt: skip
_FLASK = ("Wrap the application in Werkzeug's `ProxyFix`", "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)")
_GO = ("Count by `X-Forwarded-For` as the proxy sets it", "<read X-Forwarded-For where r.RemoteAddr is the proxy's>")
_MENDS = {
    "slowapi": _UVICORN, "Starlette": _UVICORN, "Flask-Limiter": _FLASK, "Flask": _FLASK,
    "Django": ("Let the limit read the header that the proxy sets", 'RATELIMIT_IP_META_KEY = "HTTP_X_REAL_IP"'),
    "django-axes": ("Tell django-axes of the proxy", "AXES_IPWARE_PROXY_COUNT = 1"),
    "Nest": ("Set `trust proxy` to the number of proxies", 'app.set("trust proxy", 1);'),
    "Fastify": ("Set `trustProxy` to the number of proxies", "Fastify({ trustProxy: 1 })"),
    "net/http": _GO,
    "httprate": ("Count by `httprate.KeyByRealIP`", "httprate.Limit(<number>, <span>, httprate.WithKeyByRealIP())"),
    "Fiber": ("Tell Fiber of the header and of the proxy", 'ProxyHeader: "X-Forwarded-For"'),
    "Spring": ("Set `server.forward-headers-strategy`", "server.forward-headers-strategy=native"),
    "ASP.NET": ("Call `UseForwardedHeaders` first", "app.UseForwardedHeaders();"),
    "Laravel": ("Trust the proxy in `bootstrap/app.php`", "$middleware->trustProxies(at: '<the proxy>');"),
}  # fmt: skip
_TOLD = ("FORWARDED_ALLOW_IPS", "FORWARDED-ALLOW-IPS", "FORWARDEDHEADERS_ENABLED", "FORWARD_HEADERS_STRATEGY",
         "TRUSTED_PROX", "TRUST_PROXY")  # fmt: skip
"""What variables and options that tell of a proxy hold, in capitals."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each application that runs behind a proxy of the repository and doesn't know of it."""
    packages = _packages(inventory)
    limits = [item for item in inventory.proxy_traits if item.kind == "limit"]
    if not packages and not limits:
        return
    before = proxied_services.before(inventory, graph)
    if not before:
        return
    running: dict[str, Program] = {}
    for each in programs.programs(inventory):
        for root in each.roots if each.service.key in before else ():
            running.setdefault(root, each)
    for items in packages.values():
        faults = [item for item in items if item.kind in _SAYS]
        program = next(filter(None, (_runner(item.location.file, running) for item in faults)), None)
        if program and not any(item.kind == "trust" for item in items):
            yield from _evidence(items, faults, program, before[program.service.key])
    yield from _others(inventory, limits, running, before)


def _others(
    inventory: Inventory, limits: list[ProxyTrait], running: dict[str, Program], before: dict[str, Proxy]
) -> Iterator[Evidence]:
    """What is written with other frameworks: one finding for each service whose code limits by address."""
    trusting = {item.framework for item in inventory.proxy_traits if item.kind == "trust"}
    found: defaultdict[str, list[tuple[Program, ProxyTrait]]] = defaultdict(list)
    for item in limits:
        program = _runner(item.location.file, running) if _LANGUAGES[item.framework] not in trusting else None
        if program and program.holds(item.location.file) and not _is_told(inventory, program):
            found[program.service.key].append((program, item))
    for key, items in found.items():
        yield _other_evidence(items[0][0].service.name, [item for _, item in items], before[key])


def _is_told(inventory: Inventory, program: Program) -> bool:
    """Whether a variable, an option or the image tells of a proxy."""
    service = program.service
    words = [*program.given, *(word for start in starting.of(inventory, service) for word in start.words)]
    words += [name for file in inventory.env_files for line in file.lines for name in (line.name,)]
    return any(mark in word.upper() for word in words for mark in _TOLD)


def _other_evidence(name: str, found: list[ProxyTrait], proxy: Proxy) -> Evidence:
    first, *others = found
    advice, line = _MENDS[first.framework]
    return Evidence(
        f"{name} stands behind {proxy.name} and limits callers by the address that it sees, which is the proxy's: all "
        f"users count as one, unless something else tells it the client's address.",
        first.location,
        subject=posixpath.dirname(first.location.file) or "application",
        service=name,
        related=(
            Related(proxy.location, f"{proxy.name} passes requests to {name}"),
            *(Related(item.location, "this counts by the same address", member=True) for item in others),
        ),
        recommendation=f"{advice}, so that {name} sees its callers' own addresses.",
        example=files.into(first.location.file, line),
    )


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


def _evidence(
    items: list[ExpressFile], faults: list[ExpressFile], program: Program, proxy: Proxy
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
