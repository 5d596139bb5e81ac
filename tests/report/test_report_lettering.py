"""Names stay in their boxes, stay different, and are there in full for who asks."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from auditlib.report import measuring
from auditlib.report.charts import layered, matrix

LONG = "WIDE_CAPITALS_" * 4 + "NAME"


@pytest.mark.parametrize("name", [LONG, "i" * 90, "数据库" * 30, "W" * 500])
@pytest.mark.parametrize("bold", [False, True])
def test_a_name_is_no_wider_than_its_room(name: str, bold: bool) -> None:
    shown = measuring.fitted(name, 200, bold=bold)

    assert measuring.width(shown, bold=bold) <= 200
    assert (shown[0], shown[-1]) == (name[0], name[-1])


def test_a_name_that_fits_stays_and_control_characters_are_spaces() -> None:
    assert measuring.fitted("a\x1bb", 200) == "a b"


def test_long_names_stay_different_and_are_told_in_full() -> None:
    names = [f"{LONG}_{end}" for end in ("ONE", "<TWO>")]
    boxes = [layered.Box(name, column, name) for column, name in enumerate(names)]
    root = ElementTree.fromstring(layered.draw(boxes, [layered.Link(*names)]).svg("two boxes"))
    shown = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    told = {title.text for title in root.iterfind(".//*[@data-part]/{*}title")}

    assert len(shown) == 2
    assert all(text and "…" in text for text in shown)
    assert told == set(names)


def test_a_long_name_ends_before_the_first_column() -> None:
    name = "FIRST_SUPERUSER_PASSWORD"
    svg = matrix.draw([name], ["Compose"], {(0, 0): matrix.Mark("dot", "good")}).svg("one row")
    ground = re.search(r'<path d="M ([\d.]+) [\d.]+ L', svg.partition("</g>")[0])

    assert ground
    assert 2 + measuring.width(name) < float(ground[1])
