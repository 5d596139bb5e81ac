"""Health checks that rules advise to write: one that is known to fit, or a draft in the words of the service.

Sources: the images' own Dockerfiles and documentation (https://prometheus.io/docs/prometheus/latest/management_api/,
https://grafana.com/docs/grafana/latest/developers/http_api/other/#health-api).
"""

from __future__ import annotations

import textwrap

from auditlib.conventions import image_contents, images, listening, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_BY_PRODUCT = {
    "PostgreSQL": '["CMD-SHELL", "pg_isready -U $${POSTGRES_USER:-postgres}"]',
    "Redis": '["CMD", "redis-cli", "ping"]',
    "Valkey": '["CMD", "valkey-cli", "ping"]',
    "RabbitMQ": '["CMD", "rabbitmq-diagnostics", "-q", "ping"]',
    "MariaDB": '["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"]',
}
"""By product the question that its own image brings the program for."""
_BY_IMAGE = {
    "prom/prometheus": "9090/-/healthy", "prom/alertmanager": "9093/-/healthy", "prom/pushgateway": "9091/-/healthy",
    "prom/node-exporter": "9100/metrics", "prom/blackbox-exporter": "9115/-/healthy",
    "grafana/grafana": "3000/api/health", "grafana/grafana-oss": "3000/api/health",
}  # fmt: skip
"""By image the port and path that tell its health; all of them hold BusyBox's wget."""
_WITHOUT_WGET = regex(r"distroless|ubuntu")
_ELSEWHERE = regex(r"requirepass|aclfile|redis\.conf|valkey\.conf|listen-address|route-prefix|external-url|web\.config")
"""Options with which a program wants a password, or answers at another place."""
_SERVER_VARIABLES = ("GF_SERVER_HTTP_PORT", "GF_SERVER_PROTOCOL", "GF_SERVER_SERVE_FROM_SUB_PATH")
_NOT_WEB = frozenset({"22", "25", "443", "465", "587", "1025", "1883", "4317", "8443", "8883", "9094"})
"""Ports of SSH, of TLS, of mail, of MQTT and of gRPC, which answer no request of plain HTTP."""
_HEALTH = regex(r"^/(?:api/)?(?:v\d+/)?(?:health|healthz|livez?|ready|readyz|ping|status)/?$")
_OF_HOST = regex(r"https?://[\w.:-]{1,100}(?P<path>/[\w/.-]{1,100})")
_CADDY = "http://127.0.0.1:2019/config/"
"""Its administration (https://caddyserver.com/docs/api); its sites redirect to names that no certificate has for
127.0.0.1."""
_WITH_PASSWORD = regex(r"requirepass|aclfile")
_LOGGED_IN = '["CMD-SHELL", "REDISCLI_AUTH=<its password> {client} ping | grep -q PONG"]'
_CLIENTS = {"Redis": "redis-cli", "Valkey": "valkey-cli"}
ITSELF = '["CMD", "<the path of the program in the image>", "<the option with which it asks itself>"]'
"""Of an image that holds nothing else."""
_TRAEFIK = '["CMD", "traefik", "healthcheck", "--ping"]'
"""It asks the end of that name, which has to be turned on (https://doc.traefik.io/traefik/operations/cli/)."""
_ANSWERS = '["CMD", "curl", "-sS", "-o", "/dev/null", "{url}"]'
"""Any answer will do, as from a server that leads on to TLS, for which 127.0.0.1 has no certificate."""
_OLD_NODE = regex(r"^(?:[4-9]|1[0-7])(?:\D|$)")
"""Releases of Node.js without `fetch`."""
_ASKING = {
    "python": """["CMD", "python", "-c", "import urllib.request as r; r.urlopen('{url}')"]""",
    "node": """["CMD", "node", "-e", "fetch('{url}').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]""",
}
"""How a language's own image asks, whatever else it holds."""
_ASKING_WITH_HEADERS = (
    """["CMD", "python", "-c", "import urllib.request as r; """
    """r.urlopen(r.Request('{url}', headers={{{headers}}}))"]"""
)
_BEHIND_TLS = regex(r"SSL_REDIRECT|PROXY_SSL|FORCE_HTTPS")
"""Settings with which a server in Python sends whoever comes without TLS elsewhere."""
_ANY_HOST = regex(r"(?:^|[\s,\[\"'])(?:\*|127\.0\.0\.1)(?:$|[\s,\]\"'])")
_ASKING_BY_OLD_NODE = (
    """["CMD", "node", "-e", "require('http').get('{url}', r => process.exit(r.statusCode < 400 ? 0 : 1))"""
    """.on('error', () => process.exit(1))"]"""
)


