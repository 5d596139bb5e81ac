"""The applications to which a configuration of nginx passes requests, and what their code depends on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from msgspec import Struct

from auditlib.conventions import environments, image_folders, mounts, nginx_sites, services
from auditlib.conventions.nginx_sites import Chain
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ProxyTrait, ReverseProxy
from auditlib.inventory.stack import Service


def behind(inventory: Inventory, config: ReverseProxy, runner: Service) -> dict[str, list[Chain]]:
    """By service of the runner's project that runs own code, the locations that pass requests to it by HTTP."""
    mine = inventory.services_of(runner.project)
    names = {item.container_name: item.name for item in mine.values() if item.container_name} | {n: n for n in mine}
    found: defaultdict[str, list[Chain]] = defaultdict(list)
    for server in nginx_sites.servers(inventory, config):
        for chain in nginx_sites.locations(server):
            for statement in nginx_sites.own(chain, "proxy_pass")[:1]:
                for host in nginx_sites.host(config, statement):
                    name = names.get(host, "")
                    if name and _is_own(inventory, mine[name]) and name != runner.name:
                        found[name].append(chain)
    return dict(found)


class Passed(Struct, frozen=True):
    """A service whose code has a trait, and the locations by which an Nginx passes requests to it."""

    config: ReverseProxy
    runner: Service
    service: Service
    trait: ProxyTrait
    chains: list[Chain]


def unmet(inventory: Inventory, kind: str, meets: Callable[[Chain], bool]) -> Iterator[Passed]:
    """Each service with a trait of a kind that no location of the Nginx before it meets, unless for development."""
    if not any(item.kind == kind for item in inventory.proxy_traits):
        return
    for config in inventory.reverse_proxies:
        runners = nginx_sites.runners(inventory, config) if config.passages else ()
        for runner in [item for item in runners if not environments.only_for_development(item)][:1]:
            for name, chains in behind(inventory, config, runner).items():
                service = inventory.services_of(runner.project)[name]
                trait = None if any(map(meets, chains)) else trait_of(inventory, service, kind)
                if trait:
                    yield Passed(config, runner, service, trait, chains)


def traits_of(inventory: Inventory, service: Service, kind: str) -> list[ProxyTrait]:
    """The traits of a kind in the code that a service is built from."""
    found = [item for item in inventory.proxy_traits if item.kind == kind]
    builder = _builder(inventory, service) if found else None
    dockerfile = services.dockerfile(inventory, builder) if builder else None
    if builder and dockerfile:
        if image_folders.serves_files(inventory, builder):
            return []
        homes = image_folders.of_sources(builder, dockerfile)
        return [item for item in found if any(mounts.is_below(item.location.file, home) for home in homes)]
    started = " ".join((*service.entrypoint, *service.command))
    return [item for item in found if service.build is None and _module(item.location.file) in started]


def _is_own(inventory: Inventory, service: Service) -> bool:
    """Whether a service is built here, or runs an image that no product is known by."""
    return service.build is not None or services.product(inventory, service) is None


def _builder(inventory: Inventory, service: Service) -> Service | None:
    """The service that builds the image of a service: itself, or the one of its name in another project."""
    if service.build is not None:
        return service
    others = inventory.services_by_name.get(service.name, ()) if _is_own(inventory, service) else ()
    return next((item for item in others if item.build is not None), None)


def _module(path: str) -> str:
    """A file as Python names it where a server is started (`services.gateway.main:app`)."""
    return f"{path.removesuffix('.py').replace('/', '.')}:" if path.endswith(".py") else "\0"


def trait_of(inventory: Inventory, service: Service, kind: str) -> ProxyTrait | None:
    """The first of them; one whose route is told comes first."""
    return min(traits_of(inventory, service, kind), key=lambda item: not item.path, default=None)


def runs_with(inventory: Inventory, service: Service, file: str) -> bool:
    """Whether PHP runs with a file of its configuration in a service: mounted, copied, or its Dockerfile itself."""
    found = services.dockerfile(inventory, service)
    if mounts.path_inside(service, file).startswith("/usr/local/etc/php") or (found and found.path == file):
        return True
    name = file.rpartition("/")[2]
    steps = services.built_from(inventory, service)[1]
    return any(word.rpartition("/")[2] == name for item in steps if item.keyword == "COPY" for word in item.words[:-1])
