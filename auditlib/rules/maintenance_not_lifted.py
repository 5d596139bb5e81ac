"""A deployment that fails leaves the application in maintenance.

The script switches maintenance on, does its work under `set -e`, and switches it off at the end. Where anything between
fails, the script ends and the site answers 503 until somebody notices.

Anti-pattern:

    set -e
    php artisan down
    php artisan migrate --force
    php artisan up

Better:

    set -e
    php artisan down
    trap 'php artisan up' EXIT
    php artisan migrate --force

Recommendation:

    Lift the maintenance in a `trap` on EXIT.

References:

- https://laravel.com/docs/12.x/configuration#maintenance-mode
- https://www.gnu.org/software/bash/manual/html_node/Bourne-Shell-Builtins.html#index-trap
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_MODES = (
    (regex(r"\bartisan down\b"), regex(r"\bartisan up\b")),
    (regex(r"\bocc maintenance:mode --on\b"), regex(r"\bocc maintenance:mode --off\b")),
    (regex(r"\bmaintenance:enable\b"), regex(r"\bmaintenance:disable\b")),
    (regex(r"\bwp maintenance-mode activate\b"), regex(r"\bwp maintenance-mode deactivate\b")),
    (regex(r"\bdrush (?:sset|state:set) system\.maintenance_mode 1\b"), regex(r"system\.maintenance_mode 0\b")),
)
_MIGRATES = regex(r"\bmigrate\b|migrations:|\bupdatedb\b|\bdb:|occ upgrade|update-db")
_HINTS = frozenset({"down", "--on", "maintenance:enable", "activate", "system.maintenance_mode"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that ends at a failure between the command for maintenance and the one that lifts it."""
    if _HINTS.isdisjoint(command_texts.words(inventory)):
        return
    for text in command_texts.texts(inventory):
        if not any(item.words[0] == "trap" for item in text.commands):
            found = _between(text)
            if found:
                yield _evidence(text, *found)


def _between(text: CommandText) -> tuple[Command, Command, Command] | None:
    """The command that begins, the one that ends, and the first between them at which the text may end."""
    said = [" ".join(item.words) for item in text.commands]
    for begins, ends in _MODES:
        first = next((index for index, line in enumerate(said) if begins.search(line)), None)
        last = next((index for index, line in enumerate(said) if ends.search(line)), None)
        if first is not None and last is not None and first < last and not text.commands[last].conditional:
            for item in text.commands[first + 1 : last]:
                changes = _MIGRATES.search(" ".join(item.words))  # with half a migration it is better to stay down
                if item.asked and not (item.tested or item.cannot_fail or changes):
                    return text.commands[first], text.commands[last], item
    return None


def _evidence(text: CommandText, begins: Command, ends: Command, fails: Command) -> Evidence:
    lifts = shell_lines.line(ends.words)
    return Evidence(
        f"{text.opening} switches maintenance on, and off again only where everything between has worked: where "
        f"`{' '.join(fails.words)[:60]}` fails, the application stays down.",
        begins.location,
        subject=f"{text.name}/maintenance",
        related=(
            Related(fails.location, "the script ends here where this fails"),
            Related(ends.location, "what is never reached then"),
        ),
        recommendation=f"Lift the maintenance in a `trap` on EXIT in {text.path}.",
        example=files.into(text.path, f"trap '{lifts}' EXIT  # right behind line {begins.location.line}"),
    )
