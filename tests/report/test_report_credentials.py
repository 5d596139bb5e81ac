"""The picture of the credentials says what its table says, and nothing more."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from auditlib import audit
from auditlib.model import Severity
from auditlib.report import sections
from auditlib.report.blocks import Picture, State

STACK = """\
services:
  caddy:
    image: caddy:2
    environment: ["ADMIN_USER_PASSWORD=${ADMIN_PASSWORD}", "ADMIN_PASSWORD_HASH=${ADMIN_PASSWORD_HASH}"]
  grafana:
    image: grafana/grafana:11.0.0
    environment: ["GF_SECURITY_ADMIN_PASSWORD=${ADMIN_PASSWORD}"]
  api:
    build: .
    environment: ["JWT_SECRET_KEY=${JWT_SECRET_KEY}", "DATABASE_URL=postgres://api:${DB_PASSWORD}@db:5432/shop"]
  db:
    image: postgres:16
    environment: ["POSTGRES_PASSWORD=${DB_PASSWORD}"]
"""


def test_the_picture_leads_each_credential_to_what_its_table_names(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(STACK, encoding="utf-8")
    (picture,) = sections.credential_flow(audit.audit(tmp_path)).blocks
    assert isinstance(picture, Picture)
    assert picture.table is not None
    named = {
        (str(row[0]), words, service)
        for row in picture.table.rows
        for words, cell in (("gets it", row[3]), ("is opened by it", row[4]))
        for service in re.findall(r"\w+", str(cell).replace(" and ", " "))
    }

    assert ("ADMIN_PASSWORD", "is opened by it", "grafana") in named
    assert drawn(picture.svg) == named


def drawn(svg: str) -> set[tuple[str, str, str]]:
    """What each path from left to right says: a name, and the name and words of what it leads to, however far."""
    words: defaultdict[str, list[str]] = defaultdict(list)
    steps: set[tuple[str, str]] = set()
    for element in ElementTree.fromstring(svg).iterfind(".//*[@data-part]"):
        kind, first, *last = element.attrib["data-part"].split("-")
        if kind == "link":
            steps.add((first, last[0]))
        words[first] += [text.text or "" for text in element.iterfind("{*}text") if kind == "box"]
    while more := {(start, end) for start, middle in steps for other, end in steps if middle == other} - steps:
        steps |= more
    return {(words[start][0], words[end][1], words[end][0]) for start, end in steps}


def test_a_credential_is_as_bad_as_the_critical_finding_on_it_says(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        'services:\n  db:\n    image: postgres:16\n    ports: ["5432:5432"]\n'
        '    environment: ["POSTGRES_PASSWORD=Kumquat-71-Fjord"]\n'
        '  api:\n    build: .\n    environment: ["DATABASE_URL=postgres://api:Kumquat-71-Fjord@db/shop"]\n'
        '  web:\n    build: .\n    environment: ["WEB_TOKEN=Sextant-38-Quill"]\n',
        encoding="utf-8",
    )
    found = audit.audit(tmp_path, scanned=False)
    critical = next(item for item in found.findings if item.severity is Severity.CRITICAL)
    (picture,) = sections.credential_flow(found).blocks
    assert isinstance(picture, Picture)
    assert picture.table
    states = {str(row[0]): row[1] for row in picture.table.rows}

    said = State("critical, as a finding says", "bad", critical.fingerprint)
    assert states == {"POSTGRES_PASSWORD": said, "DATABASE_URL": said, "WEB_TOKEN": State("value in a file", "warn")}


def test_a_credential_of_very_many_services_is_drawn_to_some_and_counts_the_rest(tmp_path: Path) -> None:
    services = "".join(
        f"  s{n}:\n    image: a/b:1\n    environment:\n      API_TOKEN: ${{API_TOKEN}}\n" for n in range(40)
    )
    (tmp_path / "compose.yaml").write_text(f"services:\n{services}", encoding="utf-8")
    [picture] = sections.credential_flow(audit.audit(tmp_path, scanned=False)).blocks

    assert "16 more services" in picture.svg
    assert len(picture.table.rows) == 1
