"""A deployment replaces an application, and its proxy goes on asking the old address.

Nginx looks up the names of its upstreams once, when it starts. A container that is made anew may get another address:
until somebody restarts or reloads Nginx it answers 502, or passes requests to whichever container has the old address
now.

Anti-pattern:

    # nginx.conf
    location / { proxy_pass http://api:8000; }
    # deploy.sh
    docker compose up -d --no-deps api

Better:

    # deploy.sh
    docker compose up -d --no-deps api
    docker compose exec -T web nginx -s reload

Recommendation:

    Reload Nginx at the end of the deployment, or let it look names up anew by `resolver` and a variable.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
- https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib import stages
from auditlib.compose.discovery import BASES
from auditlib.compose_command import Call
from auditlib.conventions import compose_calls, environments, proxies
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ENDS = frozenset({"down", "stop", "rm"})
_RELOADS = regex(r"(?<!-)\breload\b|\bHUP\b|\b(?:restart|force-recreate)\b")


class _Made(Struct, frozen=True):
    """A call that makes containers anew: those of the services named, or all whose images changed."""

    call: Call
    location: Location
    pulled: frozenset[str] = frozenset()
    """The services for which alone an image was pulled before."""


class _Stale(Struct, frozen=True):
    """A proxy whose upstream a command makes anew."""

    proxy: Service
    service: Service
    made: _Made
    place: Location
    """Where the proxy is told of it."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each command of a deployment the Nginx with fixed upstreams that it makes anew, where nothing reloads it."""
    kept = [config for config in inventory.reverse_proxies if any(item.target for item in config.passages)]
    made = list(_made(inventory)) if kept else []
    found: defaultdict[Location, dict[str, _Stale]] = defaultdict(dict)
    for config in kept if made else ():
        for proxy in proxies.runners(inventory, config):
            if proxy.changed_at is None and not environments.only_for_development(proxy):
                stale = _stale(inventory, config, proxy, made)
                if stale:
                    found[stale.made.location].setdefault(proxy.key, stale)
    for items in found.values():
        yield _evidence(inventory, list(items.values()))


def _made(inventory: Inventory) -> Iterator[_Made]:
    """What makes containers anew, and is followed by nothing that may reload a proxy."""
    for commands in _sequences(inventory):
        texts = [" ".join(command.words) for command in commands]
        reloaded = max((index for index, text in enumerate(texts) if _RELOADS.search(text)), default=-1)
        pulled, told = False, frozenset[str]()
        for index, text in enumerate(texts):
            calls = list(compose_calls.in_text(text))  # several, where another host is told them in one word
            if any(call.verb in _ENDS for call in calls):
                break  # the proxy is taken away as well, perhaps, and what follows starts it again
            for call in calls:
                if index > reloaded and call.verb == "up" and (call.services or "--build" in call.arguments or pulled):
                    yield _Made(call, commands[index].location, frozenset() if call.services else told)
                elif call.verb == "pull":
                    told |= frozenset(call.services)
            pulled = pulled or " pull" in text


def _sequences(inventory: Inventory) -> Iterator[Sequence[Command]]:
    """The commands of each script, make target and job, here or on another host."""
    for script in inventory.scripts:
        if not stages.is_for_development(script.path):
            yield script.commands
    for manifest in inventory.manifests:
        for target in manifest.targets:
            if stages.names_production(target.name):
                yield target.commands
    for job in inventory.jobs:
        yield [item for step in job.steps for item in (*step.commands, *step.remote)]


def _stale(inventory: Inventory, config: ReverseProxy, proxy: Service, made: list[_Made]) -> _Stale | None:
    """The first upstream of a proxy that is made anew without it."""
    mine = inventory.services_of(proxy.project)
    for item in made:
        files = [posixpath.basename(name) for name in item.call.files] or BASES
        if posixpath.basename(proxy.location.file) in files and proxy.name not in item.call.services:
            for name, place in _fixed(config):
                service = mine.get(name)
                if service and service.name != proxy.name and _is_made(service, proxy, item.call, item.pulled):
                    return _Stale(proxy, service, item, place)
    return None


def _fixed(config: ReverseProxy) -> list[tuple[str, Location]]:
    """The hosts whose address the proxy keeps, each with the place that names it."""
    groups = {item.target for item in config.passages}
    listed = [(item.host, item.location) for item in config.upstreams if item.group in groups and not item.renewed]
    named = {item.group for item in config.upstreams if item.group}
    return listed + [(item.target, item.location) for item in config.passages if item.target not in named | {""}]


def _is_made(service: Service, proxy: Service, call: Call, pulled: frozenset[str]) -> bool:
    """Whether the call makes an upstream anew and leaves its proxy; without names, what was built alone."""
    if any(each.service == service.name and each.restarts for each in proxy.dependencies):
        return False
    if call.services:
        return service.name in call.services
    if pulled:  # these alone may have a new image
        return service.name in pulled and proxy.name not in pulled and service.build is None
    other = proxy.build is None or (service.build and proxy.build.dockerfile != service.build.dockerfile)
    return service.build is not None and bool(other)


def _evidence(inventory: Inventory, found: list[_Stale]) -> Evidence:
    first, *others = found
    line = first.made.location
    when = "" if first.made.call.services else ", when its image has changed,"
    names = listed(item.proxy.name for item in found)
    reload = f"{compose_lines.call(inventory, first.proxy.project)} exec -T {first.proxy.name} nginx -s reload"
    return Evidence(
        f"{line.file} makes {first.service.name} anew{when} and nothing after it reloads {names}, which "
        f"{'keeps' if not others else 'keep'} the address that was looked up at the start: when the new container gets "
        "another one, callers get 502.",
        line,
        subject=f"{first.proxy.project}/{first.proxy.name}/{first.service.name}",
        service=first.proxy.name,
        related=(
            Related(first.place, f"{first.proxy.name} names {first.service.name} here"),
            *(Related(item.place, f"{item.proxy.name} names {item.service.name}", member=True) for item in others),
        ),
        severity=Severity.MEDIUM if first.made.call.services else None,
        recommendation=f"Reload {first.proxy.name} after {first.service.name} was replaced: `{reload}`.",
        example=files.into(line.file, reload),
    )
