"""Records of reverse proxies: what they listen on and whom they pass requests to."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class Upstream(Struct, frozen=True):
    """A server that requests are passed to. `host` is empty where a variable names it that can't be resolved."""

    host: str
    port: str
    """Empty if none is given; the scheme's own port then."""
    scheme: str
    """`http`, `https`, `fastcgi`, `uwsgi`, `grpc`, `tcp` …"""
    path: str
    """The location or matcher whose requests it gets; empty for all, or where several share an upstream group."""
    group: str
    """The name of the `upstream` block or service that it belongs to; empty for a server named directly."""
    location: Location
    listens: tuple[str, ...] = ()
    """The ports of the proxy whose requests it gets, where the file tells them apart."""
    guarded: bool | None = None
    """Whether the site that leads to it asks for a login or lets in known addresses alone, where the file tells sites
    apart."""
    renewed: bool = False
    """Whether its address is looked up again and again (`server api:8000 resolve`)."""
    variable: str = ""
    """The variable of the environment whose default it is (`{$UPSTREAM:api:8000}`)."""


class Passage(Struct, frozen=True):
    """A statement of nginx that passes the requests of a location on."""

    path: str
    """What the location says: a prefix (`/api/`), or a modifier and what it goes with (`~ ^/(api|metrics)`); empty
    outside of one."""
    target: str
    """The host, or the name of the `upstream` block; empty where a variable names it, so that it is looked up anew."""
    rewritten: str
    """The path that takes the place of the location's, if the address has one (`/` of `http://api/`)."""
    guarded: bool
    """Whether a block around it asks for a login, lets in known addresses alone, or serves inside only."""
    location: Location


class LostHeaders(Struct, frozen=True):
    """A block of nginx whose own `add_header` takes the place of those around it, and the names that are lost."""

    path: str
    names: tuple[str, ...]
    location: Location
    """Its first own `add_header`."""
    given: Location
    """The first of those around it."""


class PlainSite(Struct, frozen=True):
    """A site of Caddy that is told to speak HTTP, though its name is one for which Caddy gets a certificate."""

    name: str
    location: Location


class Directive(Struct, frozen=True):
    """A statement of nginx that opens no block, by its words; values that no rule looks at are left out."""

    words: tuple[str, ...]
    location: Location


class Block(Struct, frozen=True):
    """A block of nginx with the statements in it that rules look at; the words of the outermost are empty."""

    words: tuple[str, ...]
    location: Location
    directives: tuple[Directive, ...] = ()
    blocks: tuple[Block, ...] = ()


class ReverseProxy(Struct, frozen=True):
    """A configuration of nginx, Caddy, Traefik or HAProxy (`kind`) that passes requests on."""

    file: str
    kind: str
    listens: tuple[str, ...]
    """The ports that it listens on, as far as the file names them."""
    upstreams: tuple[Upstream, ...]
    location: Location
    sections: tuple[str, ...] = ()
    """Of nginx the names of the statements that stand in no block: `events`, `http`, `server`, `include`."""
    includes: tuple[str, ...] = ()
    """The further files that one of nginx reads, as they are written (`/etc/nginx/conf.d/*.conf`)."""
    folders: tuple[str, ...] = ()
    """The paths from which one of nginx serves files, or that it reads or writes otherwise, as they are written."""
    guarded: bool = False
    """Whether it asks for a login, or lets in known addresses alone, before something that it leads to."""
    passages: tuple[Passage, ...] = ()
    """Of nginx what each location passes on, groups of servers by their name."""
    kept: tuple[str, ...] = ()
    """Of nginx the locations whose requests it passes to nobody: files, `return 404`."""
    body_limits: tuple[str, ...] = ()
    """Of nginx every `client_max_body_size`, as it is written."""
    lost_headers: tuple[LostHeaders, ...] = ()
    """Of nginx the locations that drop the headers of the blocks around them."""
    challenges: tuple[tuple[str, Location], ...] = ()
    """Of nginx the folders from which it answers the challenges of ACME, each with its place."""
    foreign: tuple[tuple[str, Location], ...] = ()
    """Of nginx the variables in capitals that it doesn't set itself, as those of an environment, each with its first
    place."""
    for_one_origin: bool = False
    """Whether it is nginx that serves the pages of an application and passes its requests on for one origin's sake: no
    statement of it asks, limits, encrypts, keeps or writes down anything."""
    plain_sites: tuple[PlainSite, ...] = ()
    """Of Caddy."""
    for_host: bool = False
    """Whether a comment at the head of one of nginx tells to put it into the folders of the host's own."""
    certified: Location | None = None
    """Of Caddy the first site whose name has it get a certificate from an authority by itself."""
    tree: Block | None = None
    """Of nginx what the file says, as its blocks have it."""


class QueryCredential(Struct, frozen=True):
    """Where server code takes a credential of this name from the query of an address."""

    name: str
    location: Location


class RequestLog(Struct, frozen=True):
    """Where a proxy's configuration has it log whole addresses, by its own words or by the usual format."""

    file: str
    location: Location


class TraefikSetting(Struct, frozen=True):
    """A value that a file for Traefik sets, static or dynamic, by its path in lower case.

    `entrypoints.web.address`, `http.routers.api.middlewares`; of a list the texts with commas between them.
    """

    name: str
    value: str
    """Empty where no rule looks at it; it may be a secret."""
    location: Location


class ProxyTrait(Struct, frozen=True):
    """A place where code does what depends on the proxy before it.

    `kind` is `limit` (it counts requests, or locks callers out, by their address), `trust` (it is told of its proxy),
    `belief` (it takes the address of a client from a header, whoever sends it), `bound` (it believes named proxies
    alone), `socket` (it takes WebSockets), `stream` (it answers with a stream of events), `cookie` (it sends a cookie
    for HTTPS alone), `hsts` (it keeps browsers to HTTPS), `redirect` (it sends callers to HTTPS unless told otherwise),
    `scheme` (it knows the header in which a proxy says that a call came by HTTPS), `admin` (it routes to Django's
    administration), `static` (it may send or collect Django's static files) or `files` (it may send the files of its
    users in production).
    """

    kind: str
    framework: str
    """`FastAPI`, `Flask`, `Nest` …, or the language where any of its frameworks will do."""
    location: Location
    path: str = ""
    """The route of a socket, where it is told; of a cookie what decides."""
