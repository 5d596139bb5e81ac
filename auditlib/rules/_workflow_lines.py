"""Lines of workflows that several rules advise to write, at the job that they belong to."""

from __future__ import annotations

import textwrap

from auditlib.rules import _files as files


def of_job(workflow: str, job: str, lines: str) -> str:
    """Lines of one job, below its name, in its workflow."""
    return files.into(workflow, f"jobs:\n  {job}:\n{textwrap.indent(lines, '    ')}")


def step(workflow: str, job: str, lines: str) -> str:
    """A further step of a job."""
    return of_job(workflow, job, f"steps:\n{textwrap.indent(lines, '  ')}")
