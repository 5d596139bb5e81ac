"""What was looked at, and what runs: services, networks, volumes, start order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from auditlib import verdict
from auditlib.audit import Audit
from auditlib.conventions import environments, stacks
from auditlib.inventory.stack import Service
from auditlib.model import Area
from auditlib.report import health as health_of
from auditlib.report import wording
from auditlib.report.markdown_document.writing import code, codes, findings, statement, text
from auditlib.report.sections import progress


def scope(audit: Audit) -> Iterator[str]:
    """The repository, the files that the statements rest on, and the answer."""
    inventory, judgement = audit.inventory, verdict.judge(audit.findings, audit.unknown_areas)
    commit = f" at commit {code(inventory.commit[:12])}" if inventory.commit else ""
    yield statement(
        "Objective",
        "Assess deployment tooling, container orchestration and operational readiness of "
        f"{code(inventory.name)}{commit}, as of {wording.day(audit.as_of)}.",
    )
    places = [file for project in inventory.base_projects for file in project.files]
    settings = Counter(item.location.file for item in inventory.settings)
    places += [file for file, _ in settings.most_common() if not environments.is_for_development(file)][:2]
    places += [item.file for item in inventory.prometheus]
    places += [item.file for item in inventory.receivers] + [item.file for item in inventory.datasources]
    places += [item.file for item in inventory.workflows]
    if places:
        yield statement("Key References", f"{codes(dict.fromkeys(places), 10)}.")
    yield statement("Verdict", f"{judgement.readiness}. {text(judgement.reason)}")
    yield statement("Scores of 100", f"{', '.join(map(_score, judgement.scores))}.")
    since = progress.since(audit)
    if since:
        yield statement("What Changed", text(since))


def _score(score: verdict.Score) -> str:
    points = f"not known ({text(score.unknown)})" if score.points is None else score.points
    return f"{score.area.title} {points}"


def orchestration(audit: Audit) -> Iterator[str]:
    """The services and how they start, what keeps their data, and the findings."""
    services = audit.inventory.deployed_services
    if not services:
        yield statement("Services", "No Compose project was found.")
    else:
        yield _stack(audit, services)
        yield _health(audit)
        yield _storage(audit)
        yield from _start(services)
    yield from findings(audit, Area.ORCHESTRATION)


def _stack(audit: Audit, services: tuple[Service, ...]) -> str:
    gated = [f"{audit.inventory.label(item)} ({', '.join(item.profiles)})" for item in services if item.profiles]
    files = codes(file for project in audit.inventory.deployed_projects for file in project.files)
    names = codes((audit.inventory.label(item) for item in services), 14)
    return statement(
        "Multi-Service Stack",
        f"{wording.count(len(services), 'service')} in {files}: {names}.",
        f"Behind a profile: {codes(gated)}." if gated else "",
    )


_HAVING = (health_of.CHECKED, health_of.IN_IMAGE, health_of.BROKEN)
"""The states of services that have a check, whatever it is worth."""


def _health(audit: Audit) -> str:
    health = health_of.Health(audit)
    running = [item for mine in stacks.lasting(audit.inventory).values() for item in mine]
    states = {item.key: health.of(item) for item in running}
    checked = [item for item in running if states[item.key].text in _HAVING]
    broken, untold = (
        [audit.inventory.label(item) for item in running if states[item.key].text == state]
        for state in (health_of.BROKEN, health_of.UNKNOWN)
    )
    unchecked = [audit.inventory.label(item) for item in running if item not in checked]
    unchecked = [name for name in unchecked if name not in untold]
    tests = Counter(" ".join(item.healthcheck.test) for item in checked if item.healthcheck and item.healthcheck.test)
    if not checked and not untold:
        return statement("Health Checks", f"None in {wording.count(len(running), 'long-running service')}.")
    return statement(
        "Health Checks",
        f"{len(checked)} of {wording.count(len(running), 'long-running service')} have one"
        + (f" ({codes(tests, 5)})." if tests else "."),
        f"Broken: {codes(broken)}." if broken else "",
        f"Without: {codes(unchecked)}." if unchecked else "",
        f"Not known, as the image may bring one: {codes(untold)}." if untold else "",
    )


def _storage(audit: Audit) -> str:
    networks = [item.name for item in audit.inventory.networks]
    volumes = [item.name for item in audit.inventory.volumes]
    open_ports = [f"{item.name}:{port.host_port or port.target}" for item in audit.inventory.deployed_services
                  for port in item.ports if port.host_ip in ("", "0.0.0.0", "::")]  # fmt: skip  # noqa: S104 - read
    return statement(
        "Networking & Volumes",
        f"Networks: {codes(dict.fromkeys(networks)) if networks else 'the default one'}.",
        f"Named volumes: {codes(dict.fromkeys(volumes)) if volumes else 'none'}.",
        f"Published on every interface: {codes(open_ports, 8)}." if open_ports else "",
    )


def _start(services: tuple[Service, ...]) -> Iterator[str]:
    entries = [(item.name, entry) for item in services for entry in item.dependencies if not entry.implicit]
    weak = [
        f"{name} for {entry.service} ({entry.location})"
        for name, entry in entries
        if entry.condition == "service_started"
    ]
    healthy = sum(entry.condition == "service_healthy" for _, entry in entries)
    if entries:
        yield statement(
            "Dependency Conditions",
            f"{healthy} of {wording.count(len(entries), 'dependency', 'dependencies')} wait for health.",
            f"Only for the start: {codes(weak, 5)}." if weak else "",
        )
