"""Where an area's points went: rules with their points, which add up to what the area lost."""

from __future__ import annotations

import pytest
from handmade import MakeAudit, finding

from auditlib import verdict
from auditlib.audit import Audit
from auditlib.model import Area, Severity
from auditlib.report import sections
from auditlib.report.blocks import PAGE_MIME, Prose, Table
from auditlib.report.sections.scoring import losses


def test_what_an_area_lost_adds_up_to_what_its_score_lacks(make_audit: MakeAudit) -> None:
    audit = make_audit(findings=[finding(f"rule-{number}", Severity.MEDIUM) for number in range(9)])
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
