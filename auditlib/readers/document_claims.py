"""What documents claim in tables, headings and sentences: alerts, versions, steps that are still to be written.

Read line by line, as `documents` does; each pattern is bounded, and asked only of lines that hold a sign of it.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib.inventory.document import Heading, Mention
from auditlib.model import Location
from auditlib.patterns import regex

_LIMIT = 600
_DIGIT = regex(r"\d")
_RULE = regex(r"\|?[ :-]*-{2,}[ :-]*(?:\|[ :-]*)+")
_CAMEL = regex(r"[A-Z][a-z0-9]+(?:[A-Z]+[a-z0-9]*)+")
"""As alerts are called, and few other things in the first column of a table."""
_ALERTS = regex(r"(?:alert|alarm|alerta|alarme|alerte|warnung)s?(?: ?name)?|alert ?rules?", re.I)
_VERSIONS = regex(r"(?i)version|release|tag|image")
_PORTS = regex(r"(?i)(?:host |external |published |local )?ports?")
_NAME = regex(r"[A-Za-z][\w.-]{1,40}")
_SETTINGS = regex(
    r"(?i)(?:env(?:ironment)?\.? ?)?var(?:iable)?s?(?: name)?|env|variável|variables? d'environnement|переменная|"
    r"umgebungsvariable|变量|环境变量"
)
_IN_CAPITALS = regex(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_ASSIGNS = regex(r"(?P<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=(?!\$\()[^\s|;&]{0,200}\s*(?:#.*)?$")
"""A line of an environment file that a document shows."""
_KEEPS = regex(
    r"(?i)retention|retain|\bke(?:ep|pt)|older than|(?:delet|remov|prun|rotat|clean)\w{0,10} |expire|aufbewahr|"
    r"gelöscht|reten[cç]|conserv|хран|удал|保留|清理"
)
_DAYS = regex(r"(?i)(?<![\w.-])(\d{1,4})[ -]?(?:days?|d\b|tagen?|dias?|días?|jours?|дней|дня|天)(?![\w-])")
_KEPT = {"backup": regex(r"(?i)backups?|\bdumps?\b|бэкап|备份|sicherung"), "prometheus": regex(r"(?i)prometheus|tsdb")}
_OF_SOME = regex(
    r"(?i)week|month|year|hour|wöchentl|monat|jährl|seman|mensu|mensal|anual|off-?site|remote|cloud|bucket|\bS3\b|\bR2\b|"
    r"\bB2\b|glacier|artifact|staging|thanos|mimir"
)
"""What tells some of the copies from others, which are kept for another time."""
_RESTART = regex(r"\b(?:docker|podman)[- ]compose\b[^`|;&#\n]{0,120}?\srestart\b[^`|;&#\n]{0,80}")
_ANEW = regex(r"\bcompose\b[^`\n]{0,120}?\s(?:up|down|rm|create)\b|--force-recreate")
_ENV = regex(r"(?<![\w-])(?:[\w./-]{0,60}/)?\.env(?!\.(?:example|sample|template|dist))(?![\w-])")
_EDITS = regex(
    r"\b(?:edit|chang|set|updat|add|modif|adjust|replac|rotat|put|nano|vim?|sed -i|bearbeit|änder|setze|anpass|edita|"
    r"cambi|alter|defin|configur|ajout|измен|задай|отредакт)|修改|编辑|設定|变更|>>",
    re.I,
)
_OPEN = regex(
    r"^[\W\d]{0,24}(?:[^|.`]{0,60}[:|-][*_]{0,3}\s{0,3})?[*_\[(]{0,3}"
    r"(?:TBD|TODO|FIXME|TBA|WIP|N/?A yet|to be (?:defined|done|written|added|documented|determined)|coming soon|"
    r"not (?:yet )?(?:documented|written) yet|a definir|à définir|por definir|noch offen|wird ergänzt|待补充|待定|"
    r"待完善)(?![\w/])",
    re.I,
)
_SIGN = regex(r"TBD|TODO|FIXME|TBA|WIP|N/?A yet|to be |coming soon|not |defin|offen|ergänzt|待", re.I)
_PRODUCTS = {
    "postgresql": "postgres", "postgres": "postgres", "redis": "redis", "mysql": "mysql", "mariadb": "mariadb",
    "mongodb": "mongo", "rabbitmq": "rabbitmq", "elasticsearch": "elasticsearch", "kafka": "kafka", "nginx": "nginx",
    "grafana": "grafana", "prometheus": "prometheus", "loki": "loki", "keycloak": "keycloak", "traefik": "traefik",
    "clickhouse": "clickhouse-server", "python": "python", "node.js": "node", "nodejs": "node", "node": "node",
    "ruby": "ruby", "php": "php",
}  # fmt: skip
"""Products as documents name them, and the last part of the name of their images."""
_VERSION = regex(
    r"(?<![\w./:@-])(?P<name>PostgreSQL|Postgres|Redis|MySQL|MariaDB|MongoDB|RabbitMQ|Elasticsearch|Kafka|Nginx|Grafana|"
    r"Prometheus|Loki|Keycloak|Traefik|ClickHouse|Python|Node\.?js|Node|Ruby|PHP)(?:\*\*)?(?: ?\| ?| ?: ?| )"
    r"(?:\*\*|`)?v?(?P<version>\d{1,2}(?:\.\d{1,3}){0,2})(?P<more>\+|\.x)?(?![\w%:+-]|\.\d)"
    r"(?! ?(?:or|and|to|–|bis|ou|oder|und|et|y|e) (?:v?\d|later|newer|above|higher|up|neuer|höher|sup))",
    re.I,
)


def read(file: str, lines: Sequence[str], fenced: Sequence[bool], headings: Sequence[Heading]) -> Iterator[Mention]:
    """The mentions of these kinds, in the order of the lines."""
    starts = [heading.location.line for heading in headings]
    table = _Table()
    for number, (line, inside) in enumerate(zip(lines, fenced, strict=False), start=1):
        short = line[:_LIMIT]
        place = Location(file, number)
        if "restart" in short and (match := _RESTART.search(short)) and _is_after_edit(lines, number, starts):
            yield Mention("restart", match[0].strip(), place)
        if inside:
            yield from (Mention("setting", name, place) for name in _assigned(lines, number))
            continue
        yield from (Mention(kind, said, place) for kind, said in table.row(short))
        numbered = _DIGIT.search(short) is not None
        if numbered:
            yield from (Mention("kept", said, place) for said in _kept(short))
        if _SIGN.search(short) and _OPEN.match(short):
            yield Mention("open", short.strip(" |*_>-")[:80], place)
        for match in _VERSION.finditer(short) if numbered else ():
            if "|" in match[0] and not table.has_versions:
                continue  # a number in another column
            more = "+" if match["more"] == "+" else "x" if match["more"] else "-"
            yield Mention("version", f"{_PRODUCTS[match['name'].lower()]} {match['version']} {more}", place)
    yield from _empty(lines, headings)


def _kept(line: str) -> list[str]:
    """How many days a line says that backups, or Prometheus' metrics, are kept."""
    days = _DAYS.findall(line) if _KEEPS.search(line) else []
    what = [] if _OF_SOME.search(line) else [name for name, pattern in _KEPT.items() if pattern.search(line)]
    return [f"{what[0]} {days[0]}"] if len(days) == 1 and len(what) == 1 else []


