"""No document says how the software is put into production.

How it is installed, updated and rolled back, which variables it needs and what must exist before, is then known to the
person who did it last. On the day on which that person is away, a deployment is guesswork.

Anti-pattern:

    # README.md
    ## Getting started
    docker compose up

Better:

    # docs/deployment.md
    ## Before the first deployment
    ## Deploying a release
    ## Rolling back
    ## Scaling

Recommendation:

    Write a deployment guide: prerequisites, variables and secrets, the commands of a release and of a rollback, and how
    to see that it worked.

References:

- https://docs.docker.com/compose/how-tos/production/
- https://sre.google/sre-book/release-engineering/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib import compose_command, stages
from auditlib.conventions import deployment, environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GUIDE = """# Deployment

## Before the first deployment

A host with Docker and Compose{variables}

## Deploying a release

    {compose} pull{ignoring}
    {compose} up --detach{waiting}{building}

It worked if `{compose} ps` shows {services} as running, and <what a user sees>.

## Rolling back

The same commands with {before}; <what is done about its migrations>."""

_OUTLINE = """# Deployment

## Before the first deployment

<what must exist, and which variables and secrets are set where>

## Deploying a release

<what starts it, what it does, and how one sees that it worked>

## Rolling back

<how the release before comes back, and what is done about its migrations>"""
_PAGES = regex(r"deploy-pages@|gh-pages|github-pages|\bgh-deploy\b")
_BY_COMPOSE = regex(r"\bdocker[- ]compose\b|\.sh\b|^(?:make|just|task) |^ssh ")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository with software to deploy whose documents have no title or heading about it."""
    pages = {job.location for job in deployment.deploying_jobs(inventory) if _publishes_pages(job)}
    signs = [item for item in deployment.signs_of_production(inventory) if item.location not in pages]
    deployed = signs or (inventory.projects and deployment.builds_own_images(inventory))
    if not deployed or deployment.guides(inventory) or (not signs and _tells_to_start(inventory)):
        return
    place = deployment.main_document(inventory)
    start = place or (inventory.projects[0].location if inventory.projects else Location(signs[0].location.file))
    read = (
        f"{counted(len(inventory.documents), 'document')} read"
        if inventory.documents
        else "there is no document at all"
    )
    otherwise = _is_deployed_otherwise(inventory)
    yield Evidence(
        "No document is about deploying, and no heading speaks of deployment, production, installation or a release "
        f"({read}).",
        start,
        subject="deployment-guide",
        related=(
            *signs[:5],
            *(Related(item.location, "this is deployed") for item in ([] if otherwise else _deployed(inventory)[:3])),
        ),
        recommendation="Write docs/deployment.md: what must exist before, the variables to set, the commands of a "
        "release and of a rollback, and how to see that it worked.",
        severity=None if signs else Severity.LOW,
        example=_guide(inventory),
    )


def _publishes_pages(job: Job) -> bool:
    """Whether a job brings pages to a host for them, as that of the documentation does."""
    return any(_PAGES.search(f"{step.uses} {step.run}") for step in job.steps)


def _tells_to_start(inventory: Inventory) -> bool:
    """Whether a document has its readers start the project for good, which is all where nothing else deploys it."""
    calls = (compose_command.of(item.text.split()) for item in deployment.documented_commands(inventory))
    return any(call and call.verb == "up" and call.is_in_background and call.is_for_all for call in calls)


def _deployed(inventory: Inventory) -> list[Project]:
    files = environments.in_development_file
    return [item for item in inventory.base_projects if not files(inventory, item.location.file)]


def _guide(inventory: Inventory) -> str:
    """The guide's outline, with the files, variables and services that there are; none where others deploy."""
    projects = sorted(_deployed(inventory), key=lambda item: not stages.names_production(item.location.file))
    if not projects or _is_deployed_otherwise(inventory):
        return files.into("docs/deployment.md", _OUTLINE)
    project = projects[0]
    started = [item for item in inventory.services_of(project.name).values() if not item.profiles]
    lasting = [item for item in started if not services.is_one_shot(item)]
    names = dict.fromkeys(item.name for item in inventory.variables if item.project == project.name)
    guide = _GUIDE.format(
        compose=compose_lines.call(inventory, project.name),
        variables=f", and `.env` with: {', '.join(f'`{name}`' for name in names)}" if names else "",
        services=listed(item.name for item in lasting) or "the services",
        waiting=" --wait" if len(lasting) == len(started) else "",
        **_way(started),
    )
    return files.into("docs/deployment.md", guide)


def _is_deployed_otherwise(inventory: Inventory) -> bool:
    """Whether jobs deploy, and none of them by Compose or by a script that may call it."""
    jobs = list(deployment.deploying_jobs(inventory))
    steps = [step for job in jobs for step in job.steps]
    texts = [" ".join(item.words) for step in steps for item in (*step.commands, *step.remote)]
    return bool(jobs) and not any(_BY_COMPOSE.search(text) for text in texts)


def _way(started: Iterable[Service]) -> dict[str, str]:
    """How a release comes and goes: what is built on the host isn't pulled, and has no tag to go back to."""
    if not any(service.build for service in started):
        return {"ignoring": "", "building": "", "before": "the tags of the release before"}
    before = "the commit of the release before checked out"
    return {"ignoring": " --ignore-buildable", "building": " --build", "before": before}
