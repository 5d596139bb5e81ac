"""Reads nginx: its `listen` ports, `upstream` groups, and what passes requests on.

Follows https://nginx.org/en/docs/beginners_guide.html#conf_structure and …/http/ngx_http_upstream_module.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field, structs

from auditlib.inventory.configuration import AllowedOrigin
from auditlib.inventory.proxy import LostHeaders, Passage, ReverseProxy, Upstream
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers import nginx_tree, proxy_guards, reading, selection
from auditlib.source import Source, Unreadable

KIND = "nginx"
_TOKEN = regex(
    r"""\#[^\n]*|"(?:\\.|[^"\\])*+"|'(?:\\.|[^'\\])*+'"""
    r"""|(?P<word>(?:\$\{\w+\}|\\.|[^\s;{}"'\\])++)|(?P<mark>[;{}])""",
    re.S,
)
DEPTH_LIMIT = 100
_PASSES = {"proxy_pass": "http", "fastcgi_pass": "fastcgi", "uwsgi_pass": "uwsgi", "scgi_pass": "scgi",
           "grpc_pass": "grpc"}  # fmt: skip
_ADDRESS = regex(r"(?:(?P<scheme>[a-z]+)://)?(?:[^/@\s]*@)?(?P<host>\[[^\]]*\]|[^/:\s]+)(?::(?P<port>[^/\s]+))?")
_MAKERS = frozenset({"set", "map", "geo", "split_clients", "auth_request_set", "perl_set", "js_set", "js_var", "env"})
_CAPITALS = regex(r"(?<!\\)\$\{?([A-Z][A-Z0-9_]{2,60})\b\}?")
_CAPTURE = regex(r"\(\?P?<([A-Z][A-Z0-9_]{2,60})>")
_OWN = regex(
    r"(?:arg|cookie|http|sent_http|upstream|proxy|ssl|server|remote|request|realpath|document|content|connection|time|"
    r"geoip|fastcgi|proxy_protocol|tcpinfo)_\w+|host|hostname|uri|scheme|status|args|is_args|query_string|msec|nginx_version|"
    r"pid|pipe|request|https|limit_rate|body_bytes_sent|bytes_sent|binary_remote_addr|invalid_referer|connection"
)
"""Variables of nginx itself: https://nginx.org/en/docs/varindex.html."""
_PATTERNS = ("*.conf", "*.conf.template", "*.conf.tmpl", "*.conf.j2", "*.nginx", "/**/nginx/**", "sites-available/**")


_COMMENT = regex(r"(?m)(?:^|(?<=[ \t;{}]))#[^\n]*")
_HEAD = regex(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_PUT_ON_HOST = regex(
    r"/etc/nginx/sites-(?:available|enabled)\b|"
    r"\b(?:cp|copy|ln -s|symlink|link|move|mv|put|place|install|scp)\b[^\n]{0,200}/etc/nginx/|"
    r"\bsystemctl (?:reload|restart) nginx\b",
    re.I,
)
_PAGES = regex(r"\btry_files\s[^;\n]{0,200}?/?index\.html\b")
"""What a server of an application's pages does with a path that it has no file for."""
_GUARDS = regex(
    r"\b(?:auth_\w+|deny|allow|limit_\w+|ssl\w*|client_max_body_size|proxy_cache\w*|access_log\s+(?!off)|modsecurity\w*|"
    r"satisfy|valid_referers|return\s+4\d\d|real_ip\w*|set_real_ip_from|include\s+(?!\S*(?:mime\.types|fastcgi_params)))",
)
"""What a proxy does for those behind it."""


def read(source: Source) -> reading.Reading:
    """Every nginx configuration that listens or passes requests on, or says something of all that do."""
    files = selection.containing(
        source, _PATTERNS, "proxy_pass", "_pass ", "upstream ", "server {", "server{", "http {"
    )
    return reading.each(source, (file for file in files if _is_nginx(source.text(file))), KIND, _read)


def _is_nginx(text: str) -> bool:
    return bool(re.search(r"^[ \t]*(?:server|upstream[ \t]+[\w.-]{1,100}|http)[ \t\n]*\{|_pass[ \t]+\S+;", text, re.M))


class _Block(Struct):
    """A block that a statement opens, and whether something in it keeps strangers out."""

    words: list[str]
    guarded: bool = False
    passes: bool = False
    headers: dict[str, Location] = field(default_factory=dict)
    """The names of what `add_header` adds, in lower case, each with its first place."""
    includes: bool = False
    origin: tuple[str, Location] | None = None
    """What it answers to any page that calls it, if it does so without looking (`*`, `$http_origin`)."""
    sends: bool = False
    """Whether it lets browsers send cookies."""


class _State(Struct):
    """Where the statements of a file have led to."""

    file: str
    blocks: list[_Block] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    listens: list[str] = field(default_factory=list)
    upstreams: list[Upstream] = field(default_factory=list)
    sections: dict[str, None] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)
    silent: bool = False
    """Whether the server that is being read has named no port yet; without one it listens on 80."""
    folders: list[str] = field(default_factory=list)
    passages: list[tuple[Passage, tuple[_Block, ...]]] = field(default_factory=list)
    """With the blocks around each, which may turn out to be guarded further down."""
    kept: list[str] = field(default_factory=list)
    body_limits: list[str] = field(default_factory=list)
    ended: list[tuple[_Block, ...]] = field(default_factory=list)
    """The locations that add headers, each with the blocks around it, the nearest first."""
    merges_headers: bool = False
    named: dict[str, Location] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    """Variables in capitals, and those of them that a statement makes."""
    challenges: list[tuple[str, Location]] = field(default_factory=list)
    origins: list[AllowedOrigin] = field(default_factory=list)

    def inside(self, name: str) -> str:
        """The argument of the nearest block of this name; empty if there is none."""
        return next((" ".join(block.words[1:]) for block in reversed(self.blocks) if block.words[0] == name), "")


