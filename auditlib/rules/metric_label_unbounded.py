"""A metric has a label with the path of each request as it came.

Each value of a label is a series of its own, which Prometheus keeps in memory. Paths hold identifiers, and a scanner
asks for thousands that don't exist: the number of series grows with every stranger, until Prometheus is out of memory.

Anti-pattern:

    REQUESTS.labels(method=request.method, path=request.url.path).inc()

Better:

    route = request.scope.get("route")
    REQUESTS.labels(method=request.method, path=route.path if route else "none").inc()

Recommendation:

    Use the template of the route (`/orders/{id}`), and one word for all that match none.

References:

- https://prometheus.io/docs/practices/naming/#labels
- https://prometheus.io/docs/practices/instrumentation/#do-not-overuse-labels
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import RawPathLabel
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_PYTHON = (
    "# after the request is answered: before, nobody knows the route\n"
    'route = request.scope.get("route")\npath = route.path if route else "none"'
)
_OF_FLASK = 'path = request.url_rule.rule if request.url_rule else "none"'
_OF_DJANGO = 'path = request.resolver_match.route if request.resolver_match else "none"'
_OF_NODE = (
    "// when the response is finished: before, nobody knows the route\n"
    'const route = req.route ? req.baseUrl + req.route.path : "none";'
)


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all code that gives a label the raw path of a request."""
    found = [item for item in inventory.raw_path_labels if not environments.is_for_development(item.location.file)]
    if not found:
        return
    first, *others = found
    yield Evidence(
        f"{first.location.file} gives a metric's label {first.source}, unless something limits it before: each path "
        "that anybody asks for becomes a series.",
        first.location,
        subject=first.location.file,
        related=tuple(Related(item.location, f"{item.source} is a label here too", member=True) for item in others),
        recommendation=f"Use the template of the route in {first.location.file}, and one word for what matches none.",
        example=files.into(first.location.file, _route(inventory, first)),
    )


def _route(inventory: Inventory, item: RawPathLabel) -> str:
    """The template of the route in the words of the framework, as the packages tell which one it is."""
    if item.source == "request.url.path":
        return _OF_PYTHON
    packages = {need.name.lower() for manifest in inventory.manifests for need in manifest.requirements}
    if not item.location.file.endswith(".py"):
        return _OF_NODE if "express" in packages else "<the template of the route, as the framework calls it>"
    return _OF_DJANGO if "django" in packages and "flask" not in packages else _OF_FLASK
