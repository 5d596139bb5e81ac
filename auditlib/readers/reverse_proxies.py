"""Reads the upstreams of Caddy, Traefik and HAProxy.

Follows https://caddyserver.com/docs/caddyfile/directives/reverse_proxy,
https://doc.traefik.io/traefik/reference/routing-configuration/http/load-balancing/service/ and
https://docs.haproxy.org/3.0/configuration.html#4-server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from auditlib.inventory.proxy import PlainSite, ReverseProxy, Upstream
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import proxy_guards, reading, selection
from auditlib.readers.nodes import Entries, location
from auditlib.source import Source
from auditlib.yamltree import Node

_CADDY_PASS = regex(r"^\s*(?:reverse_proxy|php_fastcgi|to)\s+([^#{\n]+)")
_CADDY_DEFAULT = regex(r"\{\$(\w{1,60}):([^{}\s]{1,200})\}")
"""A variable with a default (https://caddyserver.com/docs/caddyfile/concepts#environment-variables)."""
_CADDY_IMPORT = regex(r"^\s*import\s", re.M)
_CADDY_PLAIN = regex(
    r"(?<![\w/.-])http://((?:[a-z0-9-]+\.)+(?!(?:local|internal|lan|home|test|localhost|localdomain|arpa|invalid)\b)[a-z]{2,20})"
    r"(?=[\s,{]|:80\b)",
    re.I,
)
"""A site's address with the scheme of plain HTTP, and a name that the world knows."""
_CADDY_NAME = regex(r"(?:https://)?((?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,20})(?=[\s,{:])", re.I)
_CADDY_PUBLIC = regex(
    r"(?:https://)?(?:\*\.)?(?:[a-z0-9-]{1,63}\.){1,10}"
    r"(?!(?:local|internal|lan|home|test|localhost|localdomain|arpa|invalid)\b)[a-z]{2,20}(?::443)?[\s,{]",
    re.I,
)
"""A site's address that has a certificate from an authority."""
_CADDY_OWN = regex(r"\s*(?:auto_https\s+(?:off|disable_certs)|local_certs\b|tls\s+(?:internal\b|/)|storage\s)")
"""What has it get none from an authority, or keep them elsewhere."""
_CADDY_PORT = regex(r":(\d{2,5})(?=[\s,{/])")
_HAPROXY_SERVER = regex(r"^\s*server\s+\S+\s+([^\s:]+)(?::(\d+))?")
_HAPROXY_BIND = regex(r"^\s*bind\s+\S*?:(\d{1,5})\b")
_HAPROXY_SECTION = regex(r"^(backend|listen|frontend|defaults|global)\b\s*(\S*)")
_TOML_URL = regex(r'^\s*(?:url|address)\s*=\s*"([^"\n]+)"')


def read(source: Source) -> reading.Reading:
    """Every configuration of these proxies that passes requests on."""
    caddy = selection.containing(source, ("Caddyfile", "Caddyfile.*", "*.caddyfile"), "reverse_proxy", "php_fastcgi")
    haproxy = selection.containing(source, ("haproxy*.cfg", "haproxy*.conf"), "server ")
    traefik = selection.containing(source, (*selection.YAML, "*.toml"), "loadBalancer")
    found = [
        reading.each(source, caddy, "caddy", _caddy),
        reading.each(source, haproxy, "haproxy", _haproxy),
        reading.each(source, (file for file in traefik if _is_traefik(source.text(file))), "traefik", _traefik),
    ]
    return reading.Reading([r for one in found for r in one.records], [c for one in found for c in one.coverage])


def _caddy(source: Source, file: str) -> Iterator[Any]:
    guarded = _is_guarded(source, file)
    listens: list[str] = []
    upstreams: list[Upstream] = []
    for site in _caddy_sites(source.lines(file)):
        ports = tuple(_CADDY_PORT.findall(site[0][1][:1_000])) if _opens_site(site[0][1]) else ()
        listens += ports
        asks = guarded and _caddy_asks("\n".join(line for _, line in site))
        for number, line in site:
            variable = _CADDY_DEFAULT.search(line[:1_000])
            for path, word in _caddy_passes(_CADDY_DEFAULT.sub(r"\2", line[:1_000])):
                found = _upstream(word, path, "", Location(file, number), ports)
                upstreams.append(replace(found, guarded=asks, variable=variable[1] if variable else ""))
    yield ReverseProxy(
        file,
        "caddy",
        tuple(dict.fromkeys(listens)),
        tuple(upstreams),
        Location(file),
        guarded=guarded,
        plain_sites=tuple(_caddy_plain(file, source.lines(file))),
        certified=_caddy_certified(file, source.lines(file)),
    )


def _caddy_plain(file: str, lines: list[str]) -> Iterator[PlainSite]:
    """The public names that sites have by HTTP alone."""
    opened = [(number, line[:1_000]) for number, line in enumerate(lines, 1) if _opens_site(line)]
    plain = [(number, name) for number, line in opened for name in _CADDY_PLAIN.findall(line)]
    by_tls = {name for _, line in opened for name in _CADDY_NAME.findall(_CADDY_PLAIN.sub("", line))}
    yield from (PlainSite(name, Location(file, number)) for number, name in plain if name not in by_tls)


def _caddy_certified(file: str, lines: list[str]) -> Location | None:
    """The first site with a name that the world knows, for which Caddy asks the authority."""
    if any(_CADDY_OWN.match(line[:1_000]) for line in lines):
        return None
    for number, line in enumerate(lines, 1):
        text = line[:1_000].split("#")[0]
        if _opens_site(line) and _CADDY_PUBLIC.match(text) and not text.startswith("http://"):
            return Location(file, number)
    return None


def _caddy_sites(lines: Iterable[str]) -> Iterator[list[tuple[int, str]]]:
    """The numbered lines of each site, and of what stands before the first."""
    site: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if site and _opens_site(line):
            yield site
            site = []
        site.append((number, line))
    if site:
        yield site


def _opens_site(line: str) -> bool:
    return line.rstrip().endswith("{") and line[:1] not in (" ", "\t", "#")


def _caddy_asks(site: str) -> bool:
    """Whether a site of a file that names a guard has one, or takes in a snippet that may."""
    return proxy_guards.names_guard(site) or bool(_CADDY_IMPORT.search(site))


def _caddy_passes(line: str) -> Iterator[tuple[str, str]]:
    """The servers that a statement passes requests to, each after the path or matcher."""
    match = _CADDY_PASS.match(line)
    words = match[1].split() if match else []
    path = words.pop(0) if words and words[0][0] in "/*@" else ""
    yield from ((path, word) for word in words if word[0] not in "{}")


def _haproxy(source: Source, file: str) -> Iterator[Any]:
    listens: list[str] = []
    upstreams: list[Upstream] = []
    group = ""
    for number, line in enumerate(source.lines(file), 1):
        if section := _HAPROXY_SECTION.match(line):
            group = section[2]
        if match := _HAPROXY_BIND.match(line[:1_000]):
            listens.append(match[1])
        if match := _HAPROXY_SERVER.match(line[:1_000]):
            upstreams.append(Upstream(match[1], match[2] or "", "tcp", "", group, Location(file, number)))
    yield ReverseProxy(
        file,
        "haproxy",
        tuple(dict.fromkeys(listens)),
        tuple(upstreams),
        Location(file),
        guarded=_is_guarded(source, file),
    )


def _is_guarded(source: Source, file: str) -> bool:
    return proxy_guards.names_guard(source.text(file))


def _is_traefik(text: str) -> bool:
    """Kubernetes says `loadBalancer` too, but has no services below `http` or `tcp`."""
    return bool(re.search(r"^(?:http|tcp|udp):|^\[(?:http|tcp|udp)\.", text, re.M))


def _traefik(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, "traefik")
    upstreams = _traefik_toml(source, file) if file.endswith(".toml") else _traefik_yaml(source, entries)
    yield ReverseProxy(file, "traefik", (), tuple(upstreams), Location(file), guarded=_is_guarded(source, file))
    yield from entries.problems


def _traefik_yaml(source: Source, entries: Entries) -> Iterator[Upstream]:
    for document in source.yaml(entries.file):
        for protocol in ("http", "tcp", "udp"):
            services = document.get(protocol, "services")
            for name, service in services.items() if services else ():
                for server in entries.of(service, "loadBalancer", "servers"):
                    yield from _traefik_server(server, name.text, entries.file)


def _traefik_server(server: Node, group: str, file: str) -> Iterator[Upstream]:
    address = server.get("url") or server.get("address")
    if address:
        yield _upstream(address.text, "", group, location(address, file))


def _traefik_toml(source: Source, file: str) -> Iterator[Upstream]:
    for number, line in enumerate(source.lines(file), 1):
        if match := _TOML_URL.match(line[:1_000]):
            yield _upstream(match[1], "", "", Location(file, number))


def _upstream(address: str, path: str, group: str, place: Location, listens: tuple[str, ...] = ()) -> Upstream:
    """The server of a URL or `host:port`; one that a variable names has no host that is known."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname or "", str(parts.port or "")
    except ValueError:
        parts, host, port = urlsplit(""), "", ""
    known = "" if re.search(r"[{}$]", host) else host
    return Upstream(known, port, parts.scheme or "http", path, group, place, listens)
