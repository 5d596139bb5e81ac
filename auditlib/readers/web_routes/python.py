"""What one Python file declares of routes: routers with their prefixes, the routes on them, and what includes what.

Follows https://fastapi.tiangolo.com/tutorial/bigger-applications/, https://www.starlette.io/routing/,
https://flask.palletsprojects.com/en/stable/blueprints/ and https://docs.djangoproject.com/en/stable/topics/http/urls/.
"""

from __future__ import annotations

import ast

from msgspec import Struct, field

from auditlib.model import Location
from auditlib.readers.python_code import Module, argument, keyword
from auditlib.readers.python_paths import literal_path

_METHODS = frozenset({"get", "post", "put", "delete", "patch", "head", "options", "trace"})
_ROUTERS = {
    "FastAPI": ("fastapi", "root_prefix"), "APIRouter": ("fastapi", "prefix"), "Flask": ("flask", "root_prefix"),
    "Blueprint": ("flask", "url_prefix"), "Starlette": ("starlette", "root_prefix"), "Quart": ("flask", "root_prefix"),
}  # fmt: skip
"""Classes that routes are declared on: the framework, and the argument that gives their prefix."""
_APPLICATIONS = frozenset({"FastAPI", "Flask", "Starlette", "Quart"})
_NO_APPLICATIONS = frozenset({"StaticFiles", "make_asgi_app", "make_wsgi_app", "ASGIApp", "handle_metrics"})
"""What is mounted and is no application with routes of its own."""
_ADDING = frozenset({"add_api_route", "add_route", "add_url_rule", "add_api_websocket_route", "add_websocket_route"})
_AIOHTTP = {f"add_{verb}": verb.upper() for verb in ("get", "post", "put", "delete", "patch", "head")}
"""Methods of aiohttp's router (https://docs.aiohttp.org/en/stable/web_reference.html#router)."""
_DJANGO = frozenset({"django.urls.path", "django.urls.re_path", "django.conf.urls.url", "django.conf.urls.re_path"})
_STARLETTE = frozenset({"starlette.routing.Route", "starlette.routing.Mount", "starlette.routing.WebSocketRoute"})
_GENERATED = (("docs_url", "/docs"), ("redoc_url", "/redoc"), ("openapi_url", "/openapi.json"))
"""What FastAPI adds by itself unless told otherwise."""

_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Declared(Struct, frozen=True):
    """A route as it stands in one file, on the router of that name."""

    router: str
    method: str
    path: str
    framework: str
    location: Location
    generated: bool = False


class Inclusion(Struct, frozen=True):
    """A router (by its dotted origin) that another one of this file includes under a prefix."""

    parent: str
    origin: str
    prefix: str


class Declarations(Struct):
    """All that one file declares. The router `urlpatterns` stands for the whole file in Django."""

    file: str
    prefixes: dict[str, str] = field(default_factory=dict)
    frameworks: dict[str, str] = field(default_factory=dict)
    routes: list[Declared] = field(default_factory=list)
    inclusions: list[Inclusion] = field(default_factory=list)
    applications: set[str] = field(default_factory=set)
    """The routers that serve by themselves."""
    mounts: bool = False
    """Whether one application is put below a path of another, which stands before its routes."""
    fallbacks: dict[str, Declared] = field(default_factory=dict)
    """Of an inclusion by its origin: what stands for its routes if the repository doesn't have them."""


def declarations(module: Module) -> Declarations:
    """What a file declares of routes."""
    reader = _Reader(module)
    for name, value in module.assignments:
        reader.take_router(name, value)
    for node in module.of(*_DECORATED, ast.Call):
        if isinstance(node, _DECORATED):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call):
                    reader.take_decorator(decorator)
        elif isinstance(node, ast.Call):
            reader.take_call(node)
    return reader.found


