"""Which ports a service listens on inside its container, as far as its files say."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from auditlib.conventions import images, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_PORT = regex(r"(?:^|[^\d.])(\d{2,5})(?=$|/|[^\d.])")
_OPTION = regex(r"(?:--?(?:port|bind|listen|address|http-port|listen-address|web\.listen-address|addr|p|b))$")
_INLINE = regex(r"--?(?:port|bind|listen|address|http-port|web\.listen-address|listen-address|addr)[= ](\S+)")
_EVERY_ADDRESS = ("0.0.0.0", "::", "127.0.0.1", "localhost")  # noqa: S104 - we look for it in files
_PORT_VARIABLE = regex(r"(?:^|_)PORT$")
_ADDRESS_VARIABLE = regex(r"(?:^|_)(?:ADDR|ADDRESS|LISTEN|BIND)$")
_ACTUATOR_PORT = "MANAGEMENT_SERVER_PORT"
"""https://docs.spring.io/spring-boot/reference/actuator/monitoring.html#actuator.monitoring.customizing-management-server-port"""
_OF_OTHERS = regex(r"ALLOWED|TRUSTED|CORS|CSRF|ORIGIN")
"""Variables that hold the addresses of those who may ask."""
_OWN_PORT = regex(r"(?:^|_)(?:HTTP|HTTPS|API|APP|WEB|SERVER|LISTEN|METRICS|HEALTH(?:CHECK)?|PROBE|ADMIN)_PORT|PORT")
"""Variables that by their names hold a port at which a program is asked."""
_OWN_ADDRESS = regex(r"(?:0\.0\.0\.0|\[::\]|127\.0\.0\.1|localhost|\*)?:(?P<port>\d{2,5})")
_DEFAULTS: dict[str, frozenset[str]] = {
    "postgres": frozenset({"5432"}),
    "mysql": frozenset({"3306", "33060"}),
    "mariadb": frozenset({"3306"}),
    "redis": frozenset({"6379"}),
    "valkey/valkey": frozenset({"6379"}),
    "mongo": frozenset({"27017"}),
    "memcached": frozenset({"11211"}),
    "chromadb/chroma": frozenset({"8000"}),
    "qdrant/qdrant": frozenset({"6333", "6334"}),
    "prom/prometheus": frozenset({"9090"}),
    "prom/alertmanager": frozenset({"9093", "9094"}),
    "prom/node-exporter": frozenset({"9100"}),
    "prom/pushgateway": frozenset({"9091"}),
    "grafana/grafana": frozenset({"3000"}),
    "grafana/loki": frozenset({"3100", "9095"}),
    "adminer": frozenset({"8080"}),
    "axllent/mailpit": frozenset({"1025", "8025"}),
    "mailhog/mailhog": frozenset({"1025", "8025"}),
}
"""Ports of images that listen on nothing else unless their command or environment says so (https://hub.docker.com)."""

_TOLD_BY_FILE = frozenset({"postgres", "redis", "valkey/valkey", "mongo", "memcached", "grafana/loki"})
"""Those of them whose configuration file may name another port."""
_FILE = regex(r"\.(?:conf|ya?ml|cfg)$")
_SINGLE = frozenset(
    {"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "runserver", "flask", "streamlit", "next"}
)
"""Programs that listen at the one port that they are told."""

_SERVED_BY_BASE: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (regex(r"fpm"), frozenset({"9000"})),
    (regex(r"(?:^|/)(?:nginx|httpd|openresty|caddy|wordpress|nextcloud|drupal)(?:[:@/]|$)|apache"), frozenset({"80"})),
    (regex(r"(?:^|/)caddy(?:[:@]|$)|frankenphp"), frozenset({"80", "443", "2019"})),
    (regex(r"(?:^|/)(?:tomcat|jetty|wildfly|nginx-unprivileged)(?:[:@]|$)"), frozenset({"8080"})),
)
"""What an image serves of itself that others are built from; their `EXPOSE` lines add to it."""


def ports(inventory: Inventory, service: Service) -> frozenset[str]:
    """Every port that anything says the service listens on; empty if nothing says a word."""
    found = {port.target for port in service.ports} | {text.partition("/")[0] for text in service.expose}
    found |= set(by_variable(service).values())
    found |= of_program(inventory, service) | _of_proxies(inventory, service)
    return frozenset(found)


def to_ask(inventory: Inventory, service: Service) -> list[str]:
    """The ports at which a service can be asked; those of its image only where it starts what the image starts."""
    own = {port.target for port in service.ports} | {text.partition("/")[0] for text in service.expose}
    own |= set(in_command((*service.entrypoint, *service.command)))
    if own or (service.build is not None and service.command):
        return sorted(own)
    found = services.product(inventory, service)
    passing = _of_proxies(inventory, service) if found and found.kind == "proxy" else set()
    others = _of_others(inventory, service)
    told = {port for name, port in by_variable(service).items() if name not in others}
    return sorted({*told, *of_program(inventory, service), *passing})


