"""Code that has each SQL statement logged, log lines written for a terminal, or personal data sent to an error tracker.

Sources: https://docs.sqlalchemy.org/en/20/core/engines.html#configuring-logging, https://gorm.io/docs/logger.html,
https://sequelize.org/docs/v6/getting-started/#logging, https://typeorm.io/docs/advanced-topics/logging/,
https://www.prisma.io/docs/orm/prisma-client/observability-and-logging/logging,
https://mongoosejs.com/docs/api/mongoose.html#Mongoose.prototype.set(), https://github.com/rs/zerolog#pretty-logging,
https://pkg.go.dev/go.uber.org/zap#NewDevelopment, https://www.structlog.org/en/stable/console-output.html and
https://github.com/pinojs/pino-pretty,
https://docs.sentry.io/platforms/python/data-management/data-collected/. What stands in a branch or a
choice is left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory.logs import LogHabit
from auditlib.patterns import Words, regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source


class _Habit(Struct, frozen=True):
    """A setting of a product, in files with these endings; `needs` is a word that such a file holds besides."""

    kind: str
    product: str
    endings: tuple[str, ...]
    needs: str
    pattern: re.Pattern[str]


_SCRIPT = (".js", ".ts", ".mjs", ".cjs")
_ARGUMENTS = r"\((?:[^()]|\([^()]{0,300}\)){0,600}?"
_HABITS = (
    _Habit("sql", "SQLAlchemy", (".py",), "create_", regex(
        rf"create_(?:async_)?engine{_ARGUMENTS}\b(?P<source>echo\s*=\s*(?:True|[\"']debug[\"']))\s*[,)]")),
    _Habit("sql", "GORM", (".go",), "gorm", regex(r"(?P<source>\bLogMode\(\s*(?:\w+\.)?Info\s*\))")),
    _Habit("sql", "Bun", (".go",), "bundebug", regex(r"(?P<source>bundebug\.WithVerbose\(true\))")),
    _Habit("sql", "Sequelize", _SCRIPT, "equelize", regex(
        rf"new\s+Sequelize{_ARGUMENTS}\b(?P<source>logging\s*:\s*(?:console\.log|true))\b")),
    _Habit("sql", "TypeORM", _SCRIPT, "typeorm", regex(
        rf"(?:new\s+DataSource|TypeOrmModule\.forRoot){_ARGUMENTS}\b(?P<source>logging\s*:\s*(?:true\b|[\"']all[\"']))")),
    _Habit("sql", "Prisma", _SCRIPT, "PrismaClient", regex(
        r"new\s+PrismaClient\(\s*\{[^{}]{0,300}?\b(?P<source>log\s*:\s*\[[^\]?]{0,200}?[\"']query[\"'][^\]?]{0,200}\])")),
    _Habit("sql", "Mongoose", _SCRIPT, "mongoose", regex(
        r"mongoose\.(?P<source>set\(\s*[\"']debug[\"']\s*,\s*true\s*\))")),
    _Habit("sql", "Entity Framework", (".cs",), "Sensitive", regex(
        r"\.(?P<source>EnableSensitiveDataLogging\(\s*(?:true)?\s*\))")),
    _Habit("personal", "Sentry", (".py",), "sentry_sdk", regex(r"\b(?P<source>send_default_pii\s*=\s*True)\b")),
    _Habit("personal", "Sentry", _SCRIPT, "sentry", regex(r"\b(?P<source>sendDefaultPii\s*:\s*true)\b")),
    _Habit("personal", "Sentry", (".go",), "sentry", regex(r"\b(?P<source>SendDefaultPII\s*:\s*true)\b")),
    _Habit("terminal", "zerolog", (".go",), "zerolog", regex(r"(?P<source>zerolog\.(?:New)?ConsoleWriter)\b")),
    _Habit("terminal", "zap", (".go",), "zap", regex(r"(?P<source>zap\.NewDevelopment\(\))")),
    _Habit("terminal", "structlog", (".py",), "structlog", regex(
        r"(?P<source>structlog\.dev\.ConsoleRenderer\()")),
    _Habit("terminal", "pino", _SCRIPT, "pino", regex(
        r"\btransport\s*:\s*\{\s*(?P<source>target\s*:\s*[\"']pino-pretty[\"'])")),
)  # fmt: skip
_SIGNS = Words(
    "echo", "LogMode(", "bundebug", "equelize", "typeorm", "PrismaClient", "mongoose.set(", "EnableSensitive",
    "ConsoleWriter", "NewDevelopment(", "ConsoleRenderer", "pino-pretty",
    "send_default_pii", "sendDefaultPii", "SendDefaultPII",
)  # fmt: skip
_ENDINGS = frozenset(ending for habit in _HABITS for ending in habit.endings)
_CHOICE = regex(
    r"^\s*(?:\}?\s*else\b|(?:el)?if\b|switch\b|case\b|default\s*:|try\b)|\bif\s*\(|\?\s*$|\?\?|&&|\|\||(?<!\w)\?(?=\s)|"
    r"\b(?:if|unless)\b.*(?:dev|debug|prod|tty|env)|=>",
    re.I,
)
"""A line by which what follows, or stands in it, holds under a condition only."""
_OF_DEVELOPMENT = regex(r"\b(?:if|elif|else|unless)\b.*(?:dev|debug|local|test)|\?.*:|&&|=>", re.I)
"""The same where programs ask whether a tracker is used at all, which is no choice of what it gets."""
_BEFORE = 7
"""Lines before a setting in which a condition for it may stand."""


def read(source: Source) -> Reading:
    """The first habit of each kind and product in a file. It reports no coverage."""
    reading = Reading()
    for path in source.files:
        if (ending := posixpath.splitext(path)[1]) in _ENDINGS:
            text = source.glance(path)
            if _SIGNS.any_in(text):
                reading.records += _found(path, ending, text)
    return reading


def _found(path: str, ending: str, text: str) -> Iterator[LogHabit]:
    for habit in _HABITS:
        if ending in habit.endings and habit.needs in text:
            told = _OF_DEVELOPMENT if habit.kind == "personal" else _CHOICE
            found = habit.pattern.finditer(text)
            places = (match for match in found if not _depends(text, match.start("source"), told))
            if match := next(places, None):
                place = location_at(path, text, match.start("source"))
                yield LogHabit(habit.kind, habit.product, " ".join(match["source"].split()).rstrip("("), place)


def _depends(text: str, start: int, choice: re.Pattern[str]) -> bool:
    """Whether a setting may hold under a condition: one stands shortly before it, in its line, or it is a comment."""
    begin, end = text.rfind("\n", 0, start) + 1, text.find("\n", start)
    line = text[begin : end if end >= 0 else len(text)][:2_000]
    before = text[max(begin - 2_000, 0) : begin].split("\n")[-_BEFORE:]
    return line.lstrip().startswith(("#", "//", "*")) or any(map(choice.search, (line, *before)))
