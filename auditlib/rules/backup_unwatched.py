"""A backup that fails is noticed by nobody.

The script runs at night and writes to a log that nobody reads. When the disk is full, a password has changed or the
job is gone from the crontab, there are no new backups, and somebody finds out on the day when one is needed.

Anti-pattern:

    # crontab: 0 3 * * * /opt/backup.sh
    # backup.sh: pg_dump … > /backups/shop.sql

Better:

    # backup.sh, as its last line
    curl -fsS --retry 3 "$HEALTHCHECK_URL"

Recommendation:

    Let the last line of the script report its success to something that alerts when the report doesn't come.

References:

- https://healthchecks.io/docs/monitoring_cron_jobs/
- https://prometheus.io/docs/practices/pushing/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import backups, environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TELLS = regex(
    r"\b(?:curl|wget|mailx?|sendmail|msmtp|mutt|ntfy|apprise|slack\w*|telegram\w*|notify\w*|alert\w*|pushgateway|"
    r"logger|systemd-cat|healthcheck\w*|hc-ping)\b|\.prom\b|textfile",
    re.I,
)
"""Words by which a script tells somebody, or leaves a metric behind."""
_SPEAKS = regex(r"back[-_ ]?up|dump|snapshot", re.I)


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The scripts of backups that tell nobody, where no alert or workflow of the repository asks for them."""
    makers = [item for item in inventory.scripts if _makes_backups(item)]
    if not makers or any(_tells(item) for item in makers) or _is_asked_for(inventory, makers):
        return
    yield _evidence(inventory, makers)


def _makes_backups(script: Script) -> bool:
    """Whether a shell script is called after backups, and copies or dumps something."""
    aside = environments.is_for_development(script.path)
    return not aside and backups.is_script(script) and any(map(backups.copies, script.commands))


def _tells(script: Script) -> bool:
    return any(_TELLS.search(" ".join(command.words)) for command in script.commands)


def _is_asked_for(inventory: Inventory, makers: list[Script]) -> bool:
    """Whether an alert speaks of backups, or a workflow runs a script, whose failure its host reports."""
    alerts = (f"{item.name} {item.query.expression}" for item in monitoring.alerts(inventory))
    steps = (" ".join(command.words) for step in inventory.steps for command in step.commands)
    run = any(item.path.rpartition("/")[2] in text for text in steps for item in makers)
    return run or any(_SPEAKS.search(text) for text in alerts)


def _evidence(inventory: Inventory, makers: list[Script]) -> Evidence:
    first, *others = makers
    alert = next(iter(monitoring.alerts(inventory)), None)
    read = "its log" if _runs_on(first) else "its log, or the mail of what starts it,"
    places = [Related(item.location, "tells nobody either", member=True) for item in others]
    return Evidence(
        f"{first.path} tells nobody how it went, and no alert of the repository asks for it: unless "
        f"{read} is read, a backup that fails is noticed when one is needed.",
        first.location,
        subject=first.path,
        related=(*places, *([Related(alert.location, "the alerts that there are")] if alert else [])),
        recommendation=f"Let {first.path} report each success to something that alerts when none comes.",
        example=files.into(first.path, _report(first)),
    )


def _runs_on(script: Script) -> bool:
    """Whether a script waits in a loop for the next time, so that nothing else starts it."""
    words = {command.words[0] for command in script.commands if command.words}
    waits = any(command.words[:1] in (("true",), (":",)) and command.asked for command in script.commands)
    return waits and "sleep" in words


def _report(script: Script) -> str:
    """The report of a success; what runs in a loop, perhaps in the database's image, must not end for want of it."""
    ping = 'curl -fsS --retry 3 "$BACKUP_PING_URL"'
    if _runs_on(script):
        return f'{ping} || echo "no report" >&2   # in the loop, where the dump has succeeded; the image needs curl'
    return f"{ping}   # where the dump has succeeded, and not where the script goes on without one"
