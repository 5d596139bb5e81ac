"""Routes of Go programs by their calls: net/http, chi, gorilla/mux, gin, echo and fiber.

Follows https://pkg.go.dev/net/http#hdr-Patterns-ServeMux, https://go-chi.io/#/pages/routing and
https://gin-gonic.com/docs/examples/. What stands before a route of a group isn't followed. A pattern that code puts
together, or that takes what no other one does, stands for everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.code import Route
from auditlib.patterns import regex
from auditlib.readers.reading import location_at
from auditlib.source import Source

FRAMEWORKS = {
    "gin": "github.com/gin-gonic/gin", "echo": "github.com/labstack/echo", "fiber": "github.com/gofiber/fiber",
    "chi": "github.com/go-chi/chi", "gorilla": "github.com/gorilla/mux", "net/http": '"net/http"',
}  # fmt: skip
"""By the name of each what a file imports for it."""
_CALL = regex(
    r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
    r"|\b(?P<router>\w+)\.(?P<verb>HandleFunc|Handle|Get|GET|Post|POST|Put|PUT|Delete|DELETE|Patch|PATCH|Head|HEAD|Any|"
    r"All|Path|PathPrefix|Static|StaticFS|Mount|NoRoute)\(\s*"
    r"(?:\"(?P<path>[^\"\n]{0,300})\"(?P<more>\s*\+)?|(?P<other>[^\s\"/]))?"
)
_PATTERN = regex(r"(?:(?P<method>[A-Z]+)[ \t]+)?(?P<path>/.*)")
"""What net/http takes since Go 1.22: `GET /users/{id}`."""
_REGISTERS = frozenset({"HandleFunc", "Handle", "GET", "POST", "Any", "NoRoute"})
"""Verbs that are of no other thing than a router, so that a pattern which isn't a literal is one of a route."""
_OF_CLIENTS = frozenset({"Get", "Post", "Put", "Delete", "Patch", "Head"})
_CLIENT = regex(r"client|^http$|resty|req|header|session|cache|otel", re.I)
"""Who asks others by the same verbs."""
_ROUTER = regex(r"r|router|mux|app|api|v\d|g|group|\w*(?:Router|Group)")
"""How routers are called, whose verbs are those of clients too."""
_WHOLE_TREE = frozenset({"PathPrefix", "Static", "StaticFS", "Mount"})
_EVERYTHING = "/{path:path}"


def read_go(source: Source, path: str) -> Iterator[Route]:
    """The routes of one file."""
    text = source.text(path)
    framework = next((name for name, imported in FRAMEWORKS.items() if imported in text), "")
    if not framework or path.endswith("_test.go"):
        return
    for match in _CALL.finditer(text):
        verb = match["verb"]
        if not verb or (verb in _OF_CLIENTS and _CLIENT.search(match["router"])):
            continue
        pattern = _PATTERN.fullmatch(match["path"] or "")
        place = location_at(path, text, match.start())
        if pattern and not match["more"]:
            method = pattern["method"] or (verb.upper() if verb.upper() not in _ANY else "*")
            yield Route(method, _tree(pattern["path"], verb), framework, place)
        elif (verb in _REGISTERS or _ROUTER.fullmatch(match["router"])) and (
            match["other"] or match["more"] or verb == "NoRoute"
        ):
            yield Route("*", _EVERYTHING, framework, place)


_ANY = frozenset({"HANDLEFUNC", "HANDLE", "ANY", "ALL", "PATH", "PATHPREFIX", "STATIC", "STATICFS", "MOUNT"})


def _tree(path: str, verb: str) -> str:
    """A pattern in the form of other frameworks: one that ends with a slash is for all below it."""
    if verb in _WHOLE_TREE or (path.endswith("/") and verb in ("HandleFunc", "Handle")):
        return f"{path.rstrip('/')}{_EVERYTHING}"
    return path.removesuffix("{$}").replace("...}", ":path}")
