"""A check of whether a service is well takes every answer for a good one.

`curl` ends with success once it has got an answer, be it a 500 or a 502 of the proxy: only `--fail` makes an error a
failure. A script that asks `curl -s …/health` calls a deployment successful as soon as anything answers on the port.

Anti-pattern:

    if curl -s http://localhost:8080/health > /dev/null; then
      echo "Deployment successful"
    fi

Better:

    if curl -fsS http://localhost:8080/health > /dev/null; then
      echo "Deployment successful"
    fi

Recommendation:

    Call curl with `-fsS`, so that an answer of 400 or more is a failure.

References:

- https://curl.se/docs/manpage.html#-f
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_WELL = regex(
    r"/(?:[\w.-]+/){0,6}(?:-/)?(?:health\w*|ready|readyz?|readiness|live|livez|liveness)\b|"
    r"^(?:localhost|127\.0\.0\.1|\$\{?\w+\}?)(?::[^/]{1,40})?/(?:[\w.-]+/){0,6}(?:ping|status|up|metrics)\b"
)
"""An address, without its scheme, that is there to tell whether a program is well."""
_LOOKS = regex(r"-[a-zA-Z]*[fwi]|--(?:fail|write-out|include|head|fail-with-body|fail-early)\b|-I")
"""Options by which curl fails, or shows the status."""
_CHANGES = regex(r"-(?:X|d|F|T)|--(?:request|data|form|json|upload-file)")


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the scripts and makefiles that decide by curl's own status whether a service is well.

    What a pipeline's step asks so is a step that can't fail, of which another rule tells.
    """
    found = [use for use in command_texts.uses(inventory, ("curl",)) if use.text.job is None and _is_blind(use.command)]
    if found:
        yield _evidence(found)


def _is_blind(command: Command) -> bool:
    """Whether a request decides something, and curl is not told to fail at an answer that is an error."""
    if not command.asked or command.caught or command.cannot_fail or command.writes not in ((), ("/dev/null",)):
        return False
    options = [word for word in command.words if word.startswith("-")]
    asks = any(_WELL.search(word.partition("://")[2] or word.strip("\"'")) for word in command.words if "/" in word)
    return asks and not any(_LOOKS.match(word) or _CHANGES.match(word) for word in options)


def _evidence(uses: list[Use]) -> Evidence:
    first, *others = uses
    words = list(first.command.words)
    where = words.index("curl") + 1 if "curl" in words else 1
    also = list(dict.fromkeys(use.text.called for use in others if use.text.called != first.text.called))
    more = f" The same holds for {listed(also)}." if also else ""
    return Evidence(
        f"{first.text.opening} takes every answer of `{_asked(first)}` for a good one: without `--fail` curl "
        f"succeeds at a 500, and at a 502 of a proxy whose application is down.{more}",
        first.command.location,
        subject=f"{first.text.name}/curl",
        related=tuple(Related(use.command.location, "without `--fail` too", member=True) for use in others),
        recommendation=f"Call curl with `-fsS` in {first.text.path}.",
        example=files.into(first.text.path, shell_lines.line([*words[:where], "-fsS", *words[where:]])),
    )


def _asked(use: Use) -> str:
    return next((word for word in use.command.words if "/" in word and not word.startswith("-")), "")[:80]
