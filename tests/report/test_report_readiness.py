"""The checklist says what files can tell: met, partly, not met, or that they can't."""

from __future__ import annotations

import dataclasses

from handmade import MakeAudit, finding, place, service

from auditlib import readiness, rules
from auditlib.audit import Audit
from auditlib.inventory.stack import Healthcheck
from auditlib.model import Severity, Status
from auditlib.readiness import Answer, State

HEALTH = "The health of every service is checked"
PINNED = "Images are pinned"


def answers(audit: Audit) -> dict[str, Answer]:
    return {answer.item.title: answer for answer in readiness.judge(audit.inventory, audit.findings)}


def test_an_empty_repository_leaves_everything_open(make_audit: MakeAudit) -> None:
    audit = make_audit()
    bare = dataclasses.replace(audit, inventory=dataclasses.replace(audit.inventory, projects=(), documents=()))

    assert {answer.state for answer in answers(bare).values()} == {State.UNKNOWN}


def test_what_nothing_speaks_against_is_met_and_says_where(make_audit: MakeAudit) -> None:
    health = Healthcheck(("true",), False, False, "", "", "", "", place(4))
    answer = answers(make_audit([service("api", healthcheck=health)]))[HEALTH]

    assert answer.state is State.MET
    assert [record.location for record in answer.records] == [place(4)]


def test_a_finding_that_weakens_leaves_it_partly_met(make_audit: MakeAudit) -> None:
    answer = answers(make_audit([service("api")], [finding("image-unpinned")]))[PINNED]

    assert answer.state is State.PARTLY
    assert answer.reason == "The fault image-unpinned."


def test_a_finding_that_denies_outweighs_one_that_weakens(make_audit: MakeAudit) -> None:
    against = [finding("scrape-target-unresolved"), finding("monitoring-not-wired")]
    answer = answers(make_audit([service("api")], against))["Metrics are collected"]

    assert answer.state is State.NOT_MET
    assert len(answer.findings) == 2


def test_what_its_owner_has_decided_and_mere_information_speak_against_nothing(make_audit: MakeAudit) -> None:
    against = [
        finding("image-unpinned", status=Status.SUPPRESSED),
        finding("image-unpinned", Severity.INFO, fingerprint="2"),
    ]

    assert answers(make_audit([service("api")], against))[PINNED].state is State.MET


def test_an_item_that_wants_a_proof_is_not_met_without(make_audit: MakeAudit) -> None:
    answer = answers(make_audit([service("api")]))["Logs are collected"]

    assert answer.state is State.NOT_MET
    assert "Docker keeps those" in answer.reason


def test_every_rule_of_the_checklist_exists() -> None:
    named = {rule for item in readiness.ITEMS for rule in item.denied_by | item.weakened_by}

    assert named - set(rules.catalogue()) == set()
