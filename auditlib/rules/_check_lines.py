"""What to write where a check of the pipeline can't fail."""

from __future__ import annotations

from auditlib.conventions import checks
from auditlib.inventory.delivery import Command, Step
from auditlib.patterns import regex

TOLERATED = "`continue-on-error: true`"
NO_STATUS = "no `--exit-code 1`"
_OPPOSITE = {"0": '"1"', "false": "true", "true": "false"}
_FALLBACK = regex(r"^ *(?:\|\|.*|; *exit 0)$")


def without_fallback(step: Step, command: Command) -> tuple[str, str]:
    """The end of the line that throws the failure away, if the command stands on it as it is read."""
    text = " ".join(command.words)
    lines = [line for line in step.run.split("\n") if line.strip().startswith(text)]
    match = _FALLBACK.search(lines[0].partition(text)[2]) if len(lines) == 1 else None
    return (match[0], "") if match else ("", "")


def of_step(step: Step, command: Command, reason: str) -> str:
    """The step as it is when its failure counts; of a longer one the line at fault, as it is written there."""
    if reason == TOLERATED:
        return f"- run: {' '.join(command.words)}\n  continue-on-error: false"
    lines = [line for line in step.run.split("\n") if line.strip()]
    mine = [line for line in lines if all(word in line for word in command.words)]
    if len(lines) > 1 and len(mine) == 1:
        kept = mine[0].partition(" ||")[0].strip(" \\")
        return f"- run: |\n    # …\n    {failing(kept, reason)}"
    return f"- run: {failing(' '.join(command.words), reason)}"


def failing(text: str, reason: str) -> str:
    """A command without the switch that makes it succeed."""
    if reason == NO_STATUS:
        scan = checks.passes_by_default(text.split())
        return text.replace(scan, f"{scan} --exit-code 1", 1)
    return text.replace(f" {reason[1:-1]}", "") if reason.startswith("`") else text


def of_input(step: Step, switch: str) -> str:
    """The input of an action turned round."""
    name, _, value = switch.partition(": ")
    return f"- uses: {step.uses}\n  with:\n    {name}: {_OPPOSITE[value]}"


def turned(step: Step, switch: str) -> str:
    """What to write in place of an input; without it Trivy's action falls back to letting everything pass."""
    name, _, value = switch.partition(": ")
    place = next(pair.location for pair in step.inputs if pair.name == name)
    return (
        f"Write `{name}: {_OPPOSITE[value]}` in place of `{switch}` in {place.file}:{place.line}, and mend or list "
        "what it then finds."
    )
