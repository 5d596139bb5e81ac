"""Prometheus is told to scrape a host that no service answers to.

A target that can't be resolved is down for ever: its metrics are missing, alerts on them stay silent, and an alert on
`up == 0` fires from the first day on until somebody silences it.

Anti-pattern:

    scrape_configs:
      - job_name: postgres
        static_configs:
          - targets: ["postgres-exporter:9187"]    # no such service

Better:

    services:
      postgres-exporter:
        image: quay.io/prometheuscommunity/postgres-exporter:v0.15.0

Recommendation:

    Add the service that is missing, correct the host's name, or remove the job.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#static_config
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, exporters, monitoring, peers, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, ScrapeJob, Target
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NOT_A_SERVICE = regex(
    r"^(?:localhost|[\d.]+|\[?[0-9a-f:]*:[0-9a-f:]*\]?|.*\.docker\.internal|gateway|host)$|[.${}<>%]", re.I
)
"""Hosts that are no service by their form: addresses, names with a domain, placeholders that something fills in."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_JOB = "the job "
_DOWN = regex(r"up\s{0,50}(?:\{[^}]*\})?\s{0,50}(?:==\s*0|<\s*1)")
"""An alert on targets that are down, with nothing else in its expression."""
_LISTENS = regex(r"--web\.listen-address[= ]\S*?:(\d+)")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every bare host of a scrape configuration that is no service, alias or container of the repository."""
    if not inventory.services:
        return
    unknown: defaultdict[tuple[str, str], list[tuple[str, Target]]] = defaultdict(list)
    for file, job, target in _targets(inventory):
        if (
            target.host
            and not peers.is_known(inventory, target.host)
            and not _NOT_A_SERVICE.search(target.host)
            and graph.hosts.resolve(target.host, near=file) is None
        ):
            unknown[file, target.host].append((job, target))
    for (file, host), uses in unknown.items():
        yield _evidence(inventory, file, host, uses)
    yield from _own_container(inventory)
    yield from _of_swarm(inventory)


def _firing(inventory: Inventory, file: str, jobs: set[str]) -> list[AlertRule]:
    """The alerts of a configuration on targets of the jobs that are down, whichever they are."""
    return [
        item
        for item in inventory.alert_rules
        if item.kind == "alert"
        and _DOWN.fullmatch(item.query.expression.strip())
        and all((each.name, each.operator) == ("job", "=") and each.value in jobs for each in item.query.matchers)
        and any(config.file == file for config in monitoring.loading(inventory, item.file))
    ]


def _targets(inventory: Inventory) -> Iterator[tuple[str, str, Target]]:
    for job in inventory.scrape_jobs:
        asked = (job.proxy,) if job.proxy else job.targets
        yield from ((job.file, f"{_OF_JOB}{job.name}", target) for target in asked)
    for config in inventory.prometheus:
        yield from ((config.file, "alerting", target) for target in config.alertmanagers)


def _own_container(inventory: Inventory) -> Iterator[Evidence]:
    """Targets at the loopback address, which in a container is that of Prometheus alone."""
    for job in inventory.scrape_jobs:
        runs, own = _alone(inventory, job.file)
        for target in job.targets if runs and not job.proxy else ():
            if target.host in _LOOPBACK and target.port not in own | {""}:
                there = _listening(inventory, job, target)
                yield _at_itself(
                    job.file, f"a target of the job {job.name}", f"remove {job.name}", target, runs[0], there
                )
    for config in inventory.prometheus:
        runs, own = _alone(inventory, config.file)
        for target in config.alertmanagers if runs else ():
            if target.host in _LOOPBACK and target.port not in own:
                managers = services.of_product(inventory, "Alertmanager")
                there = managers[0].name if len(managers) == 1 else ""
                yield _at_itself(
                    config.file, "where Prometheus sends alerts", "start an Alertmanager", target, runs[0], there,
                    Severity.HIGH,
                )  # fmt: skip


def _alone(inventory: Inventory, file: str) -> tuple[tuple[Service, ...], set[str]]:
    """The services that run with a configuration, each the only program of its container, and their own ports."""
    runs = monitoring.meant_runners(inventory, file)
    shared = any(service.network_mode or _is_joined(inventory, service) or service.build for service in runs)
    return () if shared else runs, {_own_port(service) for service in runs}


def _at_itself(
    file: str, said: str, otherwise: str, target: Target, runs: Service, there: str, severity: Severity | None = None
) -> Evidence:
    name, port = runs.name, target.port or "9093"
    return Evidence(
        f"{target.address}, {said}, is the container of {name} itself, where nothing but {name} listens.",
        target.location,
        subject=target.address,
        service=name,
        related=(Related(runs.location, f"{name} runs in a container of its own"),),
        recommendation=f"Write {there}:{port} in place of {target.address} in {file}."
        if there
        else f"Name the service that listens on {port} in {file}, or host.docker.internal with "
        f"`extra_hosts` if it is the host, or {otherwise}.",
        change=(target.address, f"{there or '<the service that listens there>'}:{port}"),
        severity=severity,
    )


def _listening(inventory: Inventory, job: ScrapeJob, target: Target) -> str:
    """The service that is meant by its name or its job's; one with the same port may be another program."""
    exporter = exporters.of_host(job.name, "") or exporters.of_host("", target.port)
    own = (item for item in inventory.services if item.name == job.name)
    found = next(own, None) or next(
        (item for item in inventory.services if exporter and exporters.of_image(item.image) is exporter), None
    )
    fits = found and target.port in (*(port.target for port in found.ports), *(exporter.ports if exporter else ()))
    return found.name if found and fits else ""


