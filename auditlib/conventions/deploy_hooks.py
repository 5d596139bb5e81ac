"""Steps that deploy by calling an address with curl, and whether they look at the status of the answer.

Sources: https://render.com/docs/deploy-hooks, https://vercel.com/docs/deploy-hooks,
https://docs.netlify.com/build/configure-builds/build-hooks/, https://coolify.io/docs/api-reference/authorization,
https://docs.portainer.io/user/docker/stacks/webhooks, https://docs.dokploy.com/docs/core/auto-deploy and
https://curl.se/docs/manpage.html.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from auditlib.conventions import deployment
from auditlib.inventory.delivery import Command, Job, Pair, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex

_HOOK = regex(
    r"deploy[_-]?(?:web)?hook|deploy(?:ment)?[_-]?(?:trigger|url)|redeploy|build[_-]?hook|api\.render\.com/deploy|"
    r"api\.vercel\.com/v\d+/(?:integrations/deploy|deployments)|api\.netlify\.com/build_hooks|"
    r"coolify|portainer|dokploy|caprover|/stacks/webhooks|/api/v1/deploy\b",
    re.I,
)
_WEBHOOK = regex(r"web_?hook|(?:^|[_./{-])hooks?(?:[_./}?-]|$)", re.I)
_NEWS = regex(
    r"slack|discord|teams|telegram|mattermost|notif|notify|google_?chat|chat\.googleapis|pagerduty|sentry|datadog|newrelic|"
    r"grafana|uptime|healthchecks\.io|hc-ping|webex|lark|feishu|dingtalk|mailgun|sendgrid|purge|cache|comment|"
    r"rollbar|honeycomb|bugsnag|honeybadger|appsignal|raygun|sleuth|linear\.app|atlassian|jira|"
    r"/repos/\S{1,200}/(?:deployments|statuses|issues|releases|check-runs)\b",
    re.I,
)
"""What is told of a deployment, or follows one, and deploys nothing itself."""
_LOGS_IN = regex(r"/(?:auth(?:enticate)?|login|token|oauth2?|sessions?|jwt)(?=[/?\"'\s]|$)", re.I)
"""Addresses that give a token for the calls after them."""
_NAMED = regex(r"(?:^|[^a-z])(?:re-?)?deploy(?:s|ing|ment)?(?![a-z])", re.I)
_ASIDE = regex(
    r"notify|notif|status|check|test|comment|verify|wait|health|smoke|summary|report|announce|monitor|poll|preview",
    re.I,
)
_VARIABLE = regex(r"\$\{?(\w+)")
_POSTS = frozenset({"-X", "--request", "-d", "--data", "--data-raw", "--data-binary", "--json", "-F", "--form"})
_READS = regex(r"(?:\s-X ?|--request[ =])[\"']?(?:GET|HEAD)\b|\s-(?:G|-get|I|-head)\b")
_TAKES_VALUE = frozenset("XHdoweuTAmbcCDEFKPrtxyYzQU")
_COMPARES = regex(r"\[\[?\s|\btest\s|\bcase\s|\bgrep\b|\bjq\s+(?:-\w*e|--exit-status)|\bpython3?\b|\bnode\b|\bawk\b")
_CAUGHT = regex(
    r"\$\(\s*curl|`\s*curl|\bcurl\b(?:[^|\n]|\\\n){0,2000}[^|]\|(?!\|)|http_code|response_code|-o\s|--output\s"
)


def unchecked(job: Job, outer: Iterable[Pair] = ()) -> Iterator[tuple[Step, Command]]:
    """The calls of a job that deploy and succeed whatever the answer says; `outer` are the workflow's variables."""
    for step, command in _calls(job, outer):
        if not step.continue_on_error and not command.cannot_fail and not _is_checked(step, command):
            yield step, command


def place(workflow: Workflow, job: Job) -> Location | None:
    """Where a job deploys by such a call."""
    return next((command.location for _, command in _calls(job, workflow.env)), None)


def _calls(job: Job, outer: Iterable[Pair]) -> Iterator[tuple[Step, Command]]:
    for step in job.steps:
        known = {pair.name: pair.value for pair in (*outer, *job.env, *step.env)}
        yield from ((step, command) for command in step.commands if _deploys(job, step, command, known))


def _deploys(job: Job, step: Step, command: Command, known: dict[str, str]) -> bool:
    words = command.words
    if not words or posixpath.basename(words[0]) != "curl":
        return False
    text = " ".join(words)
    text += " ".join(f" {name} {known.get(name, '')}" for name in _VARIABLE.findall(text))
    if (
        _LOGS_IN.search(text)
        or _NEWS.search(f"{text} {step.name} {step.id}")
        or _ASIDE.search(f"{step.name} {step.id}")
    ):
        return False
    own = bool(_NAMED.search(f"{step.name} {step.id}"))
    if own or deployment.deploys(job):
        return bool(_HOOK.search(text) or _WEBHOOK.search(text)) or (own and _posts(words))
    return bool(_HOOK.search(text))


def _posts(words: Sequence[str]) -> bool:
    """Whether a call asks for more than to read what is there."""
    sends = any(word in _POSTS or word.startswith(("-XP", "--data", "--request=")) for word in words)
    return sends and _READS.search(" ".join(words)) is None


def _is_checked(step: Step, command: Command) -> bool:
    """Whether an error of the server ends the step, or the answer is looked at; in doubt it is."""
    if any((word.startswith("--fail") and word != "--fail-early") or _has_fail(word) for word in command.words[1:]):
        return True
    return bool(_CAUGHT.search(step.run) and _COMPARES.search(step.run))


def _has_fail(word: str) -> bool:
    """Whether `-f` is among options of one letter; one that takes a value ends them."""
    if not word.startswith("-") or word.startswith("--"):
        return False
    for letter in word[1:]:
        if letter == "f":
            return True
        if letter in _TAKES_VALUE:
            return False
    return False
