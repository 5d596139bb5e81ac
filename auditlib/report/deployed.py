"""What is deployed, in words: the files of a project, where they are started, and what is left out."""

from __future__ import annotations

from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project
from auditlib.report import wording
from auditlib.report.blocks import Block, Prose


def title(project: Project) -> str:
    """What a picture of a project is called: the files that are known to be deployed together, or its name."""
    return " + ".join(f"`{file}`" for file in project.files) if project.started_at else f"`{project.name}`"


def statement(inventory: Inventory) -> list[Block]:
    """A sentence for each combination of files that a command starts, and one for what these leave out."""
    started = [project for project in inventory.deployed_projects if project.started_at]
    sentences = [f"Production: {title(project)}, {_started(project)}." for project in started]
    if left := _left_out(inventory):
        sentences.append(f"For development, and not shown: {left}.")
    return [Prose(" ".join(sentences))] if sentences else []


def _started(project: Project) -> str:
    first, *others = project.started_at
    more = f" and {wording.count(len(others), 'other place')}" if others else ""
    return f"started by `{first}`{more}"


def _left_out(inventory: Inventory) -> str:
    """The projects that are left out, with the services that only they have."""
    shown = {service.name for service in inventory.deployed_services}
    names = {project.name: project.location.file for project in inventory.projects if project.aside}
    only = [item for item in inventory.distinct_services if item.project in names and item.name not in shown]
    files = wording.listing((f"`{file}`" for file in names.values()), 8)
    services = wording.listing((f"`{item.name}`" for item in only), 8)
    return f"{files} with {services}" if only else files if names else ""
