"""A document promises another retention than the files give.

Who needs the backup of three weeks ago, by a document that says thirty days, finds that it was deleted after seven; who
plans a disk by it gets one that is full.

Anti-pattern:

    # docs/backup.md: backups are kept for 30 days
    find "$BACKUP_DIR" -name '*.dump' -mtime +7 -delete

Better:

    # docs/backup.md: backups are kept for 7 days

Recommendation:

    Decide which of the two is meant, and write it in both places.

References:

- https://prometheus.io/docs/prometheus/latest/storage/#operational-aspects
- https://www.gnu.org/software/findutils/manual/html_node/find_html/Age-Ranges.html
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import backups, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Mention
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(
    r"(?i)(?:^|[/_.-])(?:change(?:log|s)|history|roadmap|todo|plans?|proposals?|rfcs?|adrs?|decisions?|ideas?|prompts?|"
    r"claude|agents|examples?|vendor|node_modules|specs?)(?=[/_.-])"
)
_FLAG = regex(r"--storage\.tsdb\.retention(?:\.time)?[= ](\d{1,4})([dwhy])\b")
_NUMBER = regex(r"(?i)reten|keep|days|age")
_DAYS = {"d": 1, "w": 7, "y": 365}
_CALLED = {"backup": "backups", "prometheus": "Prometheus' metrics"}


class _Kept(Struct, frozen=True):
    """For how many days something is kept, and where that stands."""

    days: int
    location: Location


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each number of days in a document for which no script keeps backups, or no Prometheus its metrics."""
    told = [item for document in inventory.documents if not _ASIDE.search(document.path)
            for item in document.mentions if item.kind == "kept"]  # fmt: skip
    known = {"backup": list(_of_backups(inventory)), "prometheus": _of_prometheus(inventory)} if told else {}
    for item in told:
        what, _, days = item.text.partition(" ")
        kept = known[what]
        if kept and int(days) not in {each.days for each in kept} and not _is_set(inventory, days):
            yield _evidence(item, what, kept)


def _is_set(inventory: Inventory, days: str) -> bool:
    """Whether a file of variables, or a service, sets a number of days that a script takes instead of its own."""
    lines = [(line.name, line.value) for file in inventory.env_files for line in file.lines]
    lines += [(entry.name, entry.value) for service in inventory.services for entry in service.environment]
    return any(value and value.text.strip() == days and _NUMBER.search(name) for name, value in lines)


def _of_backups(inventory: Inventory) -> Iterator[_Kept]:
    for script in inventory.scripts:
        if script.kept_days and backups.SCRIPT_NAME.search(script.path):
            yield from (_Kept(days, script.location) for days in script.kept_days)


def _of_prometheus(inventory: Inventory) -> list[_Kept]:
    """The retention of each Prometheus; nothing where one of them may have another."""
    running = [item for item in inventory.services
               if images.repository(item.image).rpartition("/")[2] == "prometheus"]  # fmt: skip
    found = []
    for service in running:
        match = _FLAG.search(" ".join(service.command))
        if match is None or match[2] not in _DAYS:
            return []
        days = int(match[1]) * _DAYS[match[2]]
        found.append(_Kept(days, service.command_location or service.location))
    return found


def _evidence(item: Mention, what: str, kept: list[_Kept]) -> Evidence:
    _, _, days = item.text.partition(" ")
    real = listed(str(each.days) for each in kept)
    where = listed(dict.fromkeys(each.location.file for each in kept), limit=2)
    return Evidence(
        f"{item.location.file} says that {_CALLED[what]} are kept for {days} days, and {where} says {real}.",
        item.location,
        subject=f"{what}/{days}",
        related=tuple(Related(each.location, f"keeps them for {each.days} days") for each in kept[:4]),
        recommendation=f"Write {real} days in {item.location.file}, or {days} in {where}.",
        example=files.into(item.location.file, f"{kept[0].days} days"),
    )