def _read(source: Source, file: str) -> Iterator[Any]:
    state = _State(file)
    tree = nginx_tree.Builder(file, source.text(file))
    for words, line, opens in _statements(source.text(file)):
        tree.take(words, line, opens)
        if opens is None:
            _close(state)
            continue
        if words:
            if not state.blocks:
                state.sections.setdefault(words[0])
            _take(state, words, line)
        if opens:
            state.blocks.append(_Block(words or [""]))
            state.silent = state.silent or words == ["server"]
            if len(state.blocks) > DEPTH_LIMIT:
                raise Unreadable(f"nested more than {DEPTH_LIMIT} deep", line)
            if words[:1] == ["upstream"] and len(words) > 1:
                state.groups.add(words[1])
    upstreams = tuple(item for item in state.upstreams if item.group or item.host not in state.groups)
    listens, includes = tuple(dict.fromkeys(state.listens)), tuple(dict.fromkeys(state.includes))
    folders = tuple(dict.fromkeys(state.folders))
    yield from state.origins
    yield ReverseProxy(file, KIND, listens, upstreams, Location(file), tuple(state.sections), includes, folders,
                       proxy_guards.names_guard(source.text(file)), _passages(state), tuple(dict.fromkeys(state.kept)),
                       tuple(state.body_limits), tuple(_lost_headers(state)),
                       tuple(state.challenges), _foreign(state), _is_for_one_origin(source.text(file)),
                       tree=tree.finished(), for_host=_is_for_host(source.text(file)))  # fmt: skip
    if state.blocks:
        yield Coverage(file, KIND, Read.PARTIAL, "a block is not closed")


def _is_for_host(text: str) -> bool:
    """Whether the comment that a file begins with says where on a host it is to be put."""
    head = _HEAD.match(text)
    return bool(head and _PUT_ON_HOST.search(head[0]))


def _is_for_one_origin(text: str) -> bool:
    plain = _COMMENT.sub("", text)
    return bool(_PAGES.search(plain)) and not _GUARDS.search(plain)


def _foreign(state: _State) -> tuple[tuple[str, Location], ...]:
    """The variables in capitals that neither the file nor nginx, which ignores case, gives a value."""
    unknown = (item for item in state.named.items() if item[0] not in state.given)
    return tuple((name, place) for name, place in unknown if not _OWN.fullmatch(name.lower()))


def _note_variables(state: _State, words: list[str], place: Location) -> None:
    """Note the variables that a statement uses, and the one that `set`, `map` and the like make."""
    makes = words[0] in _MAKERS
    state.given.update(_CAPTURE.findall(" ".join(words)))
    if makes:
        state.given.update(_CAPITALS.findall(" ".join(words)))
    for name in () if makes and words[0] != "set" else _CAPITALS.findall(" ".join(words)):
        state.named.setdefault(name, place)


def _lost_headers(state: _State) -> Iterator[LostHeaders]:
    """The headers that locations lose; a file that one includes may add them again."""
    for block, *around in state.ended if not state.merges_headers else ():
        outer = next((item for item in around if item.headers), None)
        lost = [name for name in outer.headers if name not in block.headers] if outer and not block.includes else []
        if outer and lost:
            places = next(iter(block.headers.values())), next(iter(outer.headers.values()))
            yield LostHeaders(" ".join(block.words[1:]), tuple(lost), *places)


def _passages(state: _State) -> tuple[Passage, ...]:
    return tuple(
        structs.replace(item, guarded=any(block.guarded for block in blocks)) for item, blocks in state.passages
    )


