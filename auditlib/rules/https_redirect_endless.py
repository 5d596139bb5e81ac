"""Django sends callers to HTTPS, and never learns that they came by it.

`SECURE_SSL_REDIRECT` answers each request in clear with a redirect. Behind a proxy that ends TLS every request comes in
clear, also those of browsers that have followed the redirect: the site answers with itself, until the browser gives up.
Only `SECURE_PROXY_SSL_HEADER` tells Django which header of the proxy to believe.

Anti-pattern:

    # settings.py, run by Gunicorn without a certificate
    SECURE_SSL_REDIRECT = True

Better:

    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

Recommendation:

    Set `SECURE_PROXY_SSL_HEADER`, and let the proxy set that header whatever the caller sends.

References:

- https://docs.djangoproject.com/en/stable/ref/settings/#secure-ssl-redirect
- https://docs.djangoproject.com/en/stable/ref/settings/#secure-proxy-ssl-header
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import django, environments, programs, starting
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import DJANGO_MODULE
from auditlib.inventory.proxy import ProxyTrait
from auditlib.inventory.stack import EnvironmentEntry
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SERVES = regex(r"\b(?:gunicorn|uvicorn|hypercorn|daphne|waitress-serve|granian)\b")
"""Servers that speak HTTP in clear unless they are given a certificate; uWSGI passes the scheme on by its protocol."""
_TOLD = regex(r"certfile|keyfile|\bssl|forwarded[-_]allow|proxy[-_]headers|--trusted-proxy|gunicorn\S*\.py", 2)
"""Options by which they speak TLS or believe a proxy, or that a file holds (any case)."""
_OFF = frozenset({"false", "0", "no", "off", ""})
_HEADER = 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")'


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each module of settings that redirects, where a server in clear runs it and no code knows a proxy's header."""
    kinds = {item.kind for item in inventory.proxy_traits if item.framework in ("Django", "py")}
    redirects = [item for item in inventory.proxy_traits if item.kind == "redirect"]
    if not redirects or kinds & {"scheme", "trust"}:
        return
    for item in redirects:
        if environments.is_for_development(item.location.file):
            continue
        for program in (*programs.programs(inventory), *_selecting(inventory, item)):
            if program.holds(item.location.file) and _serves_in_clear(inventory, program):
                yield _evidence(inventory, item, program)
                break


def _selecting(inventory: Inventory, item: ProxyTrait) -> list[Program]:
    """The services of an image that is built elsewhere and that name the module with the redirect as theirs."""
    if item.location.file not in django.selected(inventory):
        return []
    return [
        program for program in programs.of_only_image(inventory)
        if any(item.location.file in django.of_module(inventory, entry.value.text)
               for entry in program.service.environment if entry.name == DJANGO_MODULE and entry.value)
    ]  # fmt: skip


def _serves_in_clear(inventory: Inventory, program: Program) -> bool:
    """Whether a deployed service starts a server that is given no certificate and is told of no proxy."""
    if program.service.key not in {item.key for item in inventory.deployed_services}:
        return False
    text = " ".join(word for start in starting.of(inventory, program.service) for word in start.words)
    return bool(_SERVES.search(text)) and not any(map(_TOLD.search, (text, *program.given)))


def _switch(program: Program) -> EnvironmentEntry | None:
    """The variable of the service that turns the redirect off."""
    for entry in program.service.environment:
        if "SSL_REDIRECT" in entry.name and entry.value and entry.value.text.lower() in _OFF and not entry.variables:
            return entry
    return None


def _is_served(inventory: Inventory, project: str) -> bool:
    """Whether some service of a project may answer at the port of HTTPS."""
    ports = [port for item in inventory.services_of(project).values() for port in item.ports]
    return any("443" in f"{port.host_port}{port.target}{port.variable}" for port in ports)


def _evidence(inventory: Inventory, item: ProxyTrait, program: Program) -> Evidence:
    name, file = program.service.name, item.location.file
    off = _switch(program)
    open_port = bool(program.service.ports) and not _is_served(inventory, program.service.project)
    alone = ", and without one a redirect to port 443, which no service publishes" if open_port else ""
    where = f"where {off.name} isn't off, as it is for {name}, " if off else ""
    return Evidence(
        f"{file} has Django send callers to HTTPS, {name} serves in clear, and no SECURE_PROXY_SSL_HEADER says how a "
        f"proxy tells of HTTPS: {where}behind a proxy that ends TLS each answer is a redirect to itself{alone}.",
        item.location,
        subject=f"{file}/SECURE_SSL_REDIRECT",
        service=name,
        related=(
            Related(program.service.location, f"{name} serves in clear"),
            *((Related(off.location, "it is turned off here"),) if off else ()),
        ),
        recommendation=f"Set SECURE_PROXY_SSL_HEADER in {file}, and have the proxy set that header.",
        severity=Severity.LOW if off else None,
        example=files.into(file, _HEADER),
    )
