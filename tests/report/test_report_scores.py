"""Where an area's points went: rules with their points, which add up to what the area lost."""

from __future__ import annotations

import pytest
from handmade import MakeAudit, finding, place, service
from hypothesis import given
from hypothesis import strategies as st

from auditlib import history, readiness, verdict
from auditlib.audit import Audit
from auditlib.inventory import Inventory
from auditlib.inventory.code import TestSuite
from auditlib.inventory.logs import LogShipper
from auditlib.model import Area, Confidence, Finding, Severity
from auditlib.report import markdown_document, rendering, sections
from auditlib.report.blocks import PAGE_MIME, Prose, Table
from auditlib.report.sections.scoring import losses
from auditlib.report.settings import Settings


def test_what_an_area_lost_adds_up_to_what_its_score_lacks(make_audit: MakeAudit) -> None:
    audit = make_audit([service("api")], [finding(f"rule-{number}", Severity.MEDIUM) for number in range(9)])
    table = sections.score_costs(audit).blocks[1]
    score = next(score for score in verdict.scores(audit.findings) if score.area is Area.ORCHESTRATION)

    assert isinstance(table, Table)
    assert [row[3] for row in table.rows] == [1, 1, 1, 6]
    assert sum(float(str(row[1]).replace("−", "-")) for row in table.rows) == pytest.approx(score.points - 100, abs=0.6)


def test_findings_of_one_rule_are_one_loss(make_audit: MakeAudit) -> None:
    twice = [finding("known-password", Severity.CRITICAL, fingerprint=name) for name in ("one", "two")]
    audit = make_audit(findings=[*twice, finding("other", Severity.HIGH)])
    lost = losses(verdict.scores(audit.findings)[0])

    assert [(loss.worst.rule, loss.findings) for loss in lost] == [("known-password", 2), ("other", 1)]


def test_nothing_lost_is_said(make_audit: MakeAudit) -> None:
    (said,) = sections.score_costs(make_audit()).blocks

    assert isinstance(said, Prose)
    assert "100 points" in said.text


def test_the_verdict_leads_to_what_costs_most(shop: Audit) -> None:
    page = sections.verdict(shop)._repr_mimebundle_()[PAGE_MIME]

    assert '<a href="#finding-first-1">The fault first</a>' in page


@pytest.mark.parametrize(
    ("found", "said"),
    [([], "no finding"), (["note"], "1 finding, less than a point"),
     (["note", "other"], "2 findings, less than a point each")],
)  # fmt: skip
def test_an_area_without_a_loss_counts_its_findings_as_every_other_place_does(
    make_audit: MakeAudit, found: list[str], said: str
) -> None:
    notes = [finding(name, Severity.INFO, area=Area.ORCHESTRATION) for name in found]
    page = sections.verdict(make_audit([service("api")], notes))._repr_mimebundle_()[PAGE_MIME]

    assert f'</span><span class="detail">{said}</span>' in page.split("Configuration")[0]


SUITE = TestSuite("pytest", "", ("tests/test_shop.py",), place())
STACK = {Area.ORCHESTRATION, Area.CONFIGURATION, Area.RESILIENCE}
HELD = {
    "nothing": ([], (), set()),
    "a service": ([service("api")], (), STACK),
    "a test suite": ([SUITE], (), {Area.CICD}),
    "a pipeline that isn't read": ([], (".gitlab-ci.yml",), {Area.CICD}),
    "a log shipper": ([LogShipper("loki.yml", "Loki", (), (), place())], (), {Area.MONITORING}),
    "an exporter": ([service("node", image="prom/node-exporter:1")], (), {*STACK, Area.MONITORING}),
    "a keeper of traces": ([service("jaeger", image="jaegertracing/jaeger:2")], (), STACK),
    "a log driver": ([service("api", log_driver="gelf")], (), {*STACK, Area.MONITORING}),
}


@pytest.mark.parametrize(("records", "files", "known"), HELD.values(), ids=HELD)
def test_an_area_of_which_nothing_is_there_is_not_known(
    records: list[object], files: tuple[str, ...], known: set[Area]
) -> None:
    inventory = Inventory.of(records, name="shop", root="/nowhere", commit="", files=files)

    assert {*Area} - readiness.unknown_areas(inventory).keys() == known


FINDINGS = st.lists(
    st.builds(
        lambda area, severity, confidence: finding("a", severity, area=area, confidence=confidence),
        st.sampled_from(Area), st.sampled_from(Severity), st.sampled_from(Confidence),
    ),
    min_size=1, max_size=30,
)  # fmt: skip
UNKNOWN = st.dictionaries(st.sampled_from(Area), st.just("nothing of it"))
WORST_FIRST = list(verdict.Readiness)


@given(FINDINGS, UNKNOWN)
def test_fixing_never_lowers_a_score_or_worsens_the_answer(found: list[Finding], unknown: dict[Area, str]) -> None:
    before, after = verdict.judge(found, unknown), verdict.judge(found[1:], unknown)

    for old, new in zip(before.scores, after.scores, strict=True):
        assert (old.points is None) == (new.points is None) == (old.area in unknown)
        assert old.points is None or new.points is None or old.points <= new.points
    assert WORST_FIRST.index(before.readiness) <= WORST_FIRST.index(after.readiness)


@given(FINDINGS, UNKNOWN)
def test_no_verdict_stands_beside_a_score_that_belies_it(found: list[Finding], unknown: dict[Area, str]) -> None:
    judgement = verdict.judge(found, unknown)
    known = {score.area: score.points for score in judgement.scores if score.points is not None}
    weakest = min(known, key=known.__getitem__, default=Area.CICD)
    lowest = known.get(weakest, 100)

    assert (lowest < verdict.FLOOR) <= (judgement.readiness is verdict.Readiness.NOT_READY)
    assert (judgement.readiness is verdict.Readiness.READY) <= (lowest >= verdict.WEAK)
    if lowest < verdict.WEAK and judgement.readiness is verdict.Readiness.CONDITIONS:
        assert f"{weakest.title} has {lowest} of 100 points" in judgement.reason


@given(FINDINGS, UNKNOWN)
def test_findings_count_where_their_area_has_no_score(found: list[Finding], unknown: dict[Area, str]) -> None:
    worst = max(item.severity for item in found)
    readiness = verdict.judge(found, unknown).readiness

    assert (readiness is verdict.Readiness.READY) <= (worst < Severity.MEDIUM)
    assert (worst is Severity.CRITICAL) <= (readiness is verdict.Readiness.NOT_READY)


def test_an_area_without_a_score_says_why_wherever_scores_are(make_audit: MakeAudit) -> None:
    audit = make_audit([service("api")], [finding("a", area=Area.MONITORING)])
    blocks = sections.verdict(audit).blocks
    said = "no metrics, alerts, dashboards or collected logs in the repository"

    assert said in rendering.page_html(blocks)
    assert "Monitoring &amp; logging has no score" in rendering.page_html(sections.score_costs(audit).blocks)
    assert f"Monitoring & logging not known ({said})" in markdown_document.render(audit, Settings())
    run = history.run_of(audit.findings, "", unknown=audit.unknown_areas)
    assert dict(run.standing.scores)[Area.MONITORING] is None
