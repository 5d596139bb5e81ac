"""What a host is to start by itself: lines for cron and units of systemd, in files, documents and scripts.

Follows https://man7.org/linux/man-pages/man5/crontab.5.html and
https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.delivery import Pair
from auditlib.inventory.schedules import CronLine, Unit
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_TABLES = ("*crontab", "crontab.*", "**/crontabs/**", "**/cron.d/**", "*.cron")
_UNITS = (".service", ".timer", ".socket")
_TEXTS = {".md": "document", ".sh": "script", ".bash": "script"}
_LINE_LIMIT = 1_000
_MOST = 100
_FIELD = r"(?:\*|\d{1,2})(?:[-/,][\d*/,-]{1,20})?"
_NAME = rf"(?:{_FIELD}|[A-Za-z]{{3}}(?:[-,][A-Za-z]{{3}}){{0,6}})"
_CRON = regex(
    r"(?P<lead>\s*(?:#\s*(?:.{0,80}?\b[Cc]ron\w{0,3}:\s*)?|.{0,80}?\becho\s+[\"'])?)"
    rf"(?P<schedule>{_FIELD}[ \t]+{_FIELD}[ \t]+{_FIELD}[ \t]+{_NAME}[ \t]+{_NAME}|"
    r"@(?:hourly|daily|weekly|monthly|midnight))"
    r"[ \t]+(?P<rest>[/~.$(\"'A-Za-z\[{<].*)$"
)
_SHELL = regex(r"\s*SHELL=(?P<shell>\S+)")
_PROGRAMS = frozenset({
    "docker", "docker-compose", "bash", "sh", "cd", "python", "python3", "certbot", "find", "curl", "wget", "pg_dump",
    "restic", "rsync", "flock", "test", "echo", "export", "tar", "cp", "mv", "rm", "php", "node", "npm", "make", "sudo",
    "nice", "ionice", "source", "timeout", "env", "systemctl", "mysqldump", "mongodump", "gzip", "aws", "rclone",
    "borg", "chronic", "logger", "su", "service", "sleep", "command", "run-parts", "git", "podman", "kubectl",
})  # fmt: skip
_USER = regex(
    r"(?P<user>[a-z_][a-z0-9_-]{0,30})[ \t]+"
    r"(?P<command>[/~.$(\[]\S.*|(?:cd|docker|bash|sh|test|flock|python3?)[ \t].*)$"
)
_SECTION = regex(r"\s*\[(?P<name>Unit|Service|Install|Timer|Socket)\]\s*$")
_SETTING = regex(r"\s*(?P<name>[A-Z][A-Za-z]{1,60})\s*=[ \t]*(?P<value>.*)$")
_UNIT_NAME = regex(r"(?P<name>[\w@.-]{1,80}\.(?:service|timer))\b")
_NEAR = 8


def read(source: Source) -> Reading:
    """A CronLine for each line that cron is to read, a Unit for each unit. Others tell how far files are read."""
    records: list[CronLine | Unit] = []
    tables = [file for file in source.matching(*_TABLES) if posixpath.splitext(file)[1].lower() not in _TEXTS]
    for file in tables:
        records += _cron_lines(source, file, "file", source.glance(file))
    for file in source.files:
        ending = posixpath.splitext(file)[1].lower()
        if ending in _UNITS:
            records += _units(source, file, "file", source.glance(file))
        elif ending in _TEXTS:
            text = source.glance(file)
            if " * " in text or "@daily" in text or "@hourly" in text or "@weekly" in text:
                records += _cron_lines(source, file, _TEXTS[ending], text)
            if "[Service]" in text or "[Timer]" in text:
                records += _units(source, file, _TEXTS[ending], text)
    return Reading(list(records))


def _cron_lines(source: Source, file: str, kind: str, text: str) -> Iterator[CronLine]:
    shell, found = "", 0
    for number, whole in enumerate(text.splitlines(), start=1):
        line = whole[:_LINE_LIMIT]
        if setting := _SHELL.match(line):
            shell = setting["shell"]
        match = _CRON.match(line) if "*" in line or "@" in line else None
        if match is None or found == _MOST:
            continue
        is_comment = match["lead"].lstrip().startswith("#")
        if is_comment and kind != "script":
            continue
        found += 1
        yield _cron_line(source, match, "comment" if is_comment else kind, Location(file, number), shell)


def _cron_line(source: Source, match: re.Match[str], kind: str, place: Location, shell: str) -> CronLine:
    rest = match["rest"].rstrip()
    if match["lead"].rstrip().endswith(('"', "'")):
        rest = rest.partition(f"{match['lead'].rstrip()[-1]}")[0]
    named = _USER.match(rest)
    user = named["user"] if named and named["user"] not in _PROGRAMS else ""
    command = named["command"] if named and user else rest
    return CronLine(" ".join(match["schedule"].split()), source.vault.mask(command), user, kind, place, shell)


def _units(source: Source, file: str, kind: str, text: str) -> Iterator[Unit]:
    """The units of a text: from a line that opens a section to one that is none of a unit's."""
    lines = [line[:_LINE_LIMIT] for line in text.splitlines()]
    settings: list[Pair] = []
    section, first = "", 0
    value, name, began = "", "", 0
    for number, line in enumerate([*lines, "```"], start=1):
        if began:
            value = f"{value[:_LINE_LIMIT].rstrip().removesuffix(chr(92)).rstrip()} {line.strip()}"
            if not line.rstrip().endswith("\\"):
                settings.append(Pair(name, source.vault.mask(value), Location(file, began)))
                began = 0
            continue
        if opened := _SECTION.match(line):
            first = first or number
            section = opened["name"]
        elif section and (found := _SETTING.match(line)):
            name, value = f"{section}.{found['name']}", found["value"].rstrip()
            if value.endswith("\\"):
                began = number
            else:
                settings.append(Pair(name, source.vault.mask(value), Location(file, number)))
        elif first and line.strip() and not line.lstrip().startswith(("#", ";")):
            if settings:
                yield Unit(_unit_name(file, kind, lines, first), kind, tuple(settings), Location(file, first))
            settings, section, first = [], "", 0


def _unit_name(file: str, kind: str, lines: list[str], first: int) -> str:
    if kind == "file":
        return posixpath.basename(file)
    near = reversed(lines[max(0, first - _NEAR) : first])
    return next((match["name"] for line in near if (match := _UNIT_NAME.search(line))), "")
