"""A deployment's script goes on after a command that failed.

Without `set -e` a shell runs the next line whatever became of the last, and its own status is that of its last command.
A `git pull` that fails leaves the old code, which is built and started again, and the deployment is reported as done.

Anti-pattern:

    - uses: appleboy/ssh-action@v1
      with:
        script: |
          cd /srv/shop
          git pull
          docker compose up -d --build

Better:

    - uses: appleboy/ssh-action@v1
      with:
        script: |
          set -euo pipefail
          cd /srv/shop
          git pull
          docker compose up -d --build

Recommendation:

    Begin the script with `set -eu`, so that it ends at the first command that fails, and the job with it.

References:

- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
- https://github.com/appleboy/ssh-action#multiple-commands
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from auditlib import stages
from auditlib.conventions import backups
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Pair, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import deploying
from auditlib.pipeline.deploying import ServerScript
from auditlib.rules import _files as files
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_MATTERS = regex(
    r"^(?:sudo\s+(?:-\S+\s+)*)?(?:timeout\s+(?:-\S+\s+){0,4}\d\S*\s+)?(?:git\s+(?:-C\s+\S+\s+)?(?:pull|fetch|checkout|reset|clone|merge)\b|"
    r"docker[- ]compose\s+(?:\S+\s+){0,60}?(?:pull|up|build|run|exec)\b|docker\s+(?:pull|build|run|load|login)\b|"
    r"docker\s+stack\s+deploy\b|"
    r"docker\s+exec\s+(?:\S+\s+){1,9}?(?:php|python\d?|npm|npx|yarn|composer|alembic|bundle|bin/rails)\s|"
    r"(?:npm|yarn|pnpm|bun)\s+(?:ci|install|i|run|build)\b|(?:python\d?\s+-m\s+)?pip3?\s+install\b|poetry\s+install\b|"
    r"uv\s+sync\b|alembic\s|python\d?\s+\S*manage\.py\s|php\s+artisan\s|composer\s+install\b|bundle\s|"
    r"systemctl\s+(?:re)?(?:start|load)\b|pm2\s+(?:re)?(?:start|load)\b|kubectl\s+(?:apply|set|rollout)\b|"
    r"helm\s+upgrade\b|make\s|(?:\./)?mvnw?\s|(?:\./)?gradlew?\s|cargo\s+build\b|go\s+build\b|dotnet\s+publish\b|"
    r"rsync\s|scp\s|tar\s|unzip\s|terraform\s+apply\b)"
)
"""Commands that a deployment consists of; what only stops, prunes or shows may fail."""
_HANDLES = frozenset({"trap"})
_REMOTE = frozenset({"ssh", "rclone", "pg_dump", "mysqldump", "restic"})
"""Programs that do the work of a script for PowerShell on another host."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that deploys, of an action for SSH or a file, with the commands whose failure it passes over."""
    for script in deploying.server_scripts(inventory):
        if passed := _passed_over(script.commands):
            yield _evidence(script, passed)
    for item in inventory.scripts:
        calls = [call for call in item.unasked_calls if _MATTERS.search(call.value) or call.name in _REMOTE]
        if len(calls) > 1 and (backups.is_script(item) or stages.names_production(posixpath.basename(item.path))):
            yield _of_powershell(item, calls)


def _passed_over(commands: tuple[Command, ...]) -> list[Command]:
    """The commands after whose failure a script goes on; none if it ends, asks or catches by itself."""
    if any(item.words[0] in _HANDLES for item in commands):
        return []
    return [item for item in _matter(commands[:-1]) if not item.asked and not item.cannot_fail]


def _matter(commands: Iterable[Command]) -> Iterator[Command]:
    return (item for item in commands if _MATTERS.search(f"{' '.join(item.words)} "))


def _evidence(script: ServerScript, passed: list[Command]) -> Evidence:
    first, *others = passed
    names = " or ".join(f"`{_text(item)}`" for item in passed[:2])
    more = f" (or one of {len(passed) - 2} more)" if len(passed) > 2 else ""
    what = f"The script that {script.called} has the server run" if script.step else script.path
    return Evidence(
        f"{what} has no `set -e`: where {names}{more} fails, it goes on as if nothing were wrong.",
        first.location,
        subject=script.subject,
        related=tuple(Related(item.location, f"`{_text(item)}` may fail unnoticed", member=True) for item in others),
        recommendation="Begin the script with `set -e`, so that it ends at the first command that fails, and write "
        "`|| true` after those that may.",
        example=_example(script),
    )


def _of_powershell(script: Script, calls: list[Pair]) -> Evidence:
    """Of a script for PowerShell, which `$ErrorActionPreference` doesn't end where a program fails."""
    first, *others = calls
    return Evidence(
        f"{script.path} looks at no exit code: where `{first.name}` fails, PowerShell goes on as if nothing were "
        "wrong, whatever `$ErrorActionPreference` says.",
        first.location,
        subject=script.path,
        related=tuple(Related(item.location, f"`{item.name}` may fail unnoticed", member=True) for item in others),
        recommendation='Write `if ($LASTEXITCODE -ne 0) { throw "…" }` after each program that the rest relies on.',
        example=files.into(script.path, f'if ($LASTEXITCODE -ne 0) {{ throw "{first.name} failed" }}'),
    )


def _example(script: ServerScript) -> str:
    if script.job is None or script.step is None:
        return files.into(script.path, "set -e  # below the first line")
    lines = f"- uses: {script.step.uses}\n  with:\n    script: |\n      set -e"
    return workflow_lines.step(script.job.workflow, script.job.id, lines)


def _text(command: Command) -> str:
    return " ".join(command.words)[:60]
