"""A health check asks for an answer that never changes.

The route does nothing but say that all is well, or the check looks whether the container's first process is there,
without which there is no container, or asks a new process for its version (`php -v`, `nginx -t`). A container whose
database is gone, or whose pool of connections is used up, counts as healthy: what waits for its health starts, a
deployment that looks at nothing else succeeds, and nobody is told.

Anti-pattern:

    @app.get("/health")
    def health():
        return {"status": "ok"}

Better:

    @app.get("/health")
    def health(session: Session = Depends(get_session)):
        session.execute(text("SELECT 1"))
        return {"status": "ok"}

Recommendation:

    Have the route that the health check asks look after what the program can't do without.

References:

- https://docs.docker.com/reference/dockerfile/#healthcheck
- https://learn.microsoft.com/azure/architecture/patterns/health-endpoint-monitoring
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import deployment, environments, probes, server_traits, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOLDS = regex(
    r"(?:grep|cat|test|\[|ls|readlink)\s[^|;&]*/proc/1/(?:cmdline|comm|status|stat|exe)\b[^|;&]*|kill -0 1|"
    r"true|:|exit 0|echo(?:\s[^|;&]*)?"
)
_TELLS = regex(
    r"(?:(?:php|php-fpm|node|python3?|java|ruby|nginx|redis-server|postgres|mysqld)\s(?:-v|-V|-version|--version)|"
    r"(?:php-fpm|nginx)\s+-t|httpd -t|apachectl configtest)(?:\s*\d?>\s*(?:/dev/null|&\d))*"
)
"""What succeeds whether the program runs or not: it tells its version, or looks at its configuration."""
"""What succeeds while the first process of a container is there."""
_KINDS = ("constant", "manual")
"""Routes that say nothing of what the program needs: one that only answers, and the page of its documentation."""
_JOINTS = regex(r"&&|;|\|\|\s*exit 1\s*$")


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that waits for a database, and whose health check asks a route that does nothing but answer; for
    each project all whose check asks nothing of the program.
    """
    for mine in stacks.by_project(inventory.distinct_services).values():
        if blind := [item for item in mine if _is_blind(item) and not environments.only_for_development(item)]:
            yield _of_first_process(blind, _are_watched(inventory, graph, blind))
    if not any(item.kind in _KINDS for item in inventory.server_traits) or deployment.leaves_compose(inventory):
        return
    told: set[Location] = set()
    whole = {(item.location.file, item.location.line): item.path for item in inventory.web_routes if item.whole}
    for service in inventory.distinct_services:
        probe = probes.own(inventory, service)
        asked = probes.paths(probe) if probe else []
        if probe is None or not asked or environments.only_for_development(service):
            continue
        traits = (item for kind in _KINDS for item in server_traits.of(inventory, service, kind))
        found = [item for item in traits if _asks(asked, item, whole.get((item.location.file, item.location.line)))]
        needed = _stores(inventory, service) if found and not server_traits.of(inventory, service, "ready") else []
        if needed and found[0].location not in told:
            told.add(found[0].location)
            yield _evidence(service, needed, probe, found[0], asked[0])


def _is_blind(service: Service) -> bool:
    """Whether a check can't fail while the container runs."""
    check = service.healthcheck
    text = " ".join(check.test) if check and not check.disabled else ""
    parts = [part.strip() for part in _JOINTS.split(text) if part.strip()]
    return bool(text) and all(_HOLDS.fullmatch(part) or _TELLS.fullmatch(part) for part in parts)


def _asks_a_new_one(service: Service) -> bool:
    """Whether a check starts the program anew, in place of asking the one that runs."""
    text = " ".join(service.healthcheck.test) if service.healthcheck else ""
    return any(_TELLS.fullmatch(part.strip()) for part in _JOINTS.split(text))


def _are_watched(inventory: Inventory, graph: DependencyGraph, blind: list[Service]) -> bool:
    """Whether Prometheus asks each of the services itself, so that one that hangs is seen."""
    jobs = inventory.scrape_jobs
    watched = scraping.watched(inventory, graph, jobs)
    return any(map(scraping.is_open, jobs)) or all(item.key in watched for item in blind)


def _why(blind: list[Service]) -> str:
    """What such a check asks in truth."""
    anew = [item for item in blind if _asks_a_new_one(item)]
    if len(anew) == len(blind):
        return "a container: a new process tells its version or reads its files, and nothing asks the one that runs"
    return "a container: its first process is there, whatever it does"


def _of_first_process(blind: list[Service], watched: bool) -> Evidence:
    """A check that can't fail is none, which is as bad as it is elsewhere."""
    first, *others = blind
    place = first.healthcheck.location if first.healthcheck else first.location
    names = listed(item.name for item in blind)
    return Evidence(
        f"The health {'checks' if others else 'check'} of {names} {'hold' if others else 'holds'} as long as there is "
        f"{_why(blind)}.",
        place,
        subject=f"{first.project}/first process",
        service=first.name,
        related=tuple(
            Related(item.healthcheck.location, f"{item.name} is checked so too", member=True)
            for item in others
            if item.healthcheck
        ),
        recommendation=f"Have the check of {listed((item.name for item in blind), limit=3)} ask for what the program "
        "does, such as a job that it has done lately.",
        severity=None if watched else Severity.MEDIUM,
        confidence=Confidence.HIGH,
        example=compose_lines.of_service(
            first, "healthcheck:\n  test: [CMD-SHELL, '<what fails once the program hangs>']"
        ),
    )


def _asks(asked: list[str], item: ServerTrait, whole: str | None) -> bool:
    """Whether a check asks the route, which may stand behind a prefix that the file doesn't say; unless its whole path
    is known.
    """
    if whole:
        return all(path.rstrip("/") == whole.rstrip("/") for path in asked)
    return all(path.rstrip("/").endswith(item.path) for path in asked)


def _stores(inventory: Inventory, service: Service) -> list[str]:
    """The data stores that a service waits for."""
    mine = inventory.services_of(service.project)
    waited = (mine[item.service] for item in service.dependencies if item.service in mine)
    found = ((item, services.product(inventory, item)) for item in waited)
    return [item.name for item, product in found if product is not None and product.kind in services.DATASTORES]


def _evidence(service: Service, needed: list[str], probe: probes.Probe, route: ServerTrait, asked: str) -> Evidence:
    names = listed(needed)
    does = "is the page of its documentation" if route.kind == "manual" else "does nothing but answer"
    return Evidence(
        f"The health check of {service.name} asks {asked}, which {does}: without {names} "
        f"{service.name} counts as healthy all the same.",
        route.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(probe.location, "the health check"),),
        recommendation=f"Add a route that asks {names} before it answers, and check that."
        if route.kind == "manual"
        else f"Have {asked} ask {names} before it answers, or add a route that does and check that.",
        example=files.into(route.location.file, f"<a request to {needed[0]} that changes nothing>"),
    )
