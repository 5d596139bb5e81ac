"""Passwords that stand in shell scripts: given to `sshpass`, or random ones that a variable takes by default.

What a person made up for a test reads as words; such a value is silent here. Source: the manual of sshpass, and
https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.configuration import OF_SCRIPT, CommittedSecret
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.redaction import Value, Vault, is_credential_name
from auditlib.source import Source

_SCRIPTS = ("*.sh", "*.bash", "*.zsh", "*.ksh")
_DOCUMENTS = (".md", ".rst", ".txt", ".adoc")
_VALUE = r"(?P<value>[^\s\"'`$\\{}()<>|;&*]{6,64})"
_DEFAULT = regex(
    rf"(?:\b(?P<name>[A-Za-z_]\w*)=[\"']?)?\$\{{(?P<variable>\w+):?[-=](?P<quote>[\"']?){_VALUE}(?P=quote)\}}"
)
"""`SERVER_PASS="${SERVER_PASS:-…}"`, `PASSWORD=${1:-…}`"""
_ASSIGNED = regex(
    rf"^[ \t]*(?:(?:export|readonly|local|declare)[ \t]+)?(?P<name>[A-Za-z_]\w*)=(?P<quote>[\"']?){_VALUE}(?P=quote)"
    r"[ \t]*(?:;.*|#.*)?$",
    re.M,
)
_TYPED = regex(rf"\bsshpass[ \t]+-p[ \t]*(?P<quote>[\"']?){_VALUE}(?P=quote)(?=\s)")
_LOGS_IN = regex(r"\bsshpass[ \t]+-p[ \t]*[\"'\\]{0,3}\$\{?(\w+)")
_INVENTED = regex(r"example|sample|dummy|placeholder|redacted|replace|change|your|todo|fake|xxx|0{4}|1234|abcd", re.I)
_WORDS = regex(r"[A-Za-z][a-z]{4,}|[A-Z]{5,}")
"""What a person can read; random characters hardly make five letters of one case in a row."""
_URL = regex(r"[/:@.]")


def read(source: Source) -> Reading:
    """The passwords of every script, and the places of documents that tell the same. It reports no coverage."""
    reading = Reading()
    told: dict[str, Value] = {}
    for path in source.matching(*_SCRIPTS):
        for item, text in _of_script(source, path, source.glance(path)):
            reading.records.append(item)
            told[text] = item.value
    for path in source.files if told else ():
        if path.lower().endswith(_DOCUMENTS):
            reading.records += _repeated(path, source.glance(path), told)
    return reading


def _of_script(source: Source, path: str, text: str) -> Iterator[tuple[CommittedSecret, str]]:
    users = set(_LOGS_IN.findall(text))
    for pattern in (_DEFAULT, _ASSIGNED, _TYPED):
        for match in pattern.finditer(text):
            typed, groups = pattern is _TYPED, match.groupdict()
            names = {groups.get("name") or "", groups.get("variable") or ""} - {""}
            known = (item for item in sorted(names) if item in users or is_credential_name(item))
            name = "SSHPASS" if typed else next(known, "")
            if name and _is_real(match["value"], logs_in=typed or not names.isdisjoint(users)):
                value = source.vault.value("password", match["value"])
                place = _place(path, text, match.start("value"))
                yield CommittedSecret(OF_SCRIPT, value, place, _is_comment(text, match.start()), name), match["value"]


def is_random(text: str) -> bool:
    """Whether a value is what nobody would make up for a test."""
    return _is_real(text, logs_in=False)


def _is_real(text: str, *, logs_in: bool) -> bool:
    """Whether a value opens something: what logs in to a host, or what nobody would make up for a test."""
    value = Vault().value("password", text)  # one of its own, as what is none mustn't be hidden elsewhere
    if not value.secret or value.weak or value.placeholder or _INVENTED.search(text):
        return False
    kinds = (any(map(str.islower, text)), any(map(str.isupper, text)), any(map(str.isdigit, text)))
    random = value.generated or (len(text) >= 10 and all(kinds) and not _WORDS.search(text) and not _URL.search(text))
    return logs_in or random


def _repeated(path: str, text: str, told: dict[str, Value]) -> Iterator[CommittedSecret]:
    for word, value in told.items():
        for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
            yield CommittedSecret(OF_SCRIPT, value, _place(path, text, match.start()))


def _place(path: str, text: str, start: int) -> Location:
    return Location(path, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))


def _is_comment(text: str, start: int) -> bool:
    return text[text.rfind("\n", 0, start) + 1 :].lstrip().startswith("#")
