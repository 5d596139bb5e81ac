"""Code has every SQL statement logged, in production as well.

Each statement with its values becomes a line: passwords' hashes, mail addresses and tokens of users lie in the logs of
everybody who runs the host, the few lines that matter drown, and the disk fills.

Anti-pattern:

    engine = create_engine(settings.database_url, echo=True)

    db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Default.LogMode(logger.Info)})

Better:

    engine = create_engine(settings.database_url, echo=settings.sql_echo)

    db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Default.LogMode(logger.Warn)})

Recommendation:

    Log slow and failed statements only, and all of them where a variable for development says so.

References:

- https://docs.sqlalchemy.org/en/20/core/engines.html#configuring-logging
- https://gorm.io/docs/logger.html
- https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import log_habits
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogHabit
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(r"(?:^|/)(?:scripts?|tools?|bin|seed\w*|migrations?|alembic|examples?|benchmarks?|notebooks?|cli)/|"
               r"(?:^|/)(?:[\w.-]*[_.-])?(?:seed\w*|script|example|demo)[\w.-]*$")  # fmt: skip
"""Programs that somebody starts by hand, whose output is for who did."""
_LINES = {
    "SQLAlchemy": 'echo=os.getenv("SQL_ECHO") == "1"',
    "GORM": "LogMode(logger.Warn)  // slow and failed statements",
    "Bun": "bundebug.FromEnv()",
    "Sequelize": 'logging: process.env.SQL_LOG === "1" ? console.log : false',
    "TypeORM": 'logging: ["error", "warn"]',
    "Prisma": 'log: ["warn", "error"]',
    "Mongoose": 'mongoose.set("debug", process.env.MONGOOSE_DEBUG === "1")',
    "Entity Framework": "if (environment.IsDevelopment()) options.EnableSensitiveDataLogging();",
}


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding a product for all code of the application that logs each statement without a condition."""
    for product, items in log_habits.in_operation(inventory, "sql").items():
        kept = [item for item in items if not _ASIDE.search(item.location.file.lower())]
        if kept:
            yield _evidence(product, kept)


def _evidence(product: str, items: list[LogHabit]) -> Evidence:
    first, *others = items
    where = listed(dict.fromkeys(item.location.file for item in items), limit=3)
    what = "the values of each statement" if product == "Entity Framework" else "each statement with its values"
    return Evidence(
        f"`{first.source}` of {product} stands in {where} without a condition: {what} is logged in production, too.",
        first.location,
        subject=f"{product}/{first.location.file}",
        related=tuple(Related(item.location, f"`{item.source}` as well", member=True) for item in others),
        recommendation=f"Let a variable for development decide over `{first.source}` in {first.location.file}.",
        example=files.into(first.location.file, _LINES[product]),
    )
