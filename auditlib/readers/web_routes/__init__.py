"""HTTP routes that code declares: FastAPI, Starlette, Flask, aiohttp and Django by the syntax tree, Express, Next.js
and those of Go by text.

A route of a router has the prefixes of what includes it, followed over the files of the repository. A prefix that is no
literal stands in braces (`/{API_V1_STR}/users`). A sign that metrics are exposed is a route with the method `*`.
"""

from __future__ import annotations

from functools import partial

from auditlib.inventory.code import Route
from auditlib.patterns import Words
from auditlib.readers import python_code
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings.javascript import is_javascript
from auditlib.readers.web_routes.go import read_go
from auditlib.readers.web_routes.javascript import read_javascript
from auditlib.readers.web_routes.javascript_mounts import lone_applications, whole
from auditlib.readers.web_routes.python import Declarations, declarations
from auditlib.readers.web_routes.tree import routes
from auditlib.source import Source, Unreadable

KIND = "web routes"

_HINTS = Words(
    "fastapi", "FastAPI", "APIRouter", "flask", "starlette", "urlpatterns", "start_http_server", "make_asgi_app",
    "make_wsgi_app", "Instrumentator", "aiohttp",
)  # fmt: skip


def read(source: Source) -> Reading:
    """The routes of every Python and JavaScript file. A file that declares none is not mentioned."""
    found: list[Declarations] = []
    reading = Reading()
    for path in source.files:
        if path.endswith(".py") and _is_of_interest(source, path):
            try:
                found.append(declarations(python_code.parse(source, path)))
            except Unreadable as error:
                reading.failed(path, KIND, error.reason, error.line)
    reading.records += routes(found)
    javascript = [path for path in source.files if is_javascript(path) and _is_readable(source, path)]
    read_one = partial(read_javascript, lone=lone_applications(source, javascript))
    reading.records += whole(source, each(source, javascript, KIND, read_one).records)
    go = [path for path in source.files if path.endswith(".go") and _is_readable(source, path)]
    reading.records += each(source, go, KIND, read_go).records
    files = dict.fromkeys(record.location.file for record in reading.records if isinstance(record, Route))
    for path in files:
        reading.parsed(path, KIND)
    return reading


def _is_readable(source: Source, path: str) -> bool:
    try:
        return bool(source.text(path))
    except Unreadable:
        return False  # reported once, for all readers


def _is_of_interest(source: Source, path: str) -> bool:
    return _is_readable(source, path) and _HINTS.any_in(source.text(path))
