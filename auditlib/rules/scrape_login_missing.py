"""A program asks Prometheus for a password that its job doesn't give.

With `basic_auth_users` in the file of `--web.config.file` a program answers everybody else with 401, its own
`/metrics` and `/-/healthy` too. A job without `basic_auth` gets nothing: the target is down from the first day on.

Anti-pattern:

    # web.yml, which Prometheus is started with
    basic_auth_users: {admin: $2b$12$…}
    # prometheus.yml
    scrape_configs:
      - job_name: prometheus
        static_configs: [{targets: ["localhost:9090"]}]

Better:

    scrape_configs:
      - job_name: prometheus
        basic_auth: {username: admin, password_file: /run/secrets/prometheus}
        static_configs: [{targets: ["localhost:9090"]}]

Recommendation:

    Give the job the user and a file with the password.

References:

- https://prometheus.io/docs/guides/basic-auth/
- https://prometheus.io/docs/prometheus/latest/configuration/https/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import ScrapeJob, Target, WebLogin
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OPTION = regex(r"--web\.config\.file[= ]\s*[\"']?([^\s\"']+)")
_LOGIN = """scrape_configs:
  - job_name: {}
    basic_auth:
      username: <the user of {}>
      password_file: <the file with the password>"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every target of a job without credentials that is a service which is told to ask for a password."""
    closed = {item.key: (item, login) for item in inventory.services if (login := _login(inventory, item))}
    for job in inventory.scrape_jobs if closed else ():
        if not job.authenticates and not monitoring.is_template(job.file):
            for target in (job.proxy,) if job.proxy else job.targets:
                found = _asked(inventory, graph, job, target)
                if found and found.key in closed:
                    yield _evidence(job, target, *closed[found.key])


def _login(inventory: Inventory, service: Service) -> WebLogin | None:
    """The file of the repository by which a service asks for a password."""
    match = _OPTION.search(" ".join((*service.entrypoint, *service.command)))
    path = mounts.path_outside(service, match[1]) if match else ""
    return next((item for item in inventory.web_logins if item.file == path), None)


def _asked(inventory: Inventory, graph: DependencyGraph, job: ScrapeJob, target: Target) -> Service | None:
    """The service that a target is; at its own address the Prometheus that runs with the job."""
    if scraping.is_own(target):
        return next(iter(monitoring.runners(inventory, job.file)), None)
    return scraping.service_at(inventory, graph, job, target)


def _evidence(job: ScrapeJob, target: Target, service: Service, login: WebLogin) -> Evidence:
    return Evidence(
        f"{service.name} answers only who knows a user of {login.file}, and the job {job.name}, which asks it at "
        f"{target.address}, gives none: it gets 401, and the target is down.",
        target.location,
        subject=f"{job.name}/{target.address}",
        service=service.name,
        related=(
            Related(login.location, "the users that may ask"),
            Related(service.command_location or service.location, f"{service.name} is told to read {login.file}"),
        ),
        recommendation=f"Give the job {job.name} in {job.file} `basic_auth` with a user of {login.file}.",
        example=files.into(job.file, _LOGIN.format(job.name, login.file)),
    )
