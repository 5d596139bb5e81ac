"""A configuration of Prometheus is read by nobody.

Two files look like the configuration, and the container mounts one of them. Whoever edits the other wonders why nothing
changes, and the two drift apart.

Anti-pattern:

    services:
      prometheus:
        volumes: ["./configs/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml"]
    # configs/prometheus.yml is there, too

Better:

    services:
      prometheus:
        volumes: ["./configs/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml"]
    # and no other

Recommendation:

    Remove the file that nobody reads, or say in it what it is for.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(r"(?:^|/)(?:examples?|docs?|tests?|k8s|kubernetes|helm|charts?|vendor|templates?)/")


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration of Prometheus that nothing mounts, copies or names, beside one that a service mounts."""
    mounted = [item for item in inventory.prometheus if monitoring.runners(inventory, item.file)]
    if not mounted or deployment.uses_orchestrator(inventory):
        return
    for item in inventory.prometheus:
        near = any(_is_near(item.file, other.file) for other in mounted)
        idle = near and item not in mounted and not _ASIDE.search(item.file) and not monitoring.is_template(item.file)
        if idle and not environments.is_for_development(item.file) and not _is_named(inventory, item.file):
            yield Evidence(
                f"No service mounts {item.file}; Prometheus runs with {mounted[0].file}.",
                Location(item.file),
                subject=item.file,
                related=(Related(mounted[0].location, "the configuration that is read"),),
                recommendation=f"Remove {item.file}, or say in it what it is for.",
                example=f"git rm {shlex.quote(item.file)}",
            )


def _is_near(one: str, other: str) -> bool:
    """Whether one of two files lies in the folder of the other or above it; a folder aside is for another place."""
    folders = posixpath.dirname(one), posixpath.dirname(other)
    return mounts.is_below(*folders) or mounts.is_below(*reversed(folders))


def _is_named(inventory: Inventory, path: str) -> bool:
    """Whether a Dockerfile, a command or a document names the file, or one of its folder as a whole."""
    wanted = {path, posixpath.dirname(path) or "."}
    texts = [word for command in deployment.commands(inventory) for word in command.words]
    texts += [word for file in inventory.dockerfiles for item in file.instructions for word in item.words]
    texts += [item.text for document in inventory.documents for item in document.mentions]
    texts += [item.source for item in inventory.file_objects]
    if any(posixpath.normpath(text.strip("./") or ".") in wanted for text in texts):
        return True
    name = posixpath.basename(path)  # which is enough, where no other configuration has it
    alone = sum(posixpath.basename(item.file) == name for item in inventory.prometheus) == 1
    return any((name if alone else f"/{path}") in text for text in texts) or _is_chosen(inventory, path)


def _is_chosen(inventory: Inventory, path: str) -> bool:
    """Whether a variable in a mount of Compose chooses among files of the folder."""
    folder = posixpath.dirname(path)
    targets = (item.target for item in inventory.variables if ".volumes" in item.target)
    names = {target.split(".")[1] for target in targets if target.startswith("services.")}
    mounted = (mount for item in inventory.services if item.name in names for mount in item.mounts)
    return any(posixpath.dirname(mount.source) == folder for mount in mounted)
