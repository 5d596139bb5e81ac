"""How it is configured, and who notices when it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from auditlib import readiness
from auditlib.audit import Audit
from auditlib.conventions import environments
from auditlib.model import Area
from auditlib.report import wording
from auditlib.report.markdown_document.writing import codes, findings, place, statement, text


def configuration(audit: Audit) -> Iterator[str]:
    """Settings, variables and their templates, what decides by the environment, and the findings."""
    inventory = audit.inventory
    if inventory.settings:
        files = [file for file, _ in Counter(item.location.file for item in inventory.settings).most_common()]
        of_program = (item for item in inventory.settings if not environments.is_for_development(item.location.file))
        secret = [item for item in of_program if item.default and item.default.secret]
        yield statement(
            "Settings Binding",
            f"{codes(files, 4)} read {wording.count(len(inventory.settings), 'variable')}.",
            f"A secret has a default in the code: {codes(f'{item.name} ({item.location})' for item in secret)}."
            if secret
            else "",
        )
    yield _variables(audit)
    if inventory.environment_branches:
        branches = inventory.environment_branches
        names = codes(dict.fromkeys(item.variable for item in branches))
        yield statement("Environments", f"Code decides by {names} at {codes(item.location for item in branches)}.")
    yield from findings(audit, Area.CONFIGURATION)


def _variables(audit: Audit) -> str:
    inventory = audit.inventory
    asked = {item.name for item in inventory.variables}
    templates = [item for item in inventory.env_files if item.template]
    known = {line.name for item in templates for line in item.lines}
    lacking = sorted(asked - known)
    return statement(
        "Environment Variables",
        f"Compose files ask for {wording.count(len(asked), 'variable')}.",
        f"Templates: {codes(item.path for item in templates)}."
        if templates
        else "There is no template of an environment file.",
        f"In none of them: {codes(lacking)}." if templates and lacking else "",
    )


def monitoring(audit: Audit) -> Iterator[str]:
    """What is measured, who is told, where logs go, and the findings."""
    inventory = audit.inventory
    if inventory.scrape_jobs or inventory.alert_rules or inventory.dashboards:
        yield statement(
            "Monitoring",
            f"{wording.count(len(inventory.scrape_jobs), 'scrape job')} "
            f"({codes(dict.fromkeys(item.file for item in inventory.scrape_jobs))}),"
            if inventory.scrape_jobs
            else "No scrape job,",
            f"{wording.count(sum(item.kind == 'alert' for item in inventory.alert_rules), 'alert')},",
            f"{wording.count(len(inventory.receivers), 'receiver')},",
            f"{wording.count(len(inventory.dashboards), 'dashboard')}.",
        )
    else:
        ways = "; ".join(text(item.message) for item in readiness.telemetry(inventory))
        yield statement(
            "Monitoring",
            "No configuration of Prometheus, Alertmanager or Grafana was found.",
            f"No metrics are collected; {ways}." if ways else "",
        )
    files = [f"{item.path} ({item.location})" for item in inventory.log_files]
    shippers = ", ".join(f"{item.kind} ({place(item.location)})" for item in inventory.log_shippers[:4])
    yield statement(
        "Logging",
        f"Code writes {codes(files)}." if files else "No log file is named in code.",
        f"Collected by {shippers}." if shippers else "No collector of logs is configured.",
    )
    yield from findings(audit, Area.MONITORING)
