"""A secret is in the environment of jobs that don't need it.

What stands in `env` of the workflow is given to every step of every job: to the scripts of all packages that the tests
install, and to every action of others. One of them that was tampered with has the secret.

Anti-pattern:

    env:
      REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}
    jobs:
      test: {...}
      publish: {...}

Better:

    jobs:
      test: {...}
      publish:
        steps:
          - run: echo "$REGISTRY_PASSWORD" | docker login --password-stdin -u ci registry.example.com
            env:
              REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}

Recommendation:

    Give a secret to the step that uses it, in the `env` of that step.

References:

- https://docs.github.com/en/actions/reference/security/secure-use#use-secrets-for-sensitive-information
- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Pair, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SECRET = regex(r"\$\{\{\s*secrets\.(?P<name>\w+)\s*\}\}")
_CREDENTIAL = regex(
    r"(?:^|_)(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|PAT|CREDENTIALS?|(?:API|ACCESS|PRIVATE|SECRET|SSH|SIGNING)_?KEY)(?:_|$)"
)
"""Secrets that are credentials, not the names and addresses that are often kept beside them."""
_UNNAMED = (
    (regex(r"^(?:GH|GITHUB)_"), regex(r"\bgh\s|semantic-release|\bgit push\b")),
    (regex(r"^AWS_"), regex(r"\baws\s|terraform|tofu\b|terragrunt|\bcdk\b|serverless|\bs3\b|pulumi|\bsam\s")),
    (regex(r"^(?:TF_|HCLOUD_|DIGITALOCEAN_|ARM_|CLOUDFLARE_|GOOGLE_)"),
     regex(r"terraform|tofu\b|terragrunt|wrangler|hcloud|doctl")),
    (regex(r"^(?:TURBO|NX)_"), regex(r"\b(?:turbo|nx|npm|pnpm|yarn|bun)\s")),
    (regex(r"^(?:NODE_AUTH|YARN_NPM)_"), regex(r"\b(?:npm|pnpm|yarn|bun)\s")),
    (regex(r"^CARGO_"), regex(r"\bcargo\s")),
    (regex(r"^(?:PULUMI|SENTRY|VERCEL|NETLIFY|FLY|RAILWAY|SONAR|SNYK|CODECOV)_"),
     regex(r"pulumi|sentry|vercel|netlify|\bfly(?:ctl)?\s|railway|sonar|snyk|codecov|\b(?:npm|pnpm|yarn) ")),
)  # fmt: skip
"""Variables that programs read by themselves, each with calls of these."""
_OWN = frozenset({"GITHUB_TOKEN"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each workflow whose own `env` holds a secret that not all of its jobs name."""
    for workflow in inventory.workflows:
        found = [pair for pair in workflow.env if _is_secret(pair) and _jobs_without(workflow, pair)]
        if found:
            yield _evidence(workflow, found)


def _is_secret(pair: Pair) -> bool:
    match = _SECRET.search(pair.value)
    return bool(match and match["name"].upper() not in _OWN and _CREDENTIAL.search(match["name"].upper()))


def _jobs_without(workflow: Workflow, pair: Pair) -> list[Job]:
    """The jobs with steps none of which names the variable, or calls a program that reads it by itself."""
    calls = [pattern for name, pattern in _UNNAMED if name.search(pair.name.upper())]
    texts = [(job, _text(job)) for job in workflow.jobs if job.steps]
    return [job for job, text in texts if pair.name not in text and not any(item.search(text) for item in calls)]


def _jobs_with(workflow: Workflow, pair: Pair) -> list[Job]:
    """The jobs that name the variable itself, not only the secret that it holds."""
    named = re.compile(rf"(?<!secrets\.)\b{re.escape(pair.name)}\b")
    return [job for job in workflow.jobs if named.search(_text(job))]


def _text(job: Job) -> str:
    pairs = [*job.env, *(pair for step in job.steps for pair in (*step.env, *step.inputs))]
    return "\n".join(
        [job.condition, *(f"{step.run} {step.condition}" for step in job.steps), *(p.value for p in pairs)]
    )


def _evidence(workflow: Workflow, found: list[Pair]) -> Evidence:
    first, *others = found
    without = _jobs_without(workflow, first)
    used = _jobs_with(workflow, first)
    direct = any(f"secrets.{first.name}" in _text(job) for job in workflow.jobs)
    return Evidence(
        f"{workflow.file} gives {listed(pair.name for pair in found)} to every step of its "
        f"{counted(len(workflow.jobs), 'job')}, the actions and packages of others included; "
        f"{listed(job.id for job in without)} {'names' if len(without) == 1 else 'name'} it nowhere, unless a script "
        "that is called there reads it.",
        first.location,
        subject="/".join(pair.name for pair in found),
        related=(
            *(Related(pair.location, f"{pair.name} too", member=True) for pair in others),
            *(Related(job.location, f"the job {job.id} gets it") for job in without[:4]),
        ),
        recommendation=f"Move {first.name} to the `env` of the step that uses it."
        if used or not direct
        else f"Take {first.name} out of the `env` of {workflow.file}, or give it to the step that uses it alone.",
        example=workflow_lines.step(
            workflow.file,
            used[0].id if len(used) == 1 else "<the job that uses it>",
            f"- env:  # of the step that uses it\n    {first.name}: {first.value}",
        )
        if used or not direct
        else files.into(workflow.file, f"env:\n  # without {first.name}"),
    )