def _of_others(inventory: Inventory, service: Service) -> set[str]:
    """The variables of a shared environment file that say where other services of the project are published."""
    published = (
        (item.name, port) for item in inventory.services for port in item.ports
        if item.project == service.project and item.name != service.name
    )  # fmt: skip
    places = {(port.location.file, port.location.line) for _, port in published}
    return {
        item.name for item in inventory.variables
        if item.project == service.project and (item.location.file, item.location.line) in places
    }  # fmt: skip


def by_variable(service: Service) -> dict[str, str]:
    """By variable the ports, without those of others: beside `DB_PORT` stands `DB_HOST`, which says whose it is."""
    given = {entry.name: entry.value.text for entry in service.environment if entry.value}
    found: dict[str, str] = {}
    for name, text in given.items():
        host = given.get(f"{name.removesuffix('PORT')}HOST", "")
        if _PORT_VARIABLE.search(name) and text.isdigit() and (not host or host in _EVERY_ADDRESS):
            found[name] = text
        if _ADDRESS_VARIABLE.search(name) and (own := _OWN_ADDRESS.fullmatch(text)):
            found[name] = own["port"]
    return found


def of_program(inventory: Inventory, service: Service) -> frozenset[str]:
    """The ports that the command or the image says; a published port alone doesn't tell that there are no others."""
    return frozenset((*in_command((*service.entrypoint, *service.command)), *_of_image(inventory, service)))


class Mismatch(Struct, frozen=True):
    """A port that a service doesn't listen on inside its container, as far as its files say."""

    asked: str
    known: tuple[str, ...]
    """Those that it does listen on."""
    swapped: bool
    """Whether the asked one is its port on the host."""
    part: str = ""
    """The part of the program that has a port of its own, if only that is meant."""

    def __str__(self) -> str:
        if self.part:
            return f"{self.part} answers at {', '.join(self.known)} alone"
        where = "that is its port on the host; " if self.swapped else ""
        return f"{where}inside the container it listens on {', '.join(self.known)} as far as the files say"


def mismatch(
    inventory: Inventory, service: Service, asked: list[str], confirmed: Iterable[str] = ()
) -> Mismatch | None:
    """What is wrong with the ports that somebody asks a service for; None if one is right, or nothing tells for sure.

    A published port alone doesn't tell that there are no others: command, image or Dockerfile must name some, or the
    asked one must be that of the host. What another place asks for as well (`confirmed`) is more likely right.
    """
    possible = ports(inventory, service) | of_base(inventory, service) if asked else frozenset()
    if not asked or (possible | set(confirmed)) & set(asked) or any("-" in port or "$" in port for port in possible):
        return None
    program = of_program(inventory, service)
    if any(_is_named(inventory, service, port) for port in asked):
        return None
    swapped = any(port.host_port == asked[0] for port in service.ports)
    said = frozenset(in_command((*service.entrypoint, *service.command)))  # which the image's own then isn't beside
    known = (said or program) | {port.target for port in service.ports}  # a variable may hold that of another service
    told = program and _serves_one(service)
    return Mismatch(asked[0], tuple(sorted(known)), swapped) if swapped or told else None


def _is_named(inventory: Inventory, service: Service, port: str) -> bool:
    """Whether a command or a variable of a service holds a number, in an option or a value that isn't known here."""
    if any(item.host_port == port for item in service.ports):
        return False
    texts = [*service.entrypoint, *service.command]
    own = (entry for entry in service.environment if not entry.endpoints and not _OF_OTHERS.search(entry.name.upper()))
    texts += [entry.value.text for entry in own if entry.value]
    _, steps = services.built_from(inventory, service)
    texts += [item.argument for item in steps if item.keyword in ("CMD", "ENTRYPOINT", "ENV")]
    return any(re.search(rf"(?<!\d){port}(?!\d)", text) for text in texts)


def _serves_one(service: Service) -> bool:
    """Whether a service has no further ports of its own: of a published image an option may name but one of several."""
    parts = " ".join((*service.entrypoint, *service.command)).split()
    mine = service.build is not None or images.repository(service.image) in _DEFAULTS
    return mine or parts[:1] == ["serve"] or not _SINGLE.isdisjoint(parts)


