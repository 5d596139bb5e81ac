"""Tables of workflows, scripts and documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from auditlib.tables._facts import Facts, Row, at, joined


def workflows(facts: Facts) -> Iterator[Row]:
    """A row for each workflow."""
    for workflow in facts.inventory.workflows:
        yield {
            "workflow": workflow.name,
            "triggers": joined(dict.fromkeys(trigger.event for trigger in workflow.triggers)),
            "branches": joined(dict.fromkeys(name for trigger in workflow.triggers for name in trigger.branches)),
            "jobs": len(workflow.jobs),
            "secrets": joined(dict.fromkeys(use.name for use in workflow.secrets if use.kind == "secrets")),
            **at(workflow.location),
        }


def jobs(facts: Facts) -> Iterator[Row]:
    """A row for each job."""
    for job in facts.inventory.jobs:
        yield {
            "job": job.id,
            "name": job.name,
            "needs": joined(job.needs),
            "runs_on": job.runs_on,
            "matrix": joined(f"{name}={'|'.join(values)}" for name, values in job.matrix),
            "services": joined(item.image for item in job.services),
            "environment": job.environment,
            "condition": job.condition,
            "continue_on_error": job.continue_on_error,
            "uses": job.uses,
            "steps": len(job.steps),
            **at(job.location),
        }


def steps(facts: Facts) -> Iterator[Row]:
    """A row for each step."""
    for step in facts.inventory.steps:
        yield {
            "job": step.job,
            "step": step.index,
            "name": step.name,
            "uses": step.uses,
            "run": step.run,
            "condition": step.condition,
            "cannot_fail": step.continue_on_error or any(command.cannot_fail for command in step.commands),
            "working_directory": step.working_directory,
            **at(step.location),
        }


def scripts(facts: Facts) -> Iterator[Row]:
    """A row for each script."""
    by_verb: dict[str, dict[str, dict[str, None]]] = {"runs": {}, "documents": {}}
    for verb, found in by_verb.items():
        for edge in facts.graph.edges_of(verb):
            found.setdefault(edge.target, {})[facts.name(edge.source)] = None
    for script in facts.inventory.scripts:
        node = f"script:{script.path}"
        yield {
            "script": script.path,
            "interpreter": script.interpreter,
            "summary": script.summary,
            "executable": script.executable,
            "run_by": joined(by_verb["runs"].get(node, ())),
            "documented_in": joined(by_verb["documents"].get(node, ())),
            **at(script.location),
        }


def documents(facts: Facts) -> Iterator[Row]:
    """A row for each document."""
    for document in facts.inventory.documents:
        kinds = Counter(mention.kind for mention in document.mentions)
        yield {
            "document": document.path,
            "title": document.title,
            "headings": len(document.headings),
            "paths": kinds["path"],
            "commands": kinds["command"],
            "variables": kinds["variable"],
            **at(document.location),
        }
