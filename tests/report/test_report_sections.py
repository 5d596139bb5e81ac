"""Every section shows something or says why not, escapes what comes from a repository, and is the same every time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from handmade import MakeAudit, finding, place, service

from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.excerpts import Excerpt
from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.inventory.delivery import Job, Script, Workflow
from auditlib.inventory.stack import Port
from auditlib.model import Related, Severity
from auditlib.report import sections
from auditlib.report.blocks import PAGE_MIME
from auditlib.report.loading import reject_unknown_parameters

NAMES = [name for name in sections.__all__ if name not in ("load", "table")]
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>`|*_$x$"


def shown(audit: Audit, name: str) -> dict[str, str]:
    return getattr(sections, name)(audit)._repr_mimebundle_()


@pytest.fixture
def hostile(make_audit: MakeAudit) -> Audit:
    """An audit in which everything that a repository names is markup."""
    port = Port(HOSTILE, HOSTILE, "", HOSTILE, place())
    job = Job(
        HOSTILE, HOSTILE, HOSTILE, (), HOSTILE, (), (), (), "", HOSTILE, HOSTILE, False, "", (), place()
    )  # fmt: skip
    return make_audit(
        [
            service(HOSTILE, ports=(port,), image=HOSTILE, profiles=(HOSTILE,)),
            service("other", [HOSTILE]),
            Workflow(HOSTILE, HOSTILE, (), (), (job,), (), place()),
            Script(HOSTILE, "bash", HOSTILE, True, (), place()),
            EnvironmentBranch(HOSTILE, (HOSTILE,), (HOSTILE,), place()),
        ],
        [finding(HOSTILE, title=HOSTILE, message=HOSTILE, recommendation=HOSTILE, fingerprint=HOSTILE)],
        name=HOSTILE,
    )


class Elements(HTMLParser):
    """The names of the elements and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_repository_gets_a_sentence(make_audit: MakeAudit, name: str) -> None:
    bundle = shown(make_audit(), name)

    assert re.search(r"[a-z]{2,}", bundle["text/plain"])
    assert bundle[PAGE_MIME].count("<div") == bundle[PAGE_MIME].count("</div>")


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_markup_stay_text(hostile: Audit, name: str) -> None:
    bundle = shown(hostile, name)

    for mime in ("text/html", PAGE_MIME):
        elements = Elements(bundle[mime])
        assert not {"script", "iframe", "object", "link"} & set(elements.tags)
        assert not [attribute for attribute in elements.attributes if attribute.startswith("on")]
    assert "<script>" not in bundle["text/markdown"].replace("\\<", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_audit_gives_the_same_bytes(shop: Audit, name: str) -> None:
    assert shown(shop, name) == shown(shop, name)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_say_in_words_what_is_to_be_seen(shop: Audit, name: str) -> None:
    for picture in re.findall(r"<svg[^>]*>.{0,200}", shown(shop, name)[PAGE_MIME], re.S):
        assert re.search(r'role="img" aria-label="[^"]{15,}"', picture)
        assert "<title>" in picture


def test_a_map_names_each_service_and_what_its_box_means(shop: Audit) -> None:
    page = shown(shop, "service_map")[PAGE_MIME]

    assert all(f">{name}</text>" in page for name in ("db", "api", "e2e", "health checked", "not known"))
    assert "stroke-dasharray" in page  # e2e starts with a profile only


def test_a_map_of_many_services_shows_groups(make_audit: MakeAudit) -> None:
    services = [service("db"), *(service(f"worker-{number}", ["db"]) for number in range(60))]
    page = shown(make_audit(services), "service_map")[PAGE_MIME]

    assert ">60 services</text>" in page
    assert page.count("worker-") < 200  # in the table, not as sixty boxes


def test_a_map_of_forty_services_has_no_two_boxes_in_one_place(make_audit: MakeAudit) -> None:
    services = [service(f"s{number}", [f"s{number // 3}"] if number else []) for number in range(40)]
    svg = re.search(r"<svg.*?</svg>", shown(make_audit(services), "service_map")[PAGE_MIME], re.S)
    assert svg
    places = re.findall(r'x="([\d.]+)" y="([\d.]+)">s\d+</text>', svg[0])

    assert len(places) == len(set(places)) == 40


def test_a_circle_of_dependencies_is_drawn_too(make_audit: MakeAudit) -> None:
    page = shown(make_audit([service("a", ["b"]), service("b", ["a"])]), "service_map")[PAGE_MIME]

    assert ">a</text>" in page
    assert ">b</text>" in page


def test_a_finding_opens_to_its_lines_its_remedy_and_what_else_is_involved(shop: Audit) -> None:
    page = shown(shop, "findings")[PAGE_MIME]

    assert '<mark data-line="2">  api:' in page
    assert "mend it" in page
    assert "here too" in page
    assert 'id="finding-first-1"' in page


def test_the_first_step_is_shown_as_an_edit_of_the_lines_at_fault(make_audit: MakeAudit) -> None:
    changed = finding(change=("api:", "<b>shop</b>:"))
    page = shown(make_audit(findings=[changed]), "findings")[PAGE_MIME]

    assert "<del>  api:</del><ins>  &lt;b&gt;shop&lt;/b&gt;:</ins>" in page


def test_an_edit_is_shown_at_every_place_that_has_the_fault_in_the_same_words(make_audit: MakeAudit) -> None:
    related = (
        Related(place(5), "too", member=True),
        Related(place(8), "other words", member=True),
        Related(place(9), ""),
        Related(place(10), "changes in another way", member=True, change=("e", "f")),
    )
    audit = make_audit(findings=[finding(change=("old", "new"), related=related)])
    texts = {2: "a: old", 5: "b: old", 8: "c: else", 9: "d: old", 10: "e"}
    lines = {place(number): Excerpt("compose.yaml", ((number, text, True),)) for number, text in texts.items()}
    page = "".join(shown(replace(audit, excerpts=lines), "findings")[PAGE_MIME].splitlines())

    assert '<span class="at">compose.yaml:2</span><del>a: old</del><ins>a: new</ins>' in page
    assert '<span class="at">compose.yaml:5</span><del>b: old</del><ins>b: new</ins>' in page
    assert '<span class="at">compose.yaml:10</span><del>e</del><ins>f</ins>' in page
    assert page.count("<del>") == 3


def test_what_all_places_of_a_finding_say_stands_once(make_audit: MakeAudit) -> None:
    said = "The file system is writable."
    related = (Related(place(3), f"redis: {said}"), Related(place(4), said), Related(place(5), "redis: another"))
    page = shown(make_audit(findings=[finding(message=f"In 4 places: {said}", related=related)]), "findings")[PAGE_MIME]

    assert page.count(said) == 1
    assert all(f"</code> {rest}<" in page for rest in ("redis", "the same here", "redis: another"))


def test_what_a_mapping_lacks_is_shown_below_its_key_in_the_depth_of_its_members(make_audit: MakeAudit) -> None:
    audit = make_audit(findings=[finding(change=("", "restart: always\nlogging:\n  driver: local"))])
    lines = ((2, "  api:", True), (3, "", False), (4, "      image: app", False))
    shown_lines = {item.location: Excerpt("compose.yaml", lines) for item in audit.findings}
    page = shown(replace(audit, excerpts=shown_lines), "findings")[PAGE_MIME]

    added = ("      restart: always", "      logging:", "        driver: local")
    assert f"<span>  api:</span>{''.join(f'<ins>{line}</ins>' for line in added)}" in "".join(page.splitlines())


@pytest.mark.parametrize("line", ["  api: {image: app}", "  api: *usual", '  - "api:', "  # api:"])
def test_nothing_is_shown_below_a_line_that_no_mapping_begins_at(make_audit: MakeAudit, line: str) -> None:
    audit = make_audit(findings=[finding(change=("", "restart: always"))])
    lines = ((2, line, True), (3, "      image: app", False))
    shown_lines = {item.location: Excerpt("compose.yaml", lines) for item in audit.findings}

    assert "<ins>" not in shown(replace(audit, excerpts=shown_lines), "findings")[PAGE_MIME]


def test_a_scanners_finding_says_why_it_matters_and_a_better_way(make_audit: MakeAudit) -> None:
    page = shown(make_audit(findings=[finding("zizmor/artipacked", source="zizmor")]), "findings")[PAGE_MIME]

    assert "leaves its token on the runner" in page
    assert "persist-credentials: false" in page


def test_an_edit_of_other_lines_is_not_shown(make_audit: MakeAudit) -> None:
    page = shown(make_audit(findings=[finding(change=("services:", "elsewhere:"))]), "findings")[PAGE_MIME]

    assert "<del>" not in page


def test_findings_of_an_area_leave_the_others_out(shop: Audit) -> None:
    page = sections.findings(shop, "cicd")._repr_mimebundle_()[PAGE_MIME]

    assert "second" in page
    assert "The fault first" not in page
    with pytest.raises(UsageError, match="the areas are orchestration"):
        sections.findings(shop, "weather")


def test_a_map_of_a_chain_of_hundreds_shows_how_it_begins(make_audit: MakeAudit) -> None:
    chain = [service(f"s{number}", [f"s{number - 1}"] if number else []) for number in range(300)]
    page = shown(make_audit(chain), "service_map")[PAGE_MIME]

    assert "The first 80 of 300 groups are drawn." in page
    assert ">Step 80</text>" in page
    assert ">Step 81</text>" not in page


def test_of_thousands_of_rows_the_first_are_shown_and_the_rest_is_counted(make_audit: MakeAudit) -> None:
    audit = make_audit([service(f"service{number}", ["db"]) for number in range(1_000)])
    forms = shown(audit, "service_map")

    assert forms["text/plain"].count("db (healthy)") == 200
    assert "The first 200 of 1000 rows." in forms[PAGE_MIME]
    assert "The first 200 of 1000 rows." in forms["text/markdown"]


def test_of_a_thousand_places_of_one_fault_the_first_hundred_are_shown_with_their_lines(
    make_audit: MakeAudit,
) -> None:
    found = [finding(message=f"Place {number}", fingerprint=f"print{number}") for number in range(1_000)]
    page = shown(make_audit(findings=found), "findings")[PAGE_MIME]

    assert page.count("mend it") == page.count("<figure") == 100
    assert page.count('<details class="finding"') == 1_000
    assert "992 more places, 900 of them in brief" in page
    assert "<code>print999</code>" in page


def test_a_table_that_does_not_exist_is_named(shop: Audit) -> None:
    with pytest.raises(UsageError, match="no table 'servces'"):
        sections.table(shop, "servces")


@pytest.mark.parametrize("severity", list(Severity))
def test_a_severity_is_a_word_and_not_a_colour_alone(make_audit: MakeAudit, severity: Severity) -> None:
    page = shown(make_audit(findings=[finding(severity=severity)]), "findings")[PAGE_MIME]

    assert f'<span class="chip chip-{severity}">{severity}</span>' in page


def test_parameters_that_a_notebook_does_not_have_are_an_error() -> None:
    reject_unknown_parameters(["project = None", '# Parameters\nproject = "x"\n'], ["project", "snapshot"])
    with pytest.raises(UsageError, match="no parameter 'projct'; the notebook's parameters are project, snapshot"):
        reject_unknown_parameters(['# Parameters\nprojct = "x"\n'], ["project", "snapshot"])