def of_variable(inventory: Inventory, service: Service, asked: list[str], paths: list[str]) -> Mismatch | None:
    """The port that the only such variable of a built service gives it, where nothing else names one; that of metrics
    is for those who ask for metrics.
    """
    found = by_variable(service)
    if service.build is None or len(asked) != 1 or len(found) != 1 or service.ports or service.expose:
        return None
    ((name, port),) = found.items()
    fits = _OWN_PORT.search(name.upper()) and (paths == ["/metrics"] or "METRICS" not in name.upper())
    if not fits or port == asked[0] or of_program(inventory, service) or _is_named(inventory, service, asked[0]):
        return None
    return None if asked[0] in of_base(inventory, service) else Mismatch(asked[0], (port,), False)


def of_actuator(service: Service, asked: list[str], paths: list[str]) -> Mismatch | None:
    """The port that Spring Boot's Actuator is moved to, where somebody asks for it at another one."""
    given = next((item.value.text for item in service.environment if item.name == _ACTUATOR_PORT and item.value), "")
    elsewhere = len(asked) == 1 and given.isdecimal() and given not in ("0", asked[0])
    meant = bool(paths) and all(path == "/actuator" or path.startswith("/actuator/") for path in paths)
    return Mismatch(asked[0], (given,), False, f"Actuator ({_ACTUATOR_PORT})") if elsewhere and meant else None


def of_twin(inventory: Inventory, service: Service, asked: list[str]) -> Mismatch | None:
    """The port of a service that another one of the same image has by the same variable, where this one is asked at
    that; what the image exposes is of no help then, as each of its programs has a port of its own.
    """
    own = by_variable(service)
    said = {*in_command((*service.entrypoint, *service.command)), *(port.target for port in service.ports)}
    if len(asked) != 1 or asked[0] in {*own.values(), *said, *(text.partition("/")[0] for text in service.expose)}:
        return None
    twins = (item for item in inventory.services if item.project == service.project and _is_twin(item, service))
    others = [by_variable(item) for item in twins]
    names = [name for name in own if any(item.get(name) == asked[0] for item in others)]
    return Mismatch(asked[0], tuple(sorted({own[name] for name in names})), False) if names else None


def _is_twin(one: Service, other: Service) -> bool:
    """Whether two services run the same image."""
    same = one.image == other.image if one.image else one.build and other.build and _built(one) == _built(other)
    return bool(same) and one.name != other.name


def _built(service: Service) -> tuple[str, str, str]:
    build = service.build
    return (build.context, build.dockerfile, build.target) if build else ("", "", "")


def in_command(words: tuple[str, ...]) -> list[str]:
    """The ports that options of a command name (`--port 8000`, `-b 0.0.0.0:8000`, `runserver 0.0.0.0:8000`)."""
    parts = [part for word in words for part in word.split()]
    found: list[str] = []
    for before, part in zip(["", *parts], parts, strict=False):
        inline = _INLINE.match(part)
        if inline or _OPTION.match(before) or before == "runserver":
            found += _PORT.findall(inline[1] if inline else part)[-1:]
    return found


def _of_image(inventory: Inventory, service: Service) -> set[str]:
    dockerfile = services.dockerfile(inventory, service)
    if not services.runs_server(inventory, service):
        return set()
    if service.build is None or dockerfile is None:
        name = images.repository(service.image)
        told = name in _TOLD_BY_FILE and any(map(_FILE.search, service.command))
        return set() if told else set(_DEFAULTS.get(name, ()))
    base, instructions = services.final_stage(dockerfile, service.build.target)
    found = set(_DEFAULTS.get(images.repository(base), ()))
    for item in instructions:
        if item.keyword == "EXPOSE":
            found |= {word.partition("/")[0] for word in item.words}
        elif item.keyword in ("CMD", "ENTRYPOINT"):
            found |= set(in_command(item.words))
        elif item.keyword == "ENV":
            pairs = (word.partition("=") for word in item.words)
            found |= {value for name, _, value in pairs if _PORT_VARIABLE.search(name) and value.isdigit()}
    return found


def of_base(inventory: Inventory, service: Service) -> frozenset[str]:
    """What the image that a service is built from serves anyway, or a package that its Dockerfile installs."""
    base, instructions = services.built_from(inventory, service)
    packages = (word for item in instructions if item.keyword == "RUN" for word in item.words if word.endswith("-fpm"))
    return frozenset().union(
        *(found for name in (base, *packages) for pattern, found in _SERVED_BY_BASE if pattern.search(name))
    )


def _of_proxies(inventory: Inventory, service: Service) -> set[str]:
    """What the configuration of a proxy listens on, if the service mounts it or is built beside it."""
    places = [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
    places += [service.build.context] if service.build and not service.build.outside else []
    return {
        port
        for proxy in inventory.reverse_proxies
        if any(place in (".", proxy.file) or proxy.file.startswith(place + "/") for place in places)
        for port in proxy.listens
    }
