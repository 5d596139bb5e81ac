"""No document says how a deployment is taken back.

A release that fails has to be undone in minutes, by whoever is there. Which version was the previous one, does the
schema still fit, is `git revert` enough? Without a written way back the repair is a second release, made in a hurry.

Anti-pattern:

    # docs/deployment.md: how to deploy; nothing on how to go back

Better:

    ## Rollback
        scripts/deploy.sh production PREVIOUS_RELEASE
    Schema changes are undone with `alembic downgrade -1`, only after the older code runs.

Recommendation:

    Write down, and try, how the previous release is brought back: images, configuration, schema.

References:

- https://sre.google/sre-book/release-engineering/
- https://docs.docker.com/compose/how-tos/production/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_WORDS = frozenset({
    "rollback", "rollbacks", "roll-back", "rollout-undo", "downgrade", "revert", "reverting", "rolling-back", "undo",
    "zurückrollen", "rückfall", "rücknahme", "restauration", "reversión", "revertir", "откат", "отката", "откатить",
})  # fmt: skip
_WITHIN = regex(r"回滚|回退|還原|ロールバック|切り戻し|롤백")
"""Words of languages that write without spaces."""
_HEADING = regex(r"\broll(?:ing|ed)?[- ]?back|\brevert|\bundo\b|\bdowngrad|previous (?:release|version)", re.I)
_COMMAND = regex(r"\brollback\b|\brollout undo\b|\bdowngrade\b|--atomic\b|circuit[-_]breaker", re.I)
_DEPLOYMENT = regex(r"(?:^|[/_-])deploy(?:ment|ing)?(?:[_-](?:guide|runbook))?\.md$", re.I)
_UP = regex(r"\bdocker[- ]compose\b.* up\b|\bdocker stack deploy\b")
_COMPOSE = regex(r"\bdocker[- ]compose\b")
_OTHERWISE = regex(r"\b(?:pm2|systemctl|supervisorctl)\b")
_WAYS = (
    (regex(r"\bhelm\b"), "`helm rollback <release>`"),
    (regex(r"\bkamal\b"), "`kamal rollback <the version before>`"),
    (regex(r"\bkubectl\b"), "`kubectl rollout undo deployment/<name>`, and wait with `kubectl rollout status`"),
    (regex(r"\bcurl\b.*HOOK"), "That release deployed once more, in the console of the platform that the hook calls"),
    (regex(r"\baws ecs\b"), "`aws ecs update-service` with the task definition of that release"),
)
"""By what a job deploys with, how the release before comes back."""

_SECTION = """## Rollback

1. Which release ran before, and where its images are
2. {back}
3. What to do about migrations that it doesn't know
4. How to see that it worked"""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository that is deployed, with documents, none of which speaks of the way back."""
    signs = deployment.signs_of_production(inventory) or _told(inventory)
    place = deployment.main_document(inventory)
    if not signs or place is None or not inventory.base_projects or _is_described(inventory):
        return
    guides = sorted(deployment.guides(inventory), key=_prominence)
    guide = guides[0] if guides else place
    unread = deployment.unread_documents(inventory)
    doubt = f" ({counted(len(unread), 'document')} in other formats than Markdown aside)" if unread else ""
    yield Evidence(
        f"{_none(inventory)} says how a deployment is taken back{doubt}.",
        guide,
        subject="rollback",
        related=signs[:5],
        recommendation=f"Add a section on going back to the previous release to {guide.file}.",
        example=_SECTION.format(back=_back(inventory)),
    )


def _told(inventory: Inventory) -> tuple[Related, ...]:
    """The documents that by their name and their commands tell how the services are deployed by hand."""
    found = (item for item in inventory.documents if _DEPLOYMENT.search(item.path))
    return tuple(
        Related(item.location, "a document on deploying it")
        for item in found
        if any(mention.kind == "command" and _UP.search(mention.text) for mention in item.mentions)
    )


def _prominence(guide: Location) -> tuple[bool, bool, int]:
    """What puts a deployment guide before one step's story (`4-2-deploy-prometheus.md`) or another document."""
    stem = guide.file.lower().rpartition("/")[2].rpartition(".")[0]
    return "deploy" not in guide.file.lower(), not stem.startswith("deploy"), guide.file.count("/")


def _back(inventory: Inventory) -> str:
    """The step that brings the release before back, by the way in which the repository is deployed."""
    steps = [step for job in deployment.deploying_jobs(inventory) for step in job.steps]
    texts = [" ".join(item.words) for step in steps for item in (*step.commands, *step.remote)]
    if not any(_COMPOSE.search(text) for text in texts):
        for pattern, back in _WAYS:
            if any(map(pattern.search, texts)):
                return back
        if texts and (platforms := deployment.platforms(inventory)):
            return f"Deploy that release to {platforms[0][0]} once more, by <its command or console>"
    if own := _own_start(inventory, steps):
        return f"`git checkout <that release>`, then `{own}`"
    if script := _other_script(inventory):
        return f"The steps of `{script}`, with the commit of that release in place of the newest"
    return _of_compose(inventory)


def _of_compose(inventory: Inventory) -> str:
    projects = stacks.of_application(inventory)
    if not projects:
        return "<the commands that start that release>"
    compose = compose_lines.call(inventory, projects[0].name)
    if any(service.build for service in inventory.services_of(projects[0].name).values()):
        return f"`git checkout <that release>`, then `{compose} up -d --build`"
    return f"`{compose} up -d` with the tags of that release"


def _own_start(inventory: Inventory, steps: list[Step]) -> str:
    """The command by which a job or a script that deploys builds and starts the system."""
    found = [item.words for step in steps for item in (*step.remote, *step.commands)]
    found += [item.words for script in inventory.scripts if "deploy" in script.path.lower() for item in script.commands]
    calls = ((words, compose_command.of(words)) for words in found)
    return next((" ".join(words) for words, call in calls if call and call.verb == "up" and "--build" in words), "")


def _other_script(inventory: Inventory) -> str:
    """A script that deploys what Compose doesn't run."""
    for script in inventory.scripts:
        text = "\n".join(" ".join(item.words) for item in script.commands)
        if "deploy" in script.path.lower() and _OTHERWISE.search(text) and not _COMPOSE.search(text):
            return script.path
    return ""


def _none(inventory: Inventory) -> str:
    number = len(inventory.documents)
    return (
        f"No command and none of the repository's {number} documents"
        if number > 1
        else "Neither a command nor the only document of the repository"
    )


def _is_described(inventory: Inventory) -> bool:
    words = any(document.words & _WORDS or any(map(_WITHIN.search, document.words)) for document in inventory.documents)
    headings = any(_HEADING.search(item.text) for document in inventory.documents for item in document.headings)
    scripts = any("rollback" in script.path.lower() for script in inventory.scripts)
    commands = any(_COMMAND.search(" ".join(command.words)) for command in deployment.commands(inventory))
    return words or headings or scripts or commands
