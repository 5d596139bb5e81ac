r"""A command ends in the middle, and its options begin another one.

A shell takes each line for a command, unless the line before ends with a backslash. In YAML a folded block (`>`) makes
one line of several only if all stand at the same depth: lines that stand deeper keep their breaks. The first half runs
without its options, and the second is a program of the name `--option`, which nobody has.

Anti-pattern:

    kafka-init:
      command: >
        bash -c '
          kafka-topics --create --topic orders
            --partitions 3 --bootstrap-server kafka:9092
        '

Better:

    kafka-init:
      command:
        - bash
        - -c
        - |
          kafka-topics --create --topic orders \
            --partitions 3 --bootstrap-server kafka:9092

Recommendation:

    End each line of a command but the last with a single backslash.

References:

- https://yaml.org/spec/1.2.2/#813-folded-style
- https://www.gnu.org/software/bash/manual/html_node/Escape-Character.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import pairwise

from auditlib.command_words import SHELLS
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OPTION = regex(r"--?[A-Za-z][\w-]*(?:=.*)?")
_SHOWN = 60


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each service, script, step or target with such lines."""
    for service in inventory.distinct_services:
        if found := _cut(service.commands) if _is_shell(service) else []:
            yield _evidence(service.name, found, Severity.HIGH, service.name)
    for script in inventory.scripts:
        if found := _cut(script.commands):
            yield _evidence(script.path, found, None)
    for job in inventory.jobs:
        for step in job.steps:
            if found := _cut(step.commands):
                yield _evidence(f"{step.name or f'step {step.index + 1}'} of the job {job.id}", found, None)
    for manifest in inventory.manifests:
        for target in manifest.targets if manifest.kind == "make" else ():
            if found := _cut(target.commands):
                yield _evidence(f"{target.name} of {manifest.path}", found, None)


def _is_shell(service: Service) -> bool:
    """Whether a shell takes the words of a service apart; a program's own options are no commands."""
    words = (*service.entrypoint, *service.command)
    return bool(words) and posixpath.basename(words[0]) in SHELLS


def _cut(commands: tuple[Command, ...]) -> list[tuple[Command, Command]]:
    """The commands that begin with an option on the line after another one, each with that."""
    return [
        (before, after)
        for before, after in pairwise(commands)
        if after.words and before.words and _OPTION.fullmatch(after.words[0]) and _follows(before, after)
    ]


def _follows(before: Command, after: Command) -> bool:
    """Whether a command stands on the line after another one, by whose words it is no comment or list."""
    end = before.location.end_line or before.location.line
    return before.location.file == after.location.file and after.location.line == end + 1


def _evidence(
    name: str, found: list[tuple[Command, Command]], severity: Severity | None, service: str = ""
) -> Evidence:
    (before, after), *others = found
    first, second = (" ".join(item.words).removesuffix("\\").strip() for item in (before, after))
    return Evidence(
        f"{name} runs `{_shown(second)}` as a command of its own: the line before ends the command `{_shown(first)}`, "
        "which goes without these options.",
        after.location,
        subject=name,
        service=service,
        related=tuple(
            Related(item.location, f"`{_shown(' '.join(item.words))}` is cut off too", member=True)
            for _, item in others
        ),
        recommendation=f"End each line of the command but the last with one backslash in {after.location.file}.",
        severity=severity,
        example=files.into(after.location.file, f"{first} \\\n  {second}"),
    )


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()} …"
