"""What holds at a place of nginx: the statements of the blocks around it, as nginx hands them on.

Follows https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header and the like: statements that may
stand several times are taken from the nearest block that has any of them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import build_context, mounts, proxies, services
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Block, Directive, ReverseProxy
from auditlib.inventory.stack import Service

Chain = tuple[Block, ...]
"""A block and those around it, the nearest first."""

PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "grpc_pass")
_PLAIN = frozenset({"mime.types", "fastcgi_params", "uwsgi_params", "scgi_params", "fastcgi.conf"})
"""Files of the package that hold nothing but types and parameters."""
_TLS_PORTS = ("443", "8443")
_MAIN = (proxies.MAIN_FILE, "/etc/caddy/Caddyfile")


def servers(inventory: Inventory, config: ReverseProxy) -> list[Chain]:
    """The servers of a file, each with the blocks around it; what another file says of all servers comes last."""
    if config.tree is None:
        return []
    found = list(_named(config.tree, "server", ()))
    outer = _elsewhere(inventory, config) if found and not any(item.words[:1] == ("http",) for item in found[0]) else ()
    return [(*chain, *outer) for chain in found]


def _named(block: Block, name: str, around: Chain) -> Iterator[Chain]:
    chain = (block, *around)
    if block.words[:1] == (name,):
        yield chain
    elif block.words[:1] != ("upstream",):
        for inner in block.blocks:
            yield from _named(inner, name, chain)


def _elsewhere(inventory: Inventory, config: ReverseProxy) -> Chain:
    """The `http` blocks of other files with which a server may run that includes this one."""
    others = (item.tree for item in inventory.reverse_proxies if item.tree and item is not config)
    mine = {service.key for service in proxies.runners(inventory, config)}
    return tuple(
        block
        for tree in others
        for block in tree.blocks
        if block.words == ("http",) and _is_shared(inventory, tree, mine)
    )


def _is_shared(inventory: Inventory, tree: Block, mine: set[str]) -> bool:
    config = next(item for item in inventory.reverse_proxies if item.tree is tree)
    return bool(mine & {service.key for service in proxies.runners(inventory, config)})


def locations(server: Chain) -> Iterator[Chain]:
    """The locations of a server, also those within another."""
    for inner in server[0].blocks:
        if inner.words[:1] == ("location",):
            chain = (inner, *server)
            yield chain
            yield from locations(chain)


def own(chain: Chain, *names: str) -> list[Directive]:
    """The statements of these names in the block itself."""
    return [item for item in chain[0].directives if item.words[0] in names]


def holding(chain: Chain, name: str) -> list[Directive]:
    """The statements of a name that hold in a block: those of the nearest block that has any."""
    for block in chain:
        found = [item for item in block.directives if item.words[0] == name]
        if found:
            return found
    return []


def value(chain: Chain, name: str) -> str:
    """The first argument of the statement of a name that holds in a block; empty where none does."""
    found = holding(chain, name)
    return found[-1].words[1] if found and len(found[-1].words) > 1 else ""


def everything(block: Block) -> Iterator[Directive]:
    """All statements below a block."""
    yield from block.directives
    for inner in block.blocks:
        yield from everything(inner)


def blocks(block: Block) -> Iterator[Block]:
    """A block and all below it."""
    yield block
    for inner in block.blocks:
        yield from blocks(inner)


def includes_more(chain: Chain) -> bool:
    """Whether a block, or one around it, takes in a file that may say more of it.

    The package's lists of types and parameters say nothing, nor do the sites that an `http` block takes in.
    """
    for block in chain:
        outer = block.words in ((), ("http",))
        for item in block.directives:
            name = posixpath.basename(item.words[1]) if item.words[0] == "include" and len(item.words) > 1 else ""
            if name and name not in _PLAIN and not (outer and "*" in name):
                return True
    return False


def ports(server: Chain) -> list[str]:
    """The ports that a server listens on; 80 without a word of it."""
    found = [item.words[1] for item in own(server, "listen") if len(item.words) > 1]
    numbers = [word.rpartition(":")[2] for word in found]
    return [word for word in dict.fromkeys(numbers) if word.isdigit()] or ([] if found else ["80"])


def speaks_tls(server: Chain) -> bool:
    """Whether a server takes encrypted connections."""
    listens = own(server, "listen")
    return any("ssl" in item.words or "quic" in item.words for item in listens) or (
        any(port in _TLS_PORTS for port in ports(server)) and bool(holding(server, "ssl_certificate"))
    )


def names(server: Chain) -> tuple[str, ...]:
    """The names of a server as they are written."""
    return tuple(word for item in own(server, "server_name") for word in item.words[1:])


def path(location: Chain) -> str:
    """What a location says: a prefix, or a modifier and what it goes with."""
    return " ".join(location[0].words[1:])


def target(location: Chain) -> Directive | None:
    """The statement with which a location passes requests on."""
    return next(iter(own(location, *PASSES)), None)


def host(config: ReverseProxy, place: Directive) -> list[str]:
    """The hosts that a statement which passes requests on leads to."""
    mine = [item for item in config.upstreams if item.location == place.location]
    groups = [item for item in config.passages if item.location == place.location]
    members = [item.host for item in config.upstreams if item.group and any(g.target == item.group for g in groups)]
    return list(dict.fromkeys(members)) or [item.host for item in mine]


def runners(inventory: Inventory, config: ReverseProxy) -> tuple[Service, ...]:
    """The services of what is deployed that run with a configuration of nginx."""
    if config.kind != "nginx":
        return ()
    found = (item for item in proxies.runners(inventory, config) if item.project not in inventory.aside)
    return tuple(item for item in found if reads(inventory, item, config))


def _takes_all(inventory: Inventory) -> bool:
    """Whether a main configuration of the repository takes in what the image's own doesn't: other than `*.conf`."""
    trees = (item.tree for item in inventory.reverse_proxies if item.tree and item.tree.blocks)
    mains = (tree for tree in trees if any(block.words == ("http",) for block in tree.blocks))
    return any(item.words[0] == "include" and not item.words[-1].endswith((".conf", "mime.types"))
               for tree in mains for item in everything(tree))  # fmt: skip


def reads(inventory: Inventory, service: Service, config: ReverseProxy) -> bool:
    """Whether a proxy's container has a configuration: mounted, or copied into its image and not mounted over."""
    if inside := mounts.path_inside(service, config.file):
        return (
            not inside.startswith("/etc/nginx/conf.d/") or inside.endswith((".conf", ".inc")) or _takes_all(inventory)
        )
    if service.build is None or any(mount.target in _MAIN for mount in service.mounts):
        return False
    build, steps = service.build, services.built_from(inventory, service)[1]
    words = [word for item in steps if item.keyword in ("COPY", "ADD") for word in item.words[:-1]]
    sources = [build_context.path_outside(build, word) for word in words if not word.startswith(("http", "--"))]
    return not steps or any(mounts.is_below(config.file, "" if source == "." else source) for source in sources)
