"""A deployment fetches new code and starts the old image.

`docker compose up` builds a service only while its image is missing. After the first deployment it is there, so that
the code that was just fetched reaches the host and never runs: the deployment is green, and the old version goes on.

Anti-pattern:

    git pull
    docker compose up -d
    # compose.yaml
    services:
      api: {build: .}

Better:

    git pull
    docker compose up -d --build

Recommendation:

    Have the deployment build (`up -d --build`), or pull an image that the pipeline has built of this version.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
- https://docs.docker.com/reference/compose-file/build/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.conventions import deploy_texts, environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_MAKES_IMAGES = regex(
    r"\bdocker\s+(?:build|buildx|load|pull|rmi|image\s+(?:rm|prune\s+-a|load)|system\s+prune\s+(?:-a|--all))|--build\b|"
    r"--rmi\b|^(?:make|just|task|npm|pnpm|yarn)\s\S*build|\bbake\b"
)
"""What brings a new image, or takes the old one away."""
_CODE = frozenset({"src", "app", "lib", "server", "code", "packages", "resources"})


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script, and each text that a step has another host run, that fetches code and starts without a build."""
    if not any(item.build for item in inventory.deployed_services):
        return
    for commands in deploy_texts.each(inventory):
        fetch = deploy_texts.fetching(commands)
        if fetch is None or any(_MAKES_IMAGES.search(" ".join(item.words)) for item in commands):
            continue
        calls = [(item, call) for item in commands if (call := compose_command.of(item.words))]
        verbs = {call.verb for _, call in calls}
        if "build" in verbs:
            continue
        starts = ((item, call) for item, call in calls if call.verb == "up" and item.location > commands[0].location)
        found = ((item, call, kept) for item, call in starts if (kept := _kept(inventory, item, call, verbs)))
        if first := next(found, None):
            yield _evidence(inventory, fetch, *first)


def _kept(inventory: Inventory, command: Command, call: Call, verbs: set[str]) -> list[Service]:
    """The services that a start leaves with the image that is there: built here, and called by no name to pull."""
    return [
        service
        for project in deploy_texts.projects(inventory, command, call)
        for service in deploy_texts.started(inventory, project, call)
        if service.build and not service.build.outside and not (service.image and "pull" in verbs)
        and not _mounts_code(service) and not environments.is_for_developers(inventory, service)
    ]  # fmt: skip


def _mounts_code(service: Service) -> bool:
    """Whether a service runs the code of the checkout whatever its image holds."""
    context = service.build.folder if service.build else ""
    sources = [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
    return any(
        source in (".", context) or (mounts.is_below(source, context) and posixpath.basename(source) in _CODE)
        for source in sources
    )


def _evidence(inventory: Inventory, fetch: Command, start: Command, call: Call, kept: list[Service]) -> Evidence:
    names = listed((item.name for item in kept), limit=4)
    first = kept[0]
    copies = any(item.copies_context for service in kept for item in services.built_from(inventory, service)[1])
    text = " ".join(start.words)
    does = "is" if len(kept) == 1 else "are"
    return Evidence(
        f"{start.location.file} fetches new code and starts {names} without building: `{text}` takes the image that is "
        f"there since the first start, so that what was fetched never runs in {'it' if len(kept) == 1 else 'them'}.",
        start.location,
        subject=f"{start.location.file}/up",
        service=first.name,
        related=(
            Related(fetch.location, "fetches the code"),
            *(Related(item.build.location, f"{item.name} is built here") for item in kept[:4] if item.build),
        ),
        recommendation=f"Add `--build` to this start, as {names} {does} built from the checkout.",
        severity=None if copies else Severity.MEDIUM,
        change=(" up ", " up --build ") if text.count(" up ") == 1 else ("", ""),
        example="" if text.count(" up ") == 1 else "docker compose up -d --build",
    )
