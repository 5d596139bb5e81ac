"""A script changes something by a request and doesn't look at the answer.

`curl` succeeds as soon as it has an answer, be that "401 Unauthorized" or "500". The script goes on and ends well, and
what it should have created, changed or deleted is as it was.

Anti-pattern:

    curl -sS -X POST -H "Authorization: Bearer $TOKEN" --data @board.json "$GRAFANA/api/dashboards/db"

Better:

    curl -sS --fail-with-body -X POST -H "Authorization: Bearer $TOKEN" --data @board.json "$GRAFANA/api/dashboards/db"

Recommendation:

    Give `curl` the option `--fail-with-body`, so that an error of the server is an error of the script.

References:

- https://curl.se/docs/manpage.html#--fail-with-body
- https://curl.se/docs/manpage.html#-f
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CHANGES = regex(
    r"\s(?:-X\s?|--request[ =])(?:POST|PUT|PATCH|DELETE)\b|\s(?:-T|--upload-file|--data\S*|--json|-F|--form)[ =]|\s-d\s"
)
_LOOKS = regex(r"\s(?:--fail(?:-with-body)?\b|-w\b|--write-out\b|-o\b|--output\b|-[a-zA-Z]*[fwo][a-zA-Z]*\s)")
_ASIDE = regex(
    r"test|demo|example|sample|load|bench|seed|dev|local|notif|alert|webhook|slack|telegram|discord|ntfy|health", re.I
)
"""Scripts and requests that nothing rests on."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script with requests that change something and whose answer neither it nor curl looks at."""
    for script in inventory.scripts:
        if _ASIDE.search(posixpath.basename(script.path)) or environments.is_for_development(script.path):
            continue
        found = [item for item in script.commands if _is_unchecked(item)]
        if found:
            yield _evidence(script, found)


def _is_unchecked(command: Command) -> bool:
    text = f"{' '.join(command.words)} "
    sends = command.words[0] == "curl" and bool(_CHANGES.search(text)) and not _ASIDE.search(text)
    return sends and not (command.caught or command.cannot_fail or command.writes or _LOOKS.search(text))


def _evidence(script: Script, found: list[Command]) -> Evidence:
    first, *others = found
    return Evidence(
        f"{script.path} sends a request by `curl` without `--fail` and doesn't look at the answer: when that is an "
        "error, the script ends as if it had worked.",
        first.location,
        subject="curl",
        related=tuple(Related(item.location, "without `--fail` too", member=True) for item in others),
        recommendation=f"Add `--fail-with-body` to the `curl` of {script.path}.",
        change=("curl ", "curl --fail-with-body "),
        example=files.into(script.path, "curl --fail-with-body …  # and the words that follow there now"),
    )
