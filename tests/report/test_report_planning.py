"""Backlog, verdict and confidence follow from findings and coverage alone, by written rules."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from handmade import MakeAudit, finding, place

from auditlib import backlog, confidence, verdict
from auditlib.inventory.merging import Problem
from auditlib.model import Area, Confidence, Coverage, Effort, Finding, Location, Read, Related, Severity, Status
from auditlib.report import sections
from auditlib.report.blocks import Picture


def test_an_item_closes_all_findings_of_its_rule() -> None:
    items = backlog.derive([finding("a", fingerprint="1"), finding("b"), finding("a", fingerprint="2")])

    assert [(item.rule, item.findings) for item in items] == [("a", ("1", "2")), ("b", ("b-1",))]


def test_much_risk_for_little_effort_comes_first() -> None:
    items = backlog.derive(
        [
            finding("dear", Severity.CRITICAL, effort=Effort.LARGE),
            finding("cheap", Severity.HIGH, effort=Effort.SMALL),
            finding("small", Severity.LOW, effort=Effort.SMALL),
        ]
    )

    assert [(item.rank, item.rule) for item in items] == [(1, "cheap"), (2, "dear"), (3, "small")]


def test_of_equals_what_joins_files_comes_before_what_a_scanner_sees_in_one() -> None:
    items = backlog.derive([finding("compose-lint/CL-0002", Severity.HIGH), finding("scrape", Severity.HIGH)])

    assert [item.rule for item in items] == ["scrape", "compose-lint/CL-0002"]


def test_info_and_what_an_owner_has_decided_is_no_work() -> None:
    assert backlog.derive([finding(severity=Severity.INFO), finding(status=Status.SUPPRESSED)]) == ()


@pytest.mark.parametrize(("area", "theme"), list(backlog.THEMES.items()))
def test_every_area_has_a_theme(area: Area, theme: str) -> None:
    (item,) = backlog.derive([finding(area=area)])

    assert item.theme == theme
    assert item.first_step == "mend it."


def told(*found: Finding) -> str:
    (item,) = backlog.derive(found)
    return item.first_step


SIDE = Location("compose.side.yml", 3)
LINTED = "compose-lint/CL-0002"
ALSO = (Related(Location("z.yml"), "", member=True),)
STEPS = {
    "names what else it closes": (
        [finding(subjects=(name,), fingerprint=name) for name in ("A_KEY", "B_KEY", "C_KEY")],
        "mend it; then B_KEY and C_KEY.",
    ),
    "as far as there is room": (
        [finding(subjects=(f"KEY_{number}" * 8,), fingerprint=str(number)) for number in range(9)],
        f"mend it; then {'KEY_1' * 8}, {'KEY_2' * 8}, {'KEY_3' * 8} and 5 more.",
    ),
    "begins with the worst": (
        [finding(recommendation="paint it."), finding(severity=Severity.CRITICAL, fingerprint="b")],
        "mend it; then 1 more place.",
    ),
    "begins in the main file": (
        [finding(location=SIDE, recommendation="paint it."), finding(fingerprint="b")],
        "mend it; then compose.side.yml.",
    ),
    "begins where production is": (
        [finding(location=Location("compose.override.yml")), finding(fingerprint="b", location=SIDE)],
        "mend it; then compose.override.yml.",
    ),
    "leaves what follows the instruction to the details": (
        [finding(recommendation="mend it. Or paint it.")],
        "mend it.",
    ),
    "says where a scanner's advice holds": (
        [
            finding(LINTED, location=SIDE, subjects=("a",)),
            finding(LINTED, subjects=("b", "a"), fingerprint="b", related=ALSO),
        ],
        "mend it (b and a in compose.yaml, compose.side.yml and z.yml).",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("found", "step"), STEPS.values(), ids=STEPS)
def test_the_first_step(found: list[Finding], step: str) -> None:
    assert told(*found) == step


def test_what_each_finding_asks_for_is_in_the_details() -> None:
    (item,) = backlog.derive([finding(location=SIDE, recommendation="A. B."), finding(fingerprint="b")])

    assert list(zip(map(str, item.places), item.steps, strict=True)) == [
        ("compose.yaml:2", "mend it"), ("compose.side.yml:3", "A. B."),
    ]  # fmt: skip


LONG = "A credential has a value in the file, so that everybody who can read the repository knows it"
REASONS = {
    "the worst": (
        [finding(severity=Severity.CRITICAL), finding("b"), finding("c")],
        "The fault a-rule: 1 critical and 2 high findings stand against it.",
    ),
    "the two worst and the others": (
        [finding(name, Severity.CRITICAL) for name in "abcd"] + [finding("low", Severity.LOW)],
        "The fault a; The fault b; and 2 more: 4 critical findings stand against it.",
    ),
    "two of one rule": (
        [finding("b", Severity.CRITICAL), *(finding("a", Severity.CRITICAL, fingerprint=name) for name in "xy")],
        "The fault a; The fault b: 3 critical findings stand against it.",
    ),
    "words that are too many": (
        [finding(name, Severity.CRITICAL, title=f"{LONG} {name}.") for name in "ab"],
        f"{LONG} a; and 1 more: 2 critical findings stand against it.",
    ),
    "an area below the floor": (
        [finding(str(number)) for number in range(9)] + [finding("low", Severity.LOW)],
        "Container orchestration has 9 of 100 points (10 findings); in all, 9 high findings stand against it.",
    ),
    "two areas below the floor, by low findings": (
        [finding(str(n), Severity.LOW, area=area) for n in range(72) for area in (Area.CICD, Area.RESILIENCE)],
        "CI/CD & testing has 9 of 100 points (72 findings) and Resilience 9 (72); in all, 144 low findings stand "
        "against it.",
    ),
    "a critical finding in an area below the floor": (
        [finding(severity=Severity.CRITICAL)] + [finding(str(number)) for number in range(9)],
        "The fault a-rule: 1 critical and 9 high findings stand against it.",
    ),
    "a weak area": (
        [finding(str(number)) for number in range(3)] + [finding("else", Severity.MEDIUM, area=Area.CICD)],
        "Container orchestration has 45 of 100 points (3 findings); in all, 3 high and 1 medium findings have to be "
        "dealt with.",
    ),
    "every area weak": (
        [finding(f"{area}{n}", area=area) for rank, area in enumerate(Area) for n in range(3 + rank % 3)],
        "Monitoring & logging has 26 of 100 points (5 findings), Configuration & secrets 34 (4), Resilience 34 (4) "
        "and 2 more areas fewer than 50; in all, 19 high findings have to be dealt with.",
    ),
    "a weak area, by low findings": (
        [finding(str(number), Severity.LOW) for number in range(24)] + [finding("note", Severity.INFO)],
        "Container orchestration has 45 of 100 points (25 findings); in all, 24 low findings have to be dealt with.",
    ),
    "conditions": (
        [finding(severity=Severity.MEDIUM), finding("low", Severity.LOW)],
        "The fault a-rule: 1 medium finding has to be dealt with.",
    ),
    "low findings": (
        [finding(severity=Severity.LOW)],
        "No finding stands against it; 1 of low severity is no condition.",
    ),
    "nothing": ([], "No finding stands against it."),
}  # fmt: skip


@pytest.mark.parametrize(("findings", "reason"), REASONS.values(), ids=REASONS)
def test_the_verdict_says_what_decides(findings: list[Finding], reason: str) -> None:
    assert verdict.judge(findings).reason == reason


def test_the_verdict_is_no_while_a_critical_finding_is_open() -> None:
    judgement = verdict.judge([finding(severity=Severity.CRITICAL)])

    assert judgement.readiness is verdict.Readiness.NOT_READY


def test_low_findings_are_no_condition() -> None:
    assert verdict.judge([finding(severity=Severity.LOW)]).readiness is verdict.Readiness.READY
    assert verdict.judge([], dict.fromkeys(Area, "nothing there")).readiness is verdict.Readiness.NOT_KNOWN
    assert verdict.judge([], {Area.CICD: "nothing there"}).readiness is verdict.Readiness.READY
    assert verdict.judge([finding(severity=Severity.MEDIUM)]).readiness is verdict.Readiness.CONDITIONS
    assert verdict.judge([finding(str(n)) for n in range(9)]).readiness is verdict.Readiness.NOT_READY


def test_fixing_never_lowers_a_score_and_every_point_is_traced() -> None:
    findings = [finding(str(number), severity) for number, severity in enumerate(list(Severity) * 3)]
    before = 0
    while findings:
        score = next(score for score in verdict.judge(findings).scores if score.area is Area.ORCHESTRATION)
        assert score.points >= before
        assert sum(cost.points for cost in score.costs) == pytest.approx(100 - score.points, abs=0.5)
        before = score.points
        findings.pop()
    assert all(score.points == 100 for score in verdict.judge([]).scores)


def test_confidence_is_high_when_all_was_read_and_resolved(make_audit: MakeAudit) -> None:
    audit = make_audit()

    assert confidence.assess(audit.inventory, audit.coverage).level is Confidence.HIGH


@pytest.mark.parametrize(
    ("statuses", "level"),
    [
        ([Read.PARSED] * 9 + [Read.PARTIAL], Confidence.MEDIUM),
        ([Read.PARSED] * 9 + [Read.FAILED], Confidence.MEDIUM),
        ([Read.PARSED] * 3 + [Read.FAILED], Confidence.LOW),
        ([Read.SKIPPED], Confidence.LOW),
        ([], Confidence.LOW),
    ],
)
def test_confidence_falls_with_what_was_not_read(
    make_audit: MakeAudit, statuses: list[Read], level: Confidence
) -> None:
    coverage = [Coverage(f"file{number}", "compose", status, "why") for number, status in enumerate(statuses)]

    assert confidence.assess(make_audit().inventory, coverage).level is level


def test_confidence_names_what_could_not_be_resolved(make_audit: MakeAudit) -> None:
    audit = make_audit([Problem("compose.yaml", "error", "no such service", place(7))])
    assessment = confidence.assess(audit.inventory, audit.coverage)

    assert assessment.level is Confidence.MEDIUM
    assert any("compose.yaml:7" in reason for reason in assessment.reasons)


def test_a_rule_that_failed_makes_the_confidence_low(make_audit: MakeAudit) -> None:
    audit = make_audit()
    failure = Coverage(".", "rule x", Read.FAILED, "KeyError in the rule")

    assert confidence.assess(audit.inventory, [*audit.coverage, failure]).level is Confidence.LOW


def test_marks_of_a_long_backlog_never_touch(make_audit: MakeAudit) -> None:
    severities = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
    found = [finding(f"rule-{number}", severities[min(number // 20, 3)]) for number in range(90)]
    (picture,) = sections.risk_against_effort(make_audit(findings=found)).blocks
    assert isinstance(picture, Picture)
    marks = re.findall(r'x="([\d.]+)" y="([\d.]+)"[^>]*>\d+</text>', picture.svg)
    places = [(float(x), float(y)) for x, y in marks]

    assert len(places) == 90
    assert all(abs(a[0] - b[0]) >= 20 or abs(a[1] - b[1]) >= 20 for a, b in itertools.combinations(places, 2))


def test_a_file_that_two_readers_read_counts_once_and_the_rest_is_left_out(make_audit: MakeAudit) -> None:
    audit = make_audit()
    inventory = replace(audit.inventory, files=("compose.yaml", "logo.svg"))
    coverage = (
        Coverage("compose.yaml", "compose", Read.PARSED),
        Coverage("compose.yaml", "document", Read.PARTIAL, "half"),
        Coverage(".", "scanner promtool", Read.SKIPPED, "promtool is not installed"),
    )
    assessment = confidence.assess(inventory, coverage)

    assert {status: number for status, number in assessment.counts if number} == {Read.PARTIAL: 1, Read.SKIPPED: 1}
    assert "Read in full: 0 of 1 file." in assessment.reasons
    assert "Left out: 1 file with nothing that the audit reads." in assessment.reasons
    assert "Scanners that did not run: promtool." in assessment.reasons
