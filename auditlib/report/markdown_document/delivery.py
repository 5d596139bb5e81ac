"""What checks and ships the code."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.audit import Audit
from auditlib.model import Area
from auditlib.report import wording
from auditlib.report.markdown_document.writing import code, codes, findings, statement

_WORKFLOWS = 5
"""Workflows that are written out."""


def automation(audit: Audit) -> Iterator[str]:
    """Workflows with their jobs, the tests that they run, scripts, and the findings."""
    inventory = audit.inventory
    for workflow in inventory.workflows[:_WORKFLOWS]:
        jobs = codes((job.id for job in workflow.jobs), 10)
        events = codes(dict.fromkeys(trigger.event for trigger in workflow.triggers))
        yield statement("GitHub Workflow", f"{code(workflow.file)} runs {jobs} on {events}.")
    if len(inventory.workflows) > _WORKFLOWS:
        yield f"- …and {wording.count(len(inventory.workflows) - _WORKFLOWS, 'more workflow')}."
    if not inventory.workflows:
        yield statement("GitHub Workflow", "None was found.")
    if inventory.test_suites:
        yield _tests(audit)
    if inventory.scripts:
        silent = [item.path for item in inventory.scripts if not item.summary]
        all_silent = len(silent) == len(inventory.scripts)
        yield statement(
            "Scripts",
            f"{wording.count(len(inventory.scripts), 'script')}: {codes(item.path for item in inventory.scripts)}.",
            ("None says what it does." if all_silent else f"Without a word on what they do: {codes(silent)}.")
            if silent
            else "",
        )
    yield from findings(audit, Area.CICD)


def _tests(audit: Audit) -> str:
    inventory = audit.inventory
    runs = pipeline.of(inventory, inventory.workflows).runs
    suites = [(f"{suite.framework} in {suite.folder or '.'}", suite) for suite in inventory.test_suites]
    idle = [name for name, suite in suites if not any(pipeline.starts(run, suite) for run in runs)]
    return statement(
        "Tests",
        f"{wording.count(len(suites), 'suite')}: {codes(name for name, _ in suites)}.",
        f"Run by no workflow: {codes(idle)}." if idle else "Each is run by a workflow.",
    )
