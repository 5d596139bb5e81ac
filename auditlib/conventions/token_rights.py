"""What actions need of the token of a run, beyond reading the repository.

Sources: the README of each action, and
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions.
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.patterns import regex

Rights = tuple[tuple[str, str], ...]
IDENTITY = "id-token"
"""Which no run has unless its permissions say so."""
_OWN = regex(r"^\$\{\{\s*(?:secrets\.GITHUB_TOKEN|github\.token)\s*\}\}$")
_GIVEN = ("token", "github-token", "github_token", "repo-token", "repo_token", "GITHUB_TOKEN")


class _Action(Struct, frozen=True):
    """An action and its rights. It needs them with all inputs of `given` and without any of `without`, in any release
    or those of `releases`."""

    rights: tuple[str, ...]
    given: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


_ACTIONS = {
    "aws-actions/configure-aws-credentials": _Action(
        (IDENTITY,), ("role-to-assume",), ("aws-access-key-id", "role-chaining", "web-identity-token-file")
    ),
    "google-github-actions/auth": _Action((IDENTITY,), ("workload_identity_provider",)),
    "azure/login": _Action((IDENTITY,), ("client-id",), ("creds", "auth-type")),
    "actions/deploy-pages": _Action(("pages", IDENTITY)),
    "actions/attest-build-provenance": _Action((IDENTITY, "attestations")),
    "actions/attest-sbom": _Action((IDENTITY, "attestations")),
    "pypa/gh-action-pypi-publish": _Action((IDENTITY,), (), ("password", "user")),
    "github/codeql-action/analyze": _Action(("security-events",), (), ("upload",)),
    "github/codeql-action/upload-sarif": _Action(("security-events",)),
    "peter-evans/create-pull-request": _Action(("contents", "pull-requests")),
    "marocchino/sticky-pull-request-comment": _Action(("pull-requests",)),
    "dorny/test-reporter": _Action(("checks",), releases=("v1",)),  # later ones may write a summary alone
    "actions/labeler": _Action(("pull-requests",)),
}  # fmt: skip


def effective(workflow: Workflow, job: Job) -> Rights | None:
    """What the token of a job may do; None where neither the job nor its workflow says."""
    return job.permissions if job.permissions is not None else workflow.permissions


def missing(step: Step, rights: Rights | None) -> tuple[str, ...]:
    """The rights to write that a step needs and its job hasn't; without a word on rights only the one never given."""
    name, _, ref = step.uses.partition("@")
    action = _ACTIONS.get(name.lower())
    inputs = {pair.name: pair.value.strip() for pair in step.inputs}
    if action is None or not set(action.given) <= inputs.keys() or set(action.without) & inputs.keys():
        return ()
    if action.releases and not ref.startswith(action.releases):
        return ()
    other = any(inputs.get(name) and not _OWN.match(inputs[name]) for name in _GIVEN)
    if rights is None:
        return (IDENTITY,) if IDENTITY in action.rights else ()
    if ("*", "write-all") in rights:
        return ()
    needed = (name for name in action.rights if name == IDENTITY or not other)
    return tuple(name for name in needed if (name, "write") not in rights)
