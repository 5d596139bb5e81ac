"""A script with `set -u` expands a variable that nothing gives it.

Compose reads `.env` for the Compose file alone; a shell script that calls Compose knows nothing of it. With `set -u` it
ends at that line with "unbound variable", in the middle of a backup or a deployment.

Anti-pattern:

    # .env: DB_NAME=shop
    #!/bin/bash
    set -euo pipefail
    docker compose exec -T db pg_dump "$DB_NAME" > dump.sql

Better:

    #!/bin/bash
    set -euo pipefail
    set -a; . ./.env; set +a
    docker compose exec -T db pg_dump "$DB_NAME" > dump.sql

Recommendation:

    Read the environment file at the top of the script, or let the container's shell expand its own variable.

References:

- https://www.gnu.org/software/bash/manual/bash.html#The-Set-Builtin
- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment, env_file_uses, environments, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_READ = 'if [ -f "$(dirname "$0")/$env" ]; then set -a; . "$(dirname "$0")/$env"; set +a; fi'
_EXPORTS = regex(r"\bset -a\b|\bset -o allexport\b|\bexport \$\(|\bdirenv\b")
"""What a document has its readers do before they call a script."""
_FOREIGN = "!"
"""What marks a shell of its own (`exec db sh -c '…'`), which has other variables and no `set -u`."""
_READS = frozenset({"source", ".", "eval", "dotenv", "direnv"})


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script of the host that calls Compose and expands what only an environment file for Compose sets."""
    known = _known(inventory)
    for script in inventory.scripts if known else ():
        if _ends_at_unset(script) and not _may_be_given(inventory, script):
            given = script.sets | _of_callers(inventory)
            own = (command for command in reversed(script.commands) if _FOREIGN not in command.within)
            used = {name: command for command in own for name in command.expands}
            missing = [name for name in used if name in known and name not in given]
            if missing:
                yield _evidence(script, sorted(missing, key=lambda name: used[name].location.line), used, known)


def _known(inventory: Inventory) -> dict[str, tuple[str, Location]]:
    """The variables of environment files, their templates and Compose files, each with the file that sets it."""
    found: dict[str, tuple[str, Location]] = {}
    for file in inventory.env_files:
        for line in file.lines:
            if not (line.malformed or line.commented):
                found.setdefault(line.name, (file.copied_to or file.path, line.location))
    projects = {item.name: item for item in inventory.projects}
    for use in inventory.variables:
        if use.project in projects:
            found.setdefault(use.name, (env_file_uses.of_compose(projects[use.project]), use.location))
    return {name: place for name, place in found.items() if not environments.comes_from_the_host(name)}


def _ends_at_unset(script: Script) -> bool:
    """Whether a shell script calls Compose, and ends at a variable without a value."""
    return any(map(_sets_nounset, script.commands)) and any(compose_command.of(item.words) for item in script.commands)


def _sets_nounset(command: Command) -> bool:
    options = command.words[1:] if command.words[:1] == ("set",) else ()
    return any(word == "nounset" or (word[:1] == "-" and "u" in word[1:]) for word in options)


def _may_be_given(inventory: Inventory, script: Script) -> bool:
    """Whether a script reads a file of variables, runs in a container, or is called by what may export them."""
    name = posixpath.basename(script.path)
    reads = any(item.words[0] in _READS or _exports_a_file(item) for item in script.commands if item.words)
    mounted = any(
        mounts.path_inside(service, script.path) and not mounts.sees_all(service, script.path)
        for service in inventory.services
    )
    inside = mounted or any(name in item.argument for file in inventory.dockerfiles for item in file.instructions)
    others = (command for other in inventory.scripts if other is not script for command in other.commands)
    targets = (command for item in inventory.manifests for target in item.targets for command in target.commands)
    told = any(_EXPORTS.search(item.text) for item in deployment.documented_commands(inventory))
    called = any(name in word for command in (*others, *targets) for word in command.words)
    return reads or inside or called or told


def _exports_a_file(command: Command) -> bool:
    """`export $(grep -v '^#' .env | xargs)`."""
    return command.words[0] in ("export", "env") and any("$(" in word or ".env" in word for word in command.words)


def _of_callers(inventory: Inventory) -> set[str]:
    """The variables that workflows give to what their steps run."""
    found = {pair.name for workflow in inventory.workflows for pair in workflow.env}
    found |= {pair.name for job in inventory.jobs for pair in job.env}
    return found | {pair.name for step in inventory.steps for pair in step.env}


def _evidence(
    script: Script, missing: list[str], used: dict[str, Command], known: dict[str, tuple[str, Location]]
) -> Evidence:
    first = missing[0]
    path, told = known[first]
    folder = posixpath.dirname(script.path)
    place = posixpath.relpath(path, folder or ".")
    them = "it" if len(missing) == 1 else "them"
    return Evidence(
        f"{script.path} expands {listed(missing)} and reads no file: {path} sets {them} for Compose alone. "
        "With `set -u` the script ends there, unless whoever calls it has exported the variable.",
        used[first].location,
        subject=script.path,
        related=(
            Related(told, f"{first} is told here"),
            *(Related(used[name].location, f"{name} is expanded here", member=True) for name in missing[1:]),
        ),
        recommendation=f"Let {script.path} read {path} before it expands {listed(missing, limit=3)}.",
        example=files.into(script.path, f"env={shlex.quote(place)}\n{_READ}"),
    )
