"""Which actions of others are known to give the steps after them neither variables nor artifacts.

Sources: the README of each action.
"""

from __future__ import annotations

import re

from auditlib.inventory.delivery import Job, Step
from auditlib.patterns import regex

_PLAIN = regex(
    r"^(?:actions|docker|github|pnpm|ruby|oven-sh|denoland|erlef|shivammathur|subosito|swatinem|dtolnay|actions-rs|"
    r"hadolint|pypa|softprops|codecov|golangci|peaceiris|appleboy|webfactory|dorny|pre-commit|psf|chartboost)/|"
    r"^(?:aws-actions/(?:configure-aws-credentials|amazon-ecr-login)|google-github-actions/(?:auth|setup-gcloud)|"
    r"azure/(?:login|docker-login)|hashicorp/setup-|astral-sh/setup-|aquasecurity/(?:trivy-action|setup-trivy)|"
    r"codeql|cypress-io/github-action)",
    re.I,
)
_OF_GITHUB = regex(r"ubuntu|windows|macos", re.I)


def is_plain(step: Step) -> bool:
    """Whether a step calls no action, or one of which this is known."""
    return not step.uses or _PLAIN.search(step.uses) is not None


def is_on_fresh_runner(job: Job) -> bool:
    """Whether a job runs on a machine of GitHub's, on which nothing is but what its steps bring."""
    return "self-hosted" not in job.runs_on and _OF_GITHUB.search(job.runs_on) is not None


def is_switched_off(job: Job) -> bool:
    """Whether a condition keeps a job from ever running (`if: false`)."""
    return job.condition.strip("${} ").lower() == "false"
