"""Routes of Express, Fastify, Koa and Hono by their calls, and of Next.js by the place of its files.

Follows https://expressjs.com/en/guide/routing.html and
https://nextjs.org/docs/app/building-your-application/routing/route-handlers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from auditlib.inventory.code import Route
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.source import Source

_FRAMEWORK = regex(r"""['"](?P<name>express|fastify|koa-router|@koa/router|hono|restify|polka)['"]""")
_CALL = regex(
    r"""//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?
    |\b(?P<router>\w+)\s*\.\s*
     (?P<verb>get|post|put|delete|patch|head|options|all|use|route)\s*(?:<[^<>()\n]{0,200}>)?\(\s*
     (?:(?P<quote>['"`])(?P<path>/[^'"`\n]{0,300})(?P=quote)|\[(?P<several>[^\]\n]{1,300})\]\s*,
     |(?P<computed>`\$\{[^`\n]{1,200}`|[A-Za-z_][\w.]{0,80}\s*(?:\+[^,()\n]{1,100})?)\s*,)""",
    re.X | re.I,
)
_ROUTER = regex(r"(?:app|router|server|api|fastify|routes)$", re.I)
"""How routers are called; one of another name is known by what makes it."""
_MADE = regex(r"\b(?:const|let|var)\s+(?P<name>\w+)\s*(?::\s*[\w.<>]+\s*)?=\s*[^\n;]{0,80}\bRouter\(")
_ANYWHERE = "/{path:path}"
"""Where a router stands that is put at a path which the code computes."""
_OF_PATHS = regex(r"(?i:path|route|prefix)|(?:^|\.)[A-Z][A-Z_]{3,}")
"""How what holds a path is called."""
_FROM_ELSEWHERE = regex(
    r"\.use\(\s*(?:new\s|[\w.]{1,80}\.(?:router|routes)\b"
    r"|require\(\s*(?:\w[\w.]{0,60}\s*[(,)]|`|['\"][^'\"\n]{0,200}['\"]\s*\+))|['\"/]autoload['\"]",
    re.I,
)
"""What brings routes of which this file says nothing: routers of objects, of modules by a computed name, of folders."""
_PATH = regex(r"""['"`](/[^'"`\n]{0,300})['"`]""")
_SERVED = regex(
    r"\b(?:const|let|var)\s+(?P<name>\w+)\s*(?::\s*[\w.<>]+\s*)?=\s*(?:express|[Ff]astify|new\s+(?:Hono|Koa))\s*(?:<[^>]*>)?\("
)
"""An application; a router is no application, as what includes it stands before its routes."""
_NEXT = regex(r"(?:^|/)(?:src/)?(?:pages/(?P<page>api/.+?)|app/(?P<app>.+?)/route)\.[jt]sx?$")
_HANDLER = regex(r"export\s+(?:async\s+)?(?:function|const)\s+(?P<method>GET|POST|PUT|DELETE|PATCH|HEAD)\b")


def read_javascript(source: Source, path: str, lone: frozenset[str] = frozenset()) -> Iterator[Route]:
    """The routes of one file; those of an application are whole where it is one of the `lone` ones, or listens."""
    text = source.text(path)
    if place := _NEXT.search(path):
        yield from _next(text, path, place["page"] or place["app"])
    framework = _FRAMEWORK.search(text)
    if not framework:
        return
    starts = [0, *(match.end() for match in re.finditer(r"\n", text))]
    served = {match["name"] for match in _SERVED.finditer(text) if path in lone or _listens(text, match["name"])}
    made = {match["name"] for match in _MADE.finditer(text)}
    if found := _FROM_ELSEWHERE.search(text):
        yield Route("*", _ANYWHERE, framework["name"], Location(path, bisect_right(starts, found.start())))
    for match in _CALL.finditer(text):
        if match["verb"] and _is_router(match, made):
            line = bisect_right(starts, match.start())
            method = "*" if match["verb"].lower() in ("all", "use", "route") else match["verb"].upper()
            location = Location(path, line, match.start() - starts[line - 1] + 1)
            for route in _paths(match):
                yield Route(method, route, framework["name"], location, whole=match["router"] in served)


def _is_router(match: re.Match[str], made: set[str]) -> bool:
    """Whether a call is one of a router, and no question of a map; what isn't written out is a path by its name."""
    named = match["router"] in made or _ROUTER.search(match["router"]) is not None
    return named and (
        not match["computed"] or match["verb"].lower() == "use" or _OF_PATHS.search(match["computed"]) is not None
    )


def _paths(match: re.Match[str]) -> list[str]:
    if match["computed"]:
        return [_ANYWHERE]
    return [match["path"]] if match["path"] else _PATH.findall(match["several"])


def _listens(text: str, name: str) -> bool:
    """Whether an application is what is served, so that nothing else puts it below a path of its own."""
    return re.search(rf"\b{name}\.listen\(|\bcreateServer\([^()\n]*\b{name}\b", text) is not None


def _next(text: str, path: str, place: str) -> Iterator[Route]:
    parts = [part for part in place.split("/") if not part.startswith("(") and part != "index"]
    route = "/" + "/".join(re.sub(r"^\[+(?:\.\.\.)?(.+?)\]+$", r"{\1}", part) for part in parts)
    methods = dict.fromkeys(match["method"] for match in _HANDLER.finditer(text)) or {"*": None}
    yield from (Route(method, route, "next", Location(path)) for method in methods)
