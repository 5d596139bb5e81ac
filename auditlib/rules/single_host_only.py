"""The system is deployed to one host, and nothing says how it would run on more.

Compose starts containers on one machine. When that machine fails or is restarted, everything is down; when it is too
small, the only way is a larger one. That may be the right choice, but then it is one that somebody wrote down.

Anti-pattern:

    # deploy.sh, on the only server
    git pull && docker compose up -d

Better:

    # k8s/api.yaml: replicas on several nodes, or docs/deployment.md:
    # "One host on purpose: 200 users, four hours of downtime are acceptable. Beyond that: see Scaling."

Recommendation:

    Write down what the single host means (load, downtime, recovery time), or plan the move to Kubernetes, Swarm, Nomad
    or a platform, the stateful services apart.

References:

- https://docs.docker.com/compose/how-tos/production/
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
- https://docs.docker.com/engine/swarm/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditlib.conventions import deployment, environments, kept_data, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_CHAPTER = """## One host

{file} runs on one host, on purpose: <so many users> are expected, <so many hours> of downtime are acceptable.

- When the host fails: <who sets up another one, from which backup, in what time>
- What moves first when it is too small: {first}
- What stays for its data: {stores}"""


def _keeps(inventory: Inventory, service: Service) -> bool:
    """Whether a service writes to a named volume, or to a folder that isn't there before it runs."""
    mounts = kept_data.lasting(service)
    folders = [item.source.rstrip("/") for item in mounts if item.kind == "bind" and item.source and not item.outside]
    there = {folder for folder in folders if any(f"{path}/".startswith(f"{folder}/") for path in inventory.files)}
    return len(there) < len(folders) or any(item.kind == "volume" and item.source for item in mounts)


def _chapter(inventory: Inventory, project: Project, running: list[Service], fixed: list[Service]) -> str:
    """What the deployment guide says of the host, with what can move and what can't; what watches it stays with it."""
    known = [item.name for item, *_ in kept_data.stores(inventory, project)]
    stores = list(dict.fromkeys((*known, *(item.name for item in running if _keeps(inventory, item)))))
    free = [item.name for item in running if item.name not in stores and not services.is_watching(inventory, item)]
    bound = f" (without `container_name`: {listed(item.name for item in fixed)})" if fixed else ""
    first = f"{listed(free, limit=4)}{bound}" if free else "<service>"
    return _CHAPTER.format(file=project.location.file, first=first, stores=listed(stores) or "nothing")


def _is_of_production(file: str) -> bool:
    return re.search(r"(?:^|[^a-z])prod(?:uction)?(?![a-z])", file.rpartition("/")[2]) is not None


_OTHERWISE = regex(r"\b(?:systemctl (?:re)?start|supervisorctl|pm2 (?:re)?(?:start|load)|docker run)\b")
"""Commands that start a program of the host itself, or a single container."""


def _runs_without_compose(inventory: Inventory) -> bool:
    """Whether the jobs and scripts that deploy start programs in another way, and none of them speaks of Compose."""
    texts = [
        f"{step.run} {' '.join(pair.value for pair in step.inputs)}"
        for job in inventory.jobs
        if deployment.deploys(job)
        for step in job.steps
    ]
    texts += [
        " ".join(command.words)
        for script in inventory.scripts
        if "deploy" in script.path.lower()
        for command in script.commands
    ]
    return any(_OTHERWISE.search(text) for text in texts) and not any("compose" in text for text in texts)


def _serve(inventory: Inventory, running: Sequence[Service]) -> bool:
    """Whether more than one service of a project is there for its users, and not for who watches it."""
    return sum(not services.serves_operators(inventory, item) for item in running) > 1


_HOST = frozenset({"host", "hosts", "hostname", "ssh_host", "ssh-host", "server", "remote_host", "remote-host"})
"""Inputs with which actions are told the machine to work on."""
_REMOTE = regex(r"\b(?:ssh|scp|rsync|DOCKER_HOST)\b")
_ELSEWHERE = regex(r"^actions/deploy-pages@|^peaceiris/actions-gh-pages@|^JamesIves/github-pages-deploy-action@", re.I)
"""Actions that publish pages, which are on none of the hosts."""


def _has_several_hosts(inventory: Inventory) -> bool:
    """Whether a job deploys once for each of the hosts in its matrix."""
    for job in deployment.deploying_jobs(inventory):
        keys = {key for key, values in (*job.matrix, *job.included) if len(set(values)) > 1}
        asked = [pair.value for step in job.steps for pair in step.inputs if pair.name.lower() in _HOST]
        asked += [step.run for step in job.steps if _REMOTE.search(step.run)]
        if any(re.search(rf"\bmatrix\.{re.escape(key)}\b", text) for key in keys for text in asked):
            return True
    return False


def _signs(inventory: Inventory) -> list[Related]:
    """Where the repository says that it is put into production, without the jobs that publish pages."""
    pages = {
        job.location for job in inventory.jobs if any(_ELSEWHERE.search(step.uses) for step in job.steps)
    }  # fmt: skip
    return [item for item in deployment.signs_of_production(inventory) if item.location not in pages]


@rule(area=Area.RESILIENCE, severity=Severity.INFO, confidence=Confidence.LOW, effort=Effort.LARGE)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The project for production, else the largest one, where Compose alone deploys and one host goes unspoken."""
    signs = _signs(inventory)
    if not signs or deployment.uses_orchestrator(inventory) or deployment.documents_on_scaling(inventory):
        return
    if _runs_without_compose(inventory) or _has_several_hosts(inventory) or deployment.says_one_host(inventory):
        return
    projects = [
        item for item in inventory.base_projects if not environments.in_development_file(inventory, item.location.file)
    ]
    lasting = stacks.lasting(inventory)
    sizes = {project.name: len(lasting.get(project.name, ())) for project in projects}
    if not any(_serve(inventory, lasting.get(name, ())) for name in sizes):
        return  # one service, whatever watches it, is rather moved than doubled
    project = max(projects, key=lambda item: (_is_of_production(item.location.file), sizes[item.name]))
    fixed = [item for item in inventory.services_of(project.name).values() if item.container_name]
    yield Evidence(
        f"{counted(sizes[project.name], 'service')} of {project.location.file} are run by Compose, as far as the "
        "repository shows, which is one host; no file deploys to more than one, and no document speaks of scaling or "
        "failover. What is arranged outside the repository isn't known.",
        project.location,
        subject=f"{project.name}/hosts",
        related=(
            *signs[:5],
            *(
                Related(item.container_name_location or item.location, f"{item.name} can't run twice", member=True)
                for item in fixed[:5]
            ),
        ),
        recommendation=f"Write into the deployment guide what one host means for {project.location.file}, and which "
        "services would move first.",
        example=_chapter(inventory, project, lasting[project.name], fixed),
    )