class _Reader:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.found = Declarations(module.file)
        self.above: dict[ast.expr, str] = {}
        """Of the routes in a list that another one of Django includes: what stands before them."""

    def take_router(self, name: str, value: ast.expr) -> None:
        """`router = APIRouter(prefix="/users")`."""
        if not isinstance(value, ast.Call):
            return
        kind = self.module.origin(value.func).split(".")[-1]
        if kind in _ROUTERS:
            framework, argument_name = _ROUTERS[kind]
            self.found.frameworks[name] = framework
            self.found.prefixes[name] = self._path(keyword(value, argument_name))
        if kind in _APPLICATIONS and keyword(value, "root_path") is None:
            self.found.applications.add(name)
        if kind == "FastAPI":
            for option, usual in _GENERATED:
                given = keyword(value, option)
                path = usual if given is None else literal_path(self.module, given)
                if path:
                    self._add(name, "GET", path, "fastapi", value, generated=True)

    def take_decorator(self, call: ast.Call) -> None:
        """`@router.get("/")`, `@app.route("/", methods=["POST"])`."""
        if not isinstance(call.func, ast.Attribute):
            return
        router, verb = self.module.origin(call.func.value), call.func.attr
        path = argument(call, 0, "path") or keyword(call, "rule")
        if path is None or (verb not in _METHODS and verb not in ("route", "api_route", "websocket")):
            return
        framework = self.found.frameworks.get(router, "")
        if not framework and not self._path(path).startswith("/"):
            return  # a decorator of something else that happens to be called `get`
        listed = self.module.strings(keyword(call, "methods"))
        methods = (verb.upper(),) if verb in _METHODS else listed or ("*" if verb == "websocket" else "GET",)
        for method in methods:
            self._add(router, method.upper(), self._path(path), framework or "python", call)

    def take_call(self, call: ast.Call) -> None:
        """Calls that include routers, mount applications, add routes, or expose metrics."""
        origin = self.module.origin(call.func)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else origin.rpartition(".")[2]
        router = self.module.origin(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if name in ("include_router", "register_blueprint"):
            self._include(call, router, keyword(call, "prefix") or keyword(call, "url_prefix"))
        elif origin in _DJANGO:
            self._take_django(call, is_pattern=not origin.endswith(".path"))
        elif name == "DispatcherMiddleware":
            self.found.mounts = True
        elif name in _AIOHTTP or origin.startswith("aiohttp.web."):
            self._take_aiohttp(call, name)
        elif origin in _STARLETTE or (name == "mount" and call.args) or name in _ADDING:
            path = self._path(argument(call, 0, "path"))
            self.found.mounts |= name in ("mount", "Mount") and self._puts_application(call)
            if path.startswith("/"):
                framework = self.found.frameworks.get(router, "starlette")
                self._add(router, "*", path, _metrics_library(self.module, call) or framework, call)
        else:
            self._take_metrics(call, origin, name)

    def _puts_application(self, call: ast.Call) -> bool:
        """Whether what is mounted may have routes that the repository declares."""
        given = argument(call, 1, "app")
        target = self.module.resolved(given) if given is not None else None
        name = self.module.origin(target.func).split(".")[-1] if isinstance(target, ast.Call) else ""
        return given is not None and name not in _NO_APPLICATIONS

    def _take_aiohttp(self, call: ast.Call, name: str) -> None:
        """`app.router.add_get("/health", ask)`, `web.get("/health", ask)`."""
        method = _AIOHTTP.get(name) or (name.upper() if name in _METHODS else "")
        path = self._path(argument(call, 0, "path"))
        if method and path.startswith("/"):
            self._add("", method, path, "aiohttp", call)

    def _include(self, call: ast.Call, parent: str, prefix: ast.expr | None) -> None:
        if call.args:
            self.found.inclusions.append(Inclusion(parent, self.module.origin(call.args[0]), self._path(prefix)))

    def _take_django(self, call: ast.Call, *, is_pattern: bool) -> None:
        path = self.module.string(argument(call, 0, "route"))
        view = argument(call, 1, "view")
        if path is None:
            return
        path = self.above.get(call, "/") + (path.strip("^$").replace("\\.", ".") if is_pattern else path)
        if isinstance(view, ast.Call) and self.module.origin(view.func).endswith("include"):
            target = self.module.string(view.args[0]) if view.args else None
            if inner := _listed(view):
                self.above |= dict.fromkeys(inner, path)
            elif target == "django_prometheus.urls":
                self._add("urlpatterns", "*", path.rstrip("/") + "/metrics", "django-prometheus", call)
            elif target:
                self.found.inclusions.append(Inclusion("urlpatterns", f"{target}.urlpatterns", path))
                self.found.fallbacks[f"{target}.urlpatterns"] = Declared(
                    "urlpatterns", "*", f"{path}{{path:path}}", "django", self.module.location(call)
                )
            else:  # a router's, or a list made by code
                self._add("urlpatterns", "*", f"{path}{{path:path}}", "django", call)
        elif view is not None and self.module.origin(view).endswith("site.urls"):
            self._add("urlpatterns", "*", f"{path}{{path:path}}", "django", call)
        else:
            self._add("urlpatterns", "*", path, "django", call)

    def _take_metrics(self, call: ast.Call, origin: str, name: str) -> None:
        if name == "expose" and self._instruments(call.func):
            path = self._path(keyword(call, "endpoint")) or "/metrics"
            self._add("", "*", path, "prometheus-fastapi-instrumentator", call)
        elif origin.endswith("prometheus_client.start_http_server"):
            self._add("", "*", "/metrics", "prometheus_client", call)
        elif name in ("PrometheusMetrics", "GunicornPrometheusMetrics", "GunicornInternalPrometheusMetrics"):
            self._add("", "*", self._path(keyword(call, "path")) or "/metrics", "prometheus-flask-exporter", call)

    def _instruments(self, function: ast.expr) -> bool:
        """`Instrumentator().instrument(app).expose`, or a name that says so."""
        names = (node.id for node in ast.walk(function) if isinstance(node, ast.Name))
        return any("instrumentator" in name.lower() for name in names)

    def _path(self, node: ast.expr | None) -> str:
        if node is None:
            return ""
        path = literal_path(self.module, node)
        name = self.module.origin(node).split(".")[-1]
        return path or (f"/{{{name}}}" if name else "")

    def _add(
        self, router: str, method: str, path: str, framework: str, node: ast.expr, *, generated: bool = False
    ) -> None:
        self.found.routes.append(Declared(router, method, path, framework, self.module.location(node), generated))


def _listed(include: ast.Call) -> list[ast.expr]:
    """The routes that stand in the call that includes them: `include([path("health/", ask)])`, or with a namespace."""
    given = include.args[0] if include.args else None
    if isinstance(given, ast.Tuple) and given.elts:
        given = given.elts[0]
    return given.elts if isinstance(given, ast.List) and all(isinstance(item, ast.Call) for item in given.elts) else []


def _metrics_library(module: Module, call: ast.Call) -> str:
    """`prometheus_client` for `app.mount("/metrics", make_asgi_app())`, directly or by a name."""
    target = module.resolved(call.args[1]) if len(call.args) > 1 else None
    origin = module.origin(target.func) if isinstance(target, ast.Call) else ""
    return "prometheus_client" if origin.split(".")[-1] in ("make_asgi_app", "make_wsgi_app") else ""
