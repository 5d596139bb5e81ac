"""Which location of nginx takes a request, and what of an application it lets callers ask for.

Follows https://nginx.org/en/docs/http/ngx_http_core_module.html#location. The servers of a file are taken as one: where
two of them disagree, the location that passes requests on counts only if none that is as near refuses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.proxy import Passage, ReverseProxy
from auditlib.patterns import is_quick


def open_to(config: ReverseProxy, path: str) -> list[Passage]:
    """The passages, with no guard before them, by which a caller reaches a path of the application behind."""
    ways = [(item, asked) for item in config.passages for asked in _asked(item, path)]
    takers = {asked: taking(config, asked) for asked in {asked for _, asked in ways}}  # most ask for the path itself
    found = [item for item, asked in ways if item in takers[asked]]
    guarded = {item.target for item in found if item.guarded}
    return [item for item in dict.fromkeys(found) if item.target not in guarded]


def taking(config: ReverseProxy, asked: str) -> list[Passage]:
    """The passages of the locations that a request for a path may be taken by; none where another keeps it."""
    own = [(path, None) for path in config.kept]
    locations: list[tuple[str, Passage | None]] = [*own, *((item.path, item) for item in config.passages)]
    exact = [item for path, item in locations if _prefix(path) == asked and path.startswith("=")]
    if exact:
        return [item for item in exact if item]
    matching = [(path, item) for path, item in locations if path.startswith("~") and _matches(path, asked)]
    if matching:
        return [] if any(item is None for _, item in matching) else [item for _, item in matching if item]
    prefixes = [(_prefix(path), item) for path, item in locations if _is_prefix(path)]
    below = [(len(prefix), item) for prefix, item in prefixes if asked.startswith(prefix)]
    longest = max((length for length, _ in below), default=0)
    return [item for length, item in below if item and length == longest]


def hosts(config: ReverseProxy, item: Passage) -> list[str]:
    """Whom a passage leads to: the servers of its group, or the host that it names."""
    group = [server.host for server in config.upstreams if server.group and server.group == item.target]
    return list(dict.fromkeys(group)) or [item.target]


def _asked(item: Passage, path: str) -> Iterator[str]:
    """What a caller asks for to have the application asked for a path by this passage."""
    if not item.rewritten:
        yield path
    elif not item.path.startswith("~") and path.startswith(item.rewritten):
        yield _prefix(item.path) + path.removeprefix(item.rewritten)


def _is_prefix(path: str) -> bool:
    return not path.startswith(("~", "=", "@")) or path.startswith("^~")


def _prefix(path: str) -> str:
    """The path of a location without its modifier; all there is outside of a location."""
    return path.removeprefix("=").removeprefix("^~").strip() or "/"


def _matches(path: str, asked: str) -> bool:
    modifier, _, expression = path.partition(" ")
    if not is_quick(expression):
        return False
    try:
        return bool(re.search(expression, asked, re.I if "*" in modifier else 0))
    except re.error:  # an expression of PCRE that Python doesn't know
        return False
