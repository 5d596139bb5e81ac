"""An action is given a shell variable as its text.

`with` is no command line: no shell reads it, and `$GITHUB_SHA` reaches the action as these eleven characters. The image
gets a tag of that name, the message tells nobody which version it is about.

Anti-pattern:

    - uses: docker/build-push-action@v6
      with:
        tags: ghcr.io/example/shop:${GITHUB_SHA}

Better:

    - uses: docker/build-push-action@v6
      with:
        tags: ghcr.io/example/shop:${{ github.sha }}

Recommendation:

    Use an expression (`${{ github.sha }}`), or compute the value in a step before and pass its output.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context
- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/pass-job-outputs
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Pair, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(r"(?<![\\$])\$(?:\{(?P<long>GITHUB_[A-Z_]+)[^}\n]*\}|(?P<short>GITHUB_[A-Z_]+))")
_PLAIN = frozenset({
    "message", "body", "text", "title", "tag", "tags", "tag_name", "name", "release_name", "labels", "images", "image",
    "ref", "description", "subject", "build-args", "path", "file", "version", "payload", "content",
})  # fmt: skip
"""Inputs that are texts; others may be scripts."""
_KNOWN = frozenset({
    "action", "actor", "actor_id", "api_url", "base_ref", "event_name", "event_path", "graphql_url", "head_ref", "job",
    "ref", "ref_name", "ref_type", "repository", "repository_id", "repository_owner", "repository_owner_id",
    "retention_days", "run_attempt", "run_id", "run_number", "server_url", "sha", "token", "triggering_actor",
    "workflow", "workflow_ref", "workflow_sha", "workspace",
})  # fmt: skip
"""What the context `github` has; other variables of such a name a step has set for itself."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each step that gives an action of others a text with a variable of the shell."""
    for step in inventory.steps:
        if step.uses and not step.uses.startswith("./"):
            found = [pair for pair in step.inputs if pair.name in _PLAIN and _VARIABLE.search(pair.value)]
            if found:
                yield _evidence(step, found)


def _evidence(step: Step, found: list[Pair]) -> Evidence:
    first, *others = found
    matches = [match for pair in found for match in _VARIABLE.finditer(pair.value)]
    names = list(dict.fromkeys(match["long"] or match["short"] for match in matches))
    action = step.uses.partition("@")[0]
    key = names[0].removeprefix("GITHUB_").lower()
    expression = f"${{{{ github.{key} }}}}" if key in _KNOWN else f"${{{{ env.{names[0]} }}}}"
    return Evidence(
        f"`{first.name}` of {action} holds {listed(f'${name}' for name in names)}: no shell reads it, so that the "
        "action gets the variable's name, unless it replaces it itself.",
        first.location,
        subject=f"{step.job}/{step.index}/{first.name}",
        related=tuple(Related(pair.location, f"`{pair.name}` too", member=True) for pair in others),
        recommendation=f"Write `{expression}`, or pass the output of a step before.",
        example=workflow_lines.step(
            step.workflow, step.job, f"- uses: {step.uses}\n  with:\n    {first.name}: <a text with {expression}>"
        ),
    )
