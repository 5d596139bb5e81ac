"""The vocabulary that every room shares: where something stands, how bad it is, how sure we are."""

from __future__ import annotations

from enum import Enum
from functools import cached_property, total_ordering

from msgspec import Struct


class Location(Struct, frozen=True, order=True):
    """A place in a file.

    In an audit `file` is relative to the project's root, with `/`. `auditlib.compose`, used alone, gives the
    path as the caller named it. Lines and columns count from 1; a whole file is line 1.
    """

    file: str
    line: int = 1
    column: int = 1
    end_line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def last_line(self) -> int:
        """The last line of the place, which is `line` itself for a place of one line."""
        return self.end_line or self.line


@total_ordering
class _Level(Enum):
    """A named step on a scale; the first member is the highest."""

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.rank < other.rank

    @cached_property
    def rank(self) -> int:
        """The step counted from the bottom of the scale, from 0."""
        members = list(type(self))
        return len(members) - 1 - members.index(self)

    def __str__(self) -> str:
        return str(self.value)


class Severity(_Level):
    """Impact times exposure; `docs/severity.md` is the written scale. `Severity.HIGH > Severity.LOW` holds."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Confidence(_Level):
    """How sure a statement is: `high` is true by the files alone, `medium` rests on a convention, `low` on a guess."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Effort(_Level):
    """What mending takes: `large` is a project, `medium` a day or two, `small` an hour or two."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"


class Area(Enum):
    """The five areas of the audit; each has its section of the report."""

    ORCHESTRATION = "orchestration"
    CONFIGURATION = "configuration"
    MONITORING = "monitoring"
    CICD = "cicd"
    RESILIENCE = "resilience"

    def __str__(self) -> str:
        return str(self.value)

    @property
    def title(self) -> str:
        """What a reader is told: `CI/CD & testing`."""
        return _AREA_TITLES[self]


_AREA_TITLES = {
    Area.ORCHESTRATION: "Container orchestration",
    Area.CONFIGURATION: "Configuration & secrets",
    Area.MONITORING: "Monitoring & logging",
    Area.CICD: "CI/CD & testing",
    Area.RESILIENCE: "Resilience",
}


class Status(Enum):
    """What a finding's owner decided about it."""

    OPEN = "open"
    SUPPRESSED = "suppressed"

    def __str__(self) -> str:
        return str(self.value)


class Related(Struct, frozen=True):
    """A second place that a finding rests on, and what is to be seen there."""

    location: Location
    message: str
    member: bool = False
    """Whether the fault is here as well (one cause, many places), rather than what explains it."""
    change: tuple[str, str] = ("", "")
    """Of a member, as in a finding, where it is another one than the finding's."""


class Finding(Struct, frozen=True):
    """One fault: what is wrong, where, how bad, how sure, and what to do.

    `rule` names the fault; `fingerprint` is the same for the same fault after lines have moved;
    `source` names who found it (`auditlib`, or a scanner).
    """

    rule: str
    title: str
    message: str
    severity: Severity
    confidence: Confidence
    area: Area
    effort: Effort
    location: Location
    recommendation: str
    service: str | None = None
    subjects: tuple[str, ...] = ()
    """What has the fault, by the names that the repository gives it (`REDIS_PASSWORD`); empty where it has none."""
    related: tuple[Related, ...] = ()
    references: tuple[str, ...] = ()
    source: str = "auditlib"
    fingerprint: str = ""
    status: Status = Status.OPEN
    reason: str = ""
    """Why it is suppressed."""
    expires: str = ""
    """The last day on which it is, as `2027-01-31`; empty for no end."""
    change: tuple[str, str] = ("", "")
    """What to take out of the lines at fault, as they are shown, and what to write instead; empty if none says it.

    With nothing to take out it is what to write below the key at fault, as a member of its mapping. See `edits`.
    """
    example: str = ""
    """Lines of configuration that show the recommendation; empty if words say it all."""


class Read(Enum):
    """How far a file was understood."""

    PARSED = "parsed"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"

    def __str__(self) -> str:
        return str(self.value)


class Coverage(Struct, frozen=True):
    """How far one file (or one thing that was counted but not opened) was read, and why not further."""

    file: str
    kind: str
    status: Read
    reason: str = ""
    line: int = 1