def _close(state: _State) -> None:
    around = tuple(reversed(state.blocks))
    closed = state.blocks.pop() if state.blocks else _Block([""])
    if closed.headers and closed.words[0] == "location":
        state.ended.append(around)
    if closed.origin and closed.passes:
        written, place = closed.origin
        sends = closed.sends and written != "*"
        state.origins.append(AllowedOrigin("*", "Access-Control-Allow-Origin", sends, place, written))
    if closed.words == ["server"]:
        state.listens += ["80"] if state.silent else []
        state.silent = False
    elif closed.words[0] == "location" and not closed.passes:
        state.kept.append(" ".join(closed.words[1:]))
    elif closed.words[0] == "if" and closed.guarded and state.blocks:
        state.blocks[-1].guarded = True  # `if ($not_known) { return 403; }` keeps strangers out of what is around it


def _statements(text: str) -> Iterator[tuple[list[str], int, bool | None]]:
    """Each statement as its words and line; True where it opens a block, None where one closes."""
    words: list[str] = []
    line = first = 1
    position = 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        if match[0].startswith("#"):
            continue
        if match["mark"]:
            yield words, first if words else line, {"{": True, ";": False, "}": None}[match["mark"]]
            words = []
            continue
        first = line if not words else first
        words.append(match["word"] or match[0][1:-1])


def _take(state: _State, words: list[str], line: int) -> None:
    place = Location(state.file, line)
    name, arguments = words[0], words[1:]
    _note_variables(state, words, place)
    if state.blocks and proxy_guards.is_guard(words):
        state.blocks[-1].guarded = True
    if not arguments:
        return
    if state.blocks:
        _note_headers(state, name, arguments, place)
    state.silent = state.silent and name not in ("listen", "include")
    serves = name in ("root", "alias")
    if serves and "acme-challenge" in state.inside("location"):
        state.challenges.append((arguments[0], place))
    state.folders += [word for word in arguments if serves or (word.startswith("/") and name != "location")]
    if name == "listen" and (port := re.search(r"(?:^|:)(\d{1,5})$", arguments[0])):
        state.listens.append(port[1])
    elif name == "include":
        state.includes.append(arguments[0])
    elif name == "set" and len(arguments) > 1:
        state.variables[arguments[0].strip("${}")] = arguments[1]
    elif name == "client_max_body_size":
        state.body_limits.append(arguments[0])
    elif name == "server" and state.blocks and state.blocks[-1].words[0] == "upstream":
        found = _upstream(arguments[0], "http", "", state.inside("upstream"), place)
        state.upstreams.append(structs.replace(found, renewed="resolve" in arguments))
    elif name in _PASSES:
        address = _resolved(arguments[0], state.variables)
        state.upstreams.append(_upstream(address, _PASSES[name], state.inside("location"), "", place))
        state.passages.append((_passage(arguments[0], state.inside("location"), place), tuple(state.blocks)))
        for block in state.blocks:
            block.passes = True


def _note_headers(state: _State, name: str, arguments: list[str], place: Location) -> None:
    block = state.blocks[-1]
    if name == "add_header":
        block.headers.setdefault(arguments[0].lower(), place)
        _note_origin(block, arguments, place)
    block.includes = block.includes or name == "include"
    state.merges_headers = state.merges_headers or name == "add_header_inherit"


def _note_origin(block: _Block, arguments: list[str], place: Location) -> None:
    """Note whose pages may call what a block passes on; below an `if` somebody looked at the origin before."""
    name, value = arguments[0].lower(), arguments[1] if len(arguments) > 1 else ""
    if name == "access-control-allow-origin" and value in ("*", "$http_origin") and block.words[0] != "if":
        block.origin = (value, place)
    block.sends = block.sends or (name == "access-control-allow-credentials" and value == "true")


def _passage(address: str, path: str, place: Location) -> Passage:
    """What passes requests on; nobody is named where the address is looked up for each request."""
    match = None if address.startswith("unix:") else _ADDRESS.match(address)
    target = match["host"].strip("[]") if match and "$" not in address else ""
    rest = address[match.end() :] if match else ""
    return Passage(path, target, rest if rest.startswith("/") and "$" not in rest else "", False, place)


def _resolved(address: str, variables: dict[str, str]) -> str:
    """An address with the variables that `set` gave a value; the usual way to have a host looked up at run time."""
    return re.sub(r"\$\{?(\w+)\}?", lambda match: variables.get(match[1], match[0]), address)


def _upstream(address: str, scheme: str, path: str, group: str, place: Location) -> Upstream:
    match = None if address.startswith("unix:") else _ADDRESS.match(address)
    host = match["host"].strip("[]") if match else ""
    port = (match["port"] or "") if match else ""
    known = (match["scheme"] if match else None) or scheme
    return Upstream("" if "$" in host else host, "" if "$" in port else port, known, path, group, place)