def _of_swarm(inventory: Inventory) -> Iterator[Evidence]:
    """Names of Swarm's tasks, where the services run by Compose alone."""
    documents = (item.text for document in inventory.documents for item in document.mentions)
    if stacks.swarm_files(inventory) or any("docker stack" in text or "swarm" in text for text in documents):
        return
    for job in inventory.scrape_jobs:
        asked = [target for target in job.discovered if target.of_swarm and target.host in inventory.services_by_name]
        if asked and not deployment.uses_orchestrator(inventory):
            host = asked[0].host
            yield Evidence(
                f"The job {job.name} asks for tasks.{host}, a name that only Swarm knows, and nothing deploys to one: "
                "with Compose it doesn't resolve.",
                asked[0].location,
                subject=f"tasks.{host}",
                related=(Related(inventory.services_by_name[host][0].location, f"{host} is a service of Compose"),),
                recommendation=f"Write {host} in place of tasks.{host} in {job.file}.",
                change=(f"tasks.{host}", host),
                confidence=Confidence.MEDIUM,
            )


def _is_joined(inventory: Inventory, service: Service) -> bool:
    """Whether another container lives in the same network namespace."""
    return any(
        item.network_mode in (f"service:{service.name}", f"container:{service.container_name}")
        for item in inventory.services
    )


def _own_port(service: Service) -> str:
    match = _LISTENS.search(" ".join(service.command))
    return match[1] if match else "9090"


def _evidence(inventory: Inventory, file: str, host: str, uses: list[tuple[str, Target]]) -> Evidence:
    elsewhere = bool(deployment.orchestrator_files(inventory))
    jobs = {job.removeprefix(_OF_JOB) for job, _ in uses if job.startswith(_OF_JOB)}
    firing = _firing(inventory, file, jobs) if jobs else []
    awaited = any(item.query.matchers for item in firing)  # somebody waits for this very job
    effect = f": {listed(item.name for item in firing)} {'fires' if len(firing) == 1 else 'fire'} all the time"
    doubt = "; it may be a service of the orchestrator that the repository also deploys to" if elsewhere else ""
    job, first = uses[0]
    projects = inventory.base_projects or inventory.projects
    askers = monitoring.runners(inventory, file)
    home = compose_lines.home(inventory, askers)
    return Evidence(
        f"{host}{':' + first.port if first.port else ''}, a target of {listed(job for job, _ in uses)}, is no service "
        f"of any Compose project of the repository{doubt}{effect if firing else ''}.",
        first.location,
        subject=host,
        related=(
            *(Related(target.location, f"{other} names it too", member=True) for other, target in uses[1:]),
            *(Related(item.expression_location, f"{item.name} fires as long as the target is down") for item in firing),
            *(Related(item.location, f"no service of this project is called {host}") for item in projects[:3]),
        ),
        recommendation=f"Add a service {host} to {home.location.file}, or remove {job} from {file}." if home else "",
        severity=Severity.HIGH if awaited and not elsewhere else None,
        confidence=Confidence.MEDIUM if elsewhere else None,
        example=files.into(home.location.file, compose_lines.new_service(inventory, host, askers)) if home else "",
    )
