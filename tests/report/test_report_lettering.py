"""Names stay in their boxes, stay different, and are there in full for who asks."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from auditlib.report import measuring
from auditlib.report.charts import layered, matrix, zones

LONG = "WIDE_CAPITALS_" * 4 + "NAME"


@pytest.mark.parametrize("name", [LONG, "i" * 90, "数据库" * 30, "W" * 500])
@pytest.mark.parametrize("bold", [False, True])
def test_a_name_is_no_wider_than_its_room(name: str, bold: bool) -> None:
    shown = measuring.fitted(name, 200, bold=bold)

    assert measuring.width(shown, bold=bold) <= 200
    assert (shown[0], shown[-1]) == (name[0], name[-1])


def test_a_name_that_fits_stays_and_control_characters_are_spaces() -> None:
    assert measuring.fitted("a\x1bb", 200) == "a b"


@pytest.mark.parametrize("name", [LONG, "payment-gateway.reconciliation-worker_for-the-nordic-countries", "ö" * 60])
@pytest.mark.parametrize("bold", [False, True])
def test_a_wrapped_name_is_whole_and_no_line_is_wider_than_its_room(name: str, bold: bool) -> None:
    lines = measuring.wrapped(name, 212, 11.5, bold=bold)

    assert 1 < len(lines) <= 4
    assert "".join(lines) == name
    assert max(measuring.width(line, 11.5, bold=bold) for line in lines) <= 212


def test_a_name_is_broken_after_its_separators_and_the_last_line_is_shortened_if_it_must_be() -> None:
    assert measuring.wrapped("order-service_api.internal", 90) == ["order-service_", "api.internal"]
    assert measuring.wrapped("one two", measuring.width("one t")) == ["one", "two"]
    assert "…" in measuring.wrapped("name-" * 100, 60)[-1]
    assert measuring.wrapped("", 60) == [""]


def test_long_names_are_shown_in_lines_and_told_in_full() -> None:
    names = [f"{LONG}_{end}" for end in ("ONE", "<TWO>")]
    boxes = [layered.Box(name, column, name) for column, name in enumerate(names)]
    root = ElementTree.fromstring(layered.draw(boxes, [layered.Link(*names)]).svg("two boxes"))
    shown = "".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    told = {title.text for title in root.iterfind(".//*[@data-part]/{*}title")}

    assert shown == "".join(names)
    assert told == set(names)


def test_boxes_of_long_names_lie_apart() -> None:
    """Forty boxes, half of them with names of sixty characters, in columns and on their own."""
    names = [f"{'long-' * 11 if number % 2 else ''}name-{number}" for number in range(40)]
    boxes = [layered.Box(name, number % 6, name, ("a line",)) for number, name in enumerate(names)]
    links = [layered.Link(names[number], names[number + 1]) for number in range(29) if number % 6 < 5]
    frames = _frames(layered.draw(boxes, links).svg("forty boxes"))

    assert len(frames) == 40
    for (left, top, right, bottom), (other_left, other_top, other_right, other_bottom) in combinations(frames, 2):
        assert right < other_left or other_right < left or bottom < other_top or other_bottom < top


def test_a_legend_tells_of_the_marks_that_are_shown_and_a_cell_has_room_for_its_text() -> None:
    legend = [(matrix.Mark("dot", "good"), "healthy"), (matrix.Mark("ring", "warn"), "started")]
    marks = {(0, 0): matrix.Mark("dot", "good"), (1, 0): matrix.Mark(tone="good", text="v1.40.0-jammy")}
    svg = matrix.draw(["api", "e2e"], ["Version"], marks, legend).svg("two rows")

    assert "healthy" in svg
    assert "v1.40.0-jammy" in svg
    assert "started" not in svg


def test_names_in_zones_stay_in_their_boxes() -> None:
    names = [f"{'wm' * 28}{number:02d} :8000" for number in range(3)]
    svg = zones.draw([("Every interface", "from outside", "bad", names)]).svg("three names")
    left, _, right, _ = _frames(svg)[1]

    assert len(_frames(svg)) == 4
    assert right - left > measuring.width(names[0])


def test_slanted_headings_end_within_the_picture() -> None:
    columns = [f"{'name-' * 5}{number:02d}" for number in range(40)]
    root = ElementTree.fromstring(matrix.draw(["row"], columns, {(0, 0): matrix.Mark("dot", "good")}).svg("a row"))
    last = list(root.iter("{http://www.w3.org/2000/svg}text"))[-1]
    place = re.search(r"rotate\(\S+ ([\d.]+)", last.get("transform", ""))

    assert last.text == columns[-1]
    assert place
    assert float(place[1]) + measuring.width(columns[-1]) * 0.788 < float(root.get("width", ""))


def _frames(svg: str) -> list[tuple[float, float, float, float]]:
    """The boxes of a picture: left, top, right and bottom."""
    outlines = re.findall(r'<path d="([^"]*Q[^"]*)"', svg)
    corners = [[float(number) for number in re.findall(r"-?[\d.]+", outline)] for outline in outlines]
    return [(min(found[::2]), min(found[1::2]), max(found[::2]), max(found[1::2])) for found in corners]


def test_a_long_name_ends_before_the_first_column() -> None:
    name = "FIRST_SUPERUSER_PASSWORD"
    svg = matrix.draw([name], ["Compose"], {(0, 0): matrix.Mark("dot", "good")}).svg("one row")
    ground = re.search(r'<path d="M ([\d.]+) [\d.]+ L', svg.partition("</g>")[0])

    assert ground
    assert 2 + measuring.width(name) < float(ground[1])
