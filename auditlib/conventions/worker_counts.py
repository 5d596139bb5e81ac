"""In how many processes a service runs: the workers that it starts, and the copies of its container.

Sources: https://docs.gunicorn.org/en/stable/settings.html#workers, https://www.uvicorn.org/settings/#production,
https://pm2.keymetrics.io/docs/usage/cluster-mode/ and https://docs.docker.com/reference/compose-file/deploy/#replicas.
"""

from __future__ import annotations

import posixpath

from auditlib.conventions import stacks, starting
from auditlib.conventions.starting import Start
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_SERVERS = frozenset({"gunicorn", "uvicorn", "hypercorn", "granian"})
_WORKERS = regex(r"(?:^|\s)(?:-w|--workers)[\s=]*(?:\$\{(?P<variable>\w+):?-)?(?P<count>\d{1,3})\b")
_CLUSTER = regex(r"\bpm2(?:-runtime)?\s[^;&|]{0,120}(?:^|\s)(?:-i|--instances)[\s=]+(?P<count>max|\d{1,3})\b")


def copies(inventory: Inventory, service: Service) -> tuple[str, Location] | None:
    """What makes several processes of one service, in words, and where that is said; None where nothing does.

    A manifest counts where its workload has the service's name, or where there is one program only.
    """
    for item in stacks.in_operation(inventory, service):
        if found := _copies(inventory, item):
            return found
    return in_cluster(inventory, service.name)


def _copies(inventory: Inventory, service: Service) -> tuple[str, Location] | None:
    if (service.replicas or 1) > 1:
        return f"{service.replicas} replicas", service.location
    if found := several(inventory, service):
        return f"{found[0]} workers", found[1]
    for start in starting.of(inventory, service):
        match = _CLUSTER.search(" ".join(start.words))
        if match and match["count"] not in ("0", "1"):
            return f"{match['count']} processes of pm2", start.location
    return None


def in_cluster(inventory: Inventory, name: str) -> tuple[str, Location] | None:
    """The same for the workloads of manifests, by the name of a service or, where one image is built, any."""
    alone = len(inventory.dockerfiles) == 1
    for file in inventory.cluster_files:
        for scale in file.scales:
            if scale.number > 1 and (scale.name == name or alone):
                return f"{scale.number} replicas of {scale.name}", scale.location
    return None


def several(inventory: Inventory, service: Service) -> tuple[int, Location] | None:
    """How many workers a service starts, and where that is said; None for one, or where nothing tells."""
    given = {entry.name: entry.value.text for entry in service.environment if entry.value}
    for start in starting.of(inventory, service):
        if start.followed and _is_an_argument(inventory, service):
            continue
        text = " ".join(start.words)
        match = _WORKERS.search(text) if _is_server(start) else None
        count = given.get(match["variable"] or "", match["count"]) if match else ""
        if count.isdigit() and int(count) > 1:
            return int(count), start.location
        for entry in service.environment if _is_server(start) and match is None else ():
            value = entry.value.text if entry.value and entry.name == "WEB_CONCURRENCY" else ""
            if value.isdigit() and int(value) > 1:
                return int(value), entry.location
    return None


def _is_an_argument(inventory: Inventory, service: Service) -> bool:
    """Whether the command goes to a script of the image, which may start something else for it."""
    names = {posixpath.basename(path) for path in inventory.scripts_by_path}
    parts = {posixpath.basename(part) for word in service.command for part in word.split()}
    return bool(service.command) and not service.entrypoint and not names & parts


def _is_server(start: Start) -> bool:
    parts = {part.rpartition("/")[2] for word in start.words for part in word.split()}
    return not _SERVERS.isdisjoint(parts)
