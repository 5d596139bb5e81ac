"""Steps of a workflow that have programs look at the configuration that they read."""

from __future__ import annotations

import posixpath
import re
import shlex

from auditlib import stages
from auditlib.conventions import environments, monitoring, mounts
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines

_IMAGES = {"promtool": "prom/prometheus", "amtool": "prom/alertmanager"}
_VARIABLES = regex(r" --env-file (\S+)")
_HOMES = {"promtool": "/etc/prometheus", "amtool": "/etc/alertmanager"}
"""Where the images keep their configuration, so that absolute paths in it are right."""


def of_monitoring(inventory: Inventory) -> dict[str, tuple[str, Location]]:
    """By file the command that checks it, and its place; nothing that is for development, or filled in later."""
    known: dict[str, tuple[str, Location]] = {}
    for config in monitoring.prometheus_in_use(inventory):
        known[config.file] = ("promtool check config", config.location)
    for route in inventory.alert_routes:
        known.setdefault(route.file, ("amtool check-config", route.location))
    return {
        file: found
        for file, found in known.items()
        if not environments.is_for_development(file) and not monitoring.is_template(file)
    }


def step(inventory: Inventory, file: str, command: str) -> str:
    """The step that runs the program's own check in its image, with what the service mounts where that mounts it."""
    program, words = command.split(" ", 1)
    home = _HOMES[program]
    given, inside = {home: posixpath.dirname(file) or "."}, posixpath.join(home, posixpath.basename(file))
    image = f"{_IMAGES[program]}:<version>"
    if runner := next(iter(monitoring.runners(inventory, file)), None):
        own = (mount for mount in runner.mounts if mount.kind == "bind" and not mount.outside)
        given, inside = {mount.target: mount.source or "." for mount in own}, mounts.path_inside(runner, file)
        pinned = runner.image.startswith(f"{_IMAGES[program]}:") and "$" not in runner.image
        image = runner.image if pinned and not runner.image.endswith(":latest") else image
    binds = " ".join(f'-v "$PWD/{source}:{target}:ro"' for target, source in given.items())
    return f"- run: >-\n    docker run --rm {binds} --entrypoint {program}\n    {image} {words} {shlex.quote(inside)}"


def of_compose(inventory: Inventory, project: Project) -> str:
    """The step that has Compose read the files of a project, with what it demands in a fresh checkout."""
    lacking = {item.path for service in inventory.services_of(project.name).values() for item in service.env_files
               if item.required and "$" not in item.path and item.path not in inventory.file_set}  # fmt: skip
    own = posixpath.join(posixpath.dirname(project.location.file), ".env")
    unset = [item for item in inventory.variables if item.project == project.name and item.source == "unset"]
    templates = {stages.without_template_word(path): path for path in inventory.files if stages.is_template(path)}
    wanted = sorted(lacking | ({own} if unset and own in templates else set()))
    plain = " --no-interpolate" if unset and own not in templates else ""
    made = [f"cp {shlex.quote(templates[path])} {shlex.quote(path)}" if path in templates else
            f"touch {shlex.quote(path)}" for path in wanted]  # fmt: skip
    call = f"{_in_checkout(inventory, compose_lines.call(inventory, project.name))} config --quiet{plain}"
    return "\n".join(["- run: |", *(f"    {line}" for line in (*made, call))]) if made else f"- run: {call}"


def _in_checkout(inventory: Inventory, call: str) -> str:
    """The call with a template, if there is one, in place of a file of variables that only the server has."""
    templates = [item.path for item in inventory.env_files if item.template and "/" not in item.path]

    def instead(match: re.Match[str]) -> str:
        known = match[1].strip("'") in inventory.file_set
        return match[0] if known else f" --env-file {shlex.quote(templates[0])}" if templates else ""

    return _VARIABLES.sub(instead, call)