def certain(inventory: Inventory, service: Service) -> str:
    """A health check with which the image itself can be asked; empty where the files don't tell that it fits."""
    if service.build or service.healthcheck is not None or _ELSEWHERE.search(" ".join(service.command)):
        return ""
    product = services.product(inventory, service)
    end = _BY_IMAGE.get(images.repository(service.image), "")
    if end and not _WITHOUT_WGET.search(images.tag(service.image)) and not _moved(service):
        return _check(f'["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:{end}"]')
    test = _BY_PRODUCT.get(product.name, "") if product else ""
    return _check(test) if test else ""


def by_language(base: str, url: str, headers: str = "") -> str:
    """How the image of a language asks for an address by itself; empty for another image.

    `headers` are what a server in Python wants to be sent, as entries of a dictionary.
    """
    name = images.repository(base)
    if name == "python" and headers:
        return _ASKING_WITH_HEADERS.format(url=url, headers=headers)
    if name == "node" and _OLD_NODE.search(images.tag(base)):
        return _ASKING_BY_OLD_NODE.format(url=url)
    return _ASKING[name].format(url=url) if name in _ASKING else ""


def draft(inventory: Inventory, service: Service) -> str:
    """A health check in the service's own words, with placeholders for what no file tells."""
    if known := certain(inventory, service):
        return _under(service, known)
    product = services.product(inventory, service)
    more = _pinged(service) if product and product.name == "Traefik" else ""
    return f"{_of(service, _test(inventory, service))}{more}"


def _test(inventory: Inventory, service: Service) -> str:
    """The question itself: of a program that is known by its own tool, of others as they listen."""
    commands = [list(item.words) for item in services.commands(inventory, service)]
    celery = next((words for words in commands if "celery" in words and "worker" in words), None)
    if celery:
        app = celery[celery.index("-A") + 1] if "-A" in celery[:-1] else "<the module of the application>"
        return f'["CMD-SHELL", "celery -A {app} inspect ping -d celery@$$HOSTNAME"]'
    product = services.product(inventory, service)
    return (product and _of_product(service, product.name)) or _at_its_port(inventory, service)


def _of_product(service: Service, name: str) -> str:
    """How a well-known program is asked by what its image holds; empty of others."""
    if name in _CLIENTS and _WITH_PASSWORD.search(" ".join(service.command)):
        return _LOGGED_IN.format(client=_CLIENTS[name])
    return _TRAEFIK if name == "Traefik" else _BY_PRODUCT.get(name, "")


def _at_its_port(inventory: Inventory, service: Service) -> str:
    product = services.product(inventory, service)
    base = services.built_from(inventory, service)[0] or service.image
    if images.repository(base) == "caddy":
        return f'["CMD", "wget", "-q", "-O", "/dev/null", "{_CADDY}"]'
    if image_contents.is_empty(base):
        return ITSELF
    heard = listening.to_ask(inventory, service)
    ports = [port for port in heard if port not in _NOT_WEB]
    speaks = not ("fpm" in images.tag(base) and images.repository(base) == "php")  # FastCGI, and no HTTP
    if not ports or not speaks or (product and product.kind in services.DATASTORES):
        return '["CMD", "<a command of its image that fails when it no longer works>"]'
    url = f"http://127.0.0.1:{ports[0]}{_path(inventory, service)}"
    leads_on = product and product.name == "Nginx" and "443" in heard
    return _ANSWERS.format(url=url) if leads_on else _asking(inventory, service, url)


def _pinged(service: Service) -> str:
    """What turns on the end that Traefik asks itself at, as its options or its file say it."""
    words = " ".join(service.command)
    if "--ping" in words:
        return ""
    if any(word.startswith("--") and not word.startswith("--configfile") for word in service.command):
        return "\n  command:\n    - --ping=true  # beside the others"
    return "\n  # and `ping: {}` in its static configuration"


