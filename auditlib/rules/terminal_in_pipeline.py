"""A pipeline asks Docker for a terminal, which it doesn't have.

`docker exec -it` and `docker run -it` end with "the input device is not a TTY" where there is no terminal: on a runner,
by SSH without `-t`, under cron. The command in the container never starts.

Anti-pattern:

    - uses: appleboy/ssh-action@v1
      with:
        script: docker exec -it shop-web-1 php artisan migrate --force

Better:

    - uses: appleboy/ssh-action@v1
      with:
        script: docker exec shop-web-1 php artisan migrate --force

Recommendation:

    Leave `-t` out; `-i` is needed only where something is piped into the command.

References:

- https://docs.docker.com/reference/cli/docker/container/exec/
- https://docs.docker.com/reference/cli/docker/container/run/#tty
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_VERBS = frozenset({"exec", "run"})
_FLAGS = frozenset({"-i", "-t", "-it", "-ti", "-d", "-dit", "--rm", "--interactive", "--tty", "--privileged", "--init"})
_SHORT = regex(r"-[a-z]+")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job with calls of `docker exec` or `docker run` that ask for a terminal."""
    found = (use for use in command_texts.uses(inventory, ("docker",)) if use.text.has_no_terminal and _option(use))
    for uses in command_texts.by_text(found):
        yield _evidence(uses)


def _option(use: Use) -> str:
    """The option that asks for a terminal, if the call hands its input over too; Docker refuses only both."""
    words = use.command.words[use.command.words.index("docker") :] if "docker" in use.command.words else ()
    options = list(_options(words[2:])) if len(words) > 2 and words[1] in _VERBS else []
    letters = {letter for word in options if _SHORT.fullmatch(word) for letter in word}
    input_too = "i" in letters or "--interactive" in options
    found = next((word for word in options if word == "--tty" or (_SHORT.fullmatch(word) and "t" in word)), "")
    given = use.text.job is not None and any(
        pair.name == "request_pty" and pair.value == "true" for step in use.text.job.steps for pair in step.inputs
    )
    return found if input_too and not given else ""


def _options(words: tuple[str, ...]) -> Iterator[str]:
    """The options of a call, up to the name of its container or image."""
    before = ""
    for word in words:
        if not word.startswith("-") and (not before.startswith("-") or before in _FLAGS or "=" in before):
            return
        if word.startswith("-"):
            yield word
        before = word


def _evidence(uses: list[Use]) -> Evidence:
    first, *others = uses
    option = _option(first)
    line = " ".join(word for word in first.command.words if word not in (option, "-i", "--interactive"))
    return Evidence(
        f"{first.text.opening} calls `{' '.join(first.command.words)[:60]}`: there is no terminal, and Docker ends "
        'with "the input device is not a TTY" before the command starts.',
        first.command.location,
        subject=f"{first.text.name}/docker",
        related=tuple(Related(use.command.location, "asks for a terminal too", member=True) for use in others),
        severity=Severity.LOW if first.command.cannot_fail else None,
        recommendation=f"Leave `{option}` out in {first.text.path}; `-i` is for what is piped into the command.",
        example=workflow_lines.step(first.text.path, first.text.name, f"- run: {line}"),
    )
