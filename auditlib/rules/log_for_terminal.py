"""A program writes its log for the eyes of somebody at a terminal.

Such lines have colours, a time without a date, and fields that no program finds again. Whoever collects the logs can't
ask for a level, a request or a user in them, and two services' lines can't be put in order.

Anti-pattern:

    log := zerolog.New(zerolog.ConsoleWriter{Out: os.Stdout, TimeFormat: "15:04:05"})

Better:

    var out io.Writer = os.Stdout                     // JSON
    if os.Getenv("LOG_FORMAT") == "console" {
        out = zerolog.ConsoleWriter{Out: os.Stdout}
    }
    log := zerolog.New(out).With().Timestamp().Logger()

Recommendation:

    Write JSON with the whole time to the standard output, and lines for people only where a variable says so.

References:

- https://github.com/rs/zerolog#pretty-logging
- https://www.structlog.org/en/stable/logging-best-practices.html
- https://12factor.net/logs
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import log_habits
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogHabit
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LINES = {
    "zerolog": "zerolog.New(os.Stdout).With().Timestamp().Logger()",
    "zap": "zap.NewProduction()",
    "structlog": "structlog.processors.JSONRenderer()",
    "pino": 'pino({ level: process.env.LOG_LEVEL ?? "info" })',
}


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding a library for all code of programs in containers that logs so without a condition."""
    if not any(service.build for service in inventory.services):
        return
    for product, items in log_habits.in_operation(inventory, "terminal").items():
        yield _evidence(product, items)


def _evidence(product: str, items: list[LogHabit]) -> Evidence:
    first, *others = items
    where = listed(dict.fromkeys(item.location.file for item in items), limit=3)
    return Evidence(
        f"{where} has {product} log by `{first.source}` whatever the environment: lines for a terminal, whose fields "
        "nobody can search for.",
        first.location,
        subject=f"{product}/{first.location.file}",
        related=tuple(Related(item.location, f"`{item.source}` as well", member=True) for item in others),
        recommendation=f"Let {product} write JSON in {first.location.file} unless a variable asks for the other form.",
        example=files.into(first.location.file, _LINES[product]),
    )