def _of(service: Service, test: str) -> str:
    return _under(service, _check(test))


def _under(service: Service, lines: str) -> str:
    return f"{service.name}:\n{textwrap.indent(lines, '  ')}"


def _check(test: str) -> str:
    return f"healthcheck:\n  test: {test}\n  interval: 10s\n  timeout: 5s\n  retries: 5"


def _moved(service: Service) -> bool:
    return any(entry.name in _SERVER_VARIABLES for entry in service.environment)


def _asking(inventory: Inventory, service: Service, url: str) -> str:
    """A command that the image holds, as far as its base tells."""
    base = services.built_from(inventory, service)[0] or service.image
    if language := by_language(base, url, _headers(inventory, service)):
        return language
    without_curl = image_contents.lacks(base, "curl") and not image_contents.lacks(base, "wget")
    if "alpine" in images.tag(base) or without_curl:
        return f'["CMD", "wget", "-q", "-O", "/dev/null", "{url}"]'
    holds = image_contents.is_plain(base) and not image_contents.lacks(base, "curl")
    tool = "curl" if holds else "<a program of its image>"
    return f'["CMD", "{tool}", "-fsS", "{url}"]' if tool == "curl" else f'["CMD", "{tool}", "{url}"]'


def _headers(inventory: Inventory, service: Service) -> str:
    """What code that answers certain hosts alone has to be asked with: Django refuses 127.0.0.1 otherwise.

    https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts
    """
    context = service.build.context if service.build and not service.build.outside else None
    inside = "" if context in (".", "") else f"{context}/"
    mine = {item.name for item in inventory.settings if context is not None and item.location.file.startswith(inside)
            and item.location.file.endswith(".py")}  # fmt: skip
    name = next((name for name in sorted(mine) if name.upper().endswith("ALLOWED_HOSTS")), "")
    given = (entry for entry in service.environment if entry.name == name and entry.origin == "environment")
    if not name or any(entry.value and _ANY_HOST.search(entry.value.text) for entry in given):
        return ""
    secure = ", 'X-Forwarded-Proto': 'https'" if any(_BEHIND_TLS.search(item) for item in mine) else ""
    return f"'Host': '<a host of {name}>'{secure}"


def _path(inventory: Inventory, service: Service) -> str:
    """The route of the service's code that is there to be asked, or the root where no code shows that it has none.

    Of a program that isn't built here, and that nobody knows, nothing is known of its routes either.
    """
    if not service.build and services.product(inventory, service) is None:
        return "/<a path that answers without a login>"
    context = service.build.context if service.build and not service.build.outside else None
    inside = "" if context == "." else f"{context}/"
    own = [item for item in inventory.web_routes if context and item.location.file.startswith(inside)]
    routes = [item.path for item in own]
    root = "/openapi.json" if "/openapi.json" in routes else "/<a path that answers without a login>"
    root = "/" if not {"", "/"}.isdisjoint(routes) or (not routes and _may_serve_root(inventory, service)) else root
    if not routes and context and _has_actuator(inventory, inside):
        root = "/actuator/health"
    asked = next((item for item in own if _HEALTH.search(item.path)), None)
    return (asked.path if asked.whole else _told(inventory, asked.path)) if asked else root


def _told(inventory: Inventory, path: str) -> str:
    """The path with what a router puts before it, where a document has an address with both."""
    lines = (item.text for document in inventory.documents for item in document.mentions if item.kind == "address")
    found = (match["path"] for line in lines for match in _OF_HOST.finditer(line))
    return next((longer for longer in found if longer.endswith(path)), path)


def _may_serve_root(inventory: Inventory, service: Service) -> bool:
    """Whether it is likely that a service without known routes has a page at its root, as one for people has."""
    base = images.repository(services.built_from(inventory, service)[0] or service.image)
    return services.product(inventory, service) is not None or base in ("node", "python", "nginx", "httpd", "oven/bun")


def _has_actuator(inventory: Inventory, inside: str) -> bool:
    """Whether code of Spring below a folder is asked for what its Actuator tells."""
    own = any(item.location.file.startswith(inside) for item in inventory.spring_settings)
    return own and any(job.metrics_path.startswith("/actuator/") for job in inventory.scrape_jobs)
