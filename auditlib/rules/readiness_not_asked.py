"""A program can tell whether it is ready, and its health check asks something else.

It has a route that looks after what it needs, a database or a queue, and another one that only says that the process
runs. The health check asks the second: a container whose database is gone counts as healthy, what waits for its health
starts too early, and a deployment that checks nothing else calls itself a success.

Anti-pattern:

    // main.go
    mux.HandleFunc("/healthz", live)
    mux.HandleFunc("/readyz", ready)
    # compose.yaml
    healthcheck:
      test: wget -qO- http://localhost:8080/healthz

Better:

    healthcheck:
      test: wget -qO- http://localhost:8080/readyz

Recommendation:

    Ask the readiness route in the health check, and keep the other one for what restarts containers.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, image_contents, probes, server_traits, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _probe_lines as probe_lines
from auditlib.rules._rule import Evidence, rule

_LIVE = regex(r"/(?:healthz?|livez?|liveness|alive|ping|status|up)$")

_Use = tuple[Service, probes.Probe, ServerTrait]


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The services that wait for others, and whose own health checks ask another route than that of their readiness."""
    if not any(item.kind == "ready" for item in inventory.server_traits) or deployment.leaves_compose(inventory):
        return  # an orchestrator has probes of its own, and restarts what its liveness probe finds dead
    told: set[Location] = set()
    found: defaultdict[tuple[str, str, str], list[_Use]] = defaultdict(list)
    for service in inventory.distinct_services:
        probe = probes.own(inventory, service)
        asked = probes.paths(probe) if probe and service.dependencies else []
        if probe is None or not asked or not all(_LIVE.search(path) for path in asked):
            continue
        ready = next(iter(server_traits.of(inventory, service, "ready")), None)
        if any(asked[0].endswith(item.path) for item in server_traits.of(inventory, service, "refuses")):
            continue  # what may answer 503 looks after something as well
        if ready and probe.location not in told and not environments.only_for_development(service):
            told.add(probe.location)
            found[service.location.file, asked[0], ready.path].append((service, probe, ready))
    for (_, path, _), uses in found.items():
        yield _evidence(services.built_from(inventory, uses[0][0])[0], path, uses)


def _evidence(base: str, asked: str, uses: list[_Use]) -> Evidence:
    (service, probe, ready), *others = uses
    names = listed((item.name for item, *_ in uses), limit=4)
    asking = next((command.words for command in probe.commands if any(asked in word for word in command.words)), ())
    words = [word.replace(asked, ready.path) for word in asking]
    plain = " ".join(words) or f"<a request for {ready.path}>"
    lacks = bool(words) and image_contents.lacks(base, words[0])
    url = next((word for word in words if word.startswith("http")), "")
    mended = json.dumps(["CMD", *words], ensure_ascii=False) if any(" " in word for word in words) else plain
    mended = (probe_lines.by_language(base, url) if lacks and url else "") or mended
    return Evidence(
        f"The health {'checks' if others else 'check'} of {names} {'ask' if others else 'asks'} {asked}, though the "
        f"{'programs have' if others else 'program has'} {ready.path}: unless both look after the same, "
        f"{'they count' if others else 'it counts'} as healthy while what {'they need' if others else 'it needs'} is "
        "down.",
        probe.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(
            Related(ready.location, f"the route {ready.path}"),
            *(Related(own.location, f"so does {item.name}", member=True) for item, own, _ in others),
        ),
        recommendation=f"Ask {ready.path} in the health {'checks' if others else 'check'} of "
        f"{listed((item.name for item, *_ in uses), limit=2)}, unless it is to work on without what that looks at.",
        change=("", "") if lacks else (asked, ready.path),
        example=compose_lines.of_service(service, f"healthcheck:\n  test: {mended}"),
    )