def _assigned(lines: Sequence[str], number: int) -> list[str]:
    """The variable that a line of an environment file sets, where another such line stands beside it."""
    match = _ASSIGNS.match(lines[number - 1][:_LIMIT])
    beside = [line[:_LIMIT] for line in (*lines[max(0, number - 2) : number - 1], *lines[number : number + 1])]
    return [match["name"]] if match and any(map(_ASSIGNS.match, beside)) else []


def _is_after_edit(lines: Sequence[str], number: int, starts: Sequence[int]) -> bool:
    """Whether the lines before a restart, up to its heading, change an environment file, and none starts anew."""
    above = bisect.bisect_left(starts, number)
    first = starts[above - 1] if above else 0
    before = [line[:_LIMIT] for line in lines[max(first, number - 9) : number]]
    after = [line[:_LIMIT] for line in lines[number : number + 2]]
    edited = any(_ENV.search(line) and _EDITS.search(line) for line in before)
    return edited and not any(map(_ANEW.search, (*before, *after)))


def _empty(lines: Sequence[str], headings: Sequence[Heading]) -> Iterator[Mention]:
    """The headings under which nothing stands, neither text nor a heading below them."""
    for heading, after in zip(headings, (*headings[1:], None), strict=False):
        if heading.level < 2 or (after and after.level > heading.level):
            continue
        end = after.location.line - 1 if after else len(lines)
        body = lines[heading.location.line : end]
        if not any(line.strip(" -=~_*\t") for line in body):
            yield Mention("open", heading.text, heading.location)


class _Table(Struct):
    """Follows the tables of a document by the heads of their columns."""

    before: str = ""
    head: tuple[str, ...] = ()

    @property
    def has_versions(self) -> bool:
        """Whether a column is headed by the word version."""
        return any(map(_VERSIONS.search, self.head))

    def row(self, line: str) -> Iterator[tuple[str, str]]:
        """What a row mentions: the alert in its first cell, or the port of the program in its first cell."""
        if "|" not in line:
            self.head = ()
        elif _RULE.fullmatch(line.strip()):
            self.head = tuple(_cells(self.before))
        elif self.head:
            yield from self._said(_cells(line))
        self.before = line

    def _said(self, cells: list[str]) -> Iterator[tuple[str, str]]:
        if _ALERTS.fullmatch(self.head[0]) and _CAMEL.fullmatch(cells[0]):
            yield "alert", cells[0]
        if _SETTINGS.fullmatch(self.head[0]) and _IN_CAPITALS.fullmatch(cells[0]):
            yield "setting", cells[0]
        for name, cell in zip(self.head, cells, strict=False):
            if _PORTS.fullmatch(name) and cell.isdecimal() and _NAME.fullmatch(cells[0]):
                yield "port", f"{cells[0]} {cell}"


def _cells(line: str) -> list[str]:
    return [cell.strip(" `*_") for cell in line.strip().strip("|").split("|")]


_CALL = regex(r"(?:make|npm run|docker[ -]compose) \S")
_NOT_NOW = regex(
    r"\b(?:no longer|not|never|was|were|used to|removed?|renamed|deprecated|replaced?|instead|there is no|todo|planned|"
    r"later|future|would|could|should|if|add(?:ed|s|ing)?|new|e\.g\.|like|such as|example)\b|[✗❌~]",
    re.I,
)
"""What lets a sentence speak of a command that isn't there, or isn't any more."""
_OF_OTHER_TIMES = regex(
    r"changelog|changes|history|release|migrat|upgrad|adr|decision|todo|roadmap|plan|proposal|spec|rfc", re.I
)


def calls(place: Location, codes: list[str], line: str) -> Iterator[Mention]:
    """The calls of make, npm and Compose in the code of a sentence or a table (`` | `make bench` | … | ``)."""
    found = [code.strip() for code in codes if _CALL.match(code.strip())]
    if found and not _NOT_NOW.search(line) and not _OF_OTHER_TIMES.search(place.file):
        yield from (Mention("inline", code, place) for code in found)
