"""Lines of workflows that several rules advise to write, at the job that they belong to."""

from __future__ import annotations

import textwrap

from auditlib.inventory import Inventory
from auditlib.rules import _files as files

_CHECKOUT = "- uses: actions/checkout@v4"


def of_job(workflow: str, job: str, lines: str) -> str:
    """Lines of one job, below its name, in its workflow."""
    return files.into(workflow, f"jobs:\n  {job}:\n{textwrap.indent(lines, '    ')}")


def step(workflow: str, job: str, lines: str) -> str:
    """A further step of a job."""
    return of_job(workflow, job, f"steps:\n{textwrap.indent(lines, '  ')}")


def new_job(inventory: Inventory, workflow: str, job: str, steps: str, place: str = "") -> str:
    """A job of its own that pull requests start, with what it works on; `place` says in which folder."""
    within = textwrap.indent(f"{_CHECKOUT}\n{steps}", "  ")
    lines = textwrap.indent(f"runs-on: ubuntu-latest\n{place}steps:\n{within}", "    ")
    return files.into(workflow, f"{_starting(inventory, workflow)}jobs:\n  {job}:\n{lines}")


def _starting(inventory: Inventory, workflow: str) -> str:
    """What has pull requests start a workflow, where they don't."""
    found = next((item for item in inventory.workflows if item.file == workflow), None)
    if found is None:
        return "on: [push, pull_request]\n"
    asked = any(trigger.event in ("pull_request", "merge_group") for trigger in found.triggers)
    return "" if asked else "on: [pull_request]  # beside what starts it now\n"
