"""A manifest of Kubernetes is no YAML, so that nothing of it is applied.

`kubectl apply` refuses the file as a whole, and with `-f <folder>` it applies the others and fails: what the manifest
describes stays as it was, or was never there.

Anti-pattern:

    apiVersion: v1
      kind: Service        # deeper than the key above, which has a value already
      metadata: {name: api}

Better:

    apiVersion: v1
    kind: Service
    metadata: {name: api}

Recommendation:

    Correct the file, and let a job check the manifests with kubeconform or `kubectl apply --dry-run=client`.

References:

- https://kubernetes.io/docs/reference/kubectl/generated/kubectl_apply/
- https://yaml.org/spec/1.2.2/
"""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.clusters import ClusterFile
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each folder one finding for all manifests that couldn't be read as YAML."""
    found: defaultdict[str, list[ClusterFile]] = defaultdict(list)
    for file in inventory.cluster_files:
        if file.fault:
            found[posixpath.dirname(file.location.file)].append(file)
    for folder, files in found.items():
        yield _evidence(folder, files)


def _place(file: ClusterFile) -> Location:
    return Location(file.location.file, file.fault_line)


def _evidence(folder: str, files: list[ClusterFile]) -> Evidence:
    first, *others = files
    more = (
        f", nor {'is' if len(others) == 1 else 'are'} {counted(len(others), 'other file')} beside it" if others else ""
    )
    return Evidence(
        f"{first.location.file} is no YAML ({first.fault.partition(': ')[2]}){more}: kubectl refuses "
        f"{'them' if others else 'it'}.",
        _place(first),
        subject=f"{folder}/manifests",
        related=tuple(Related(_place(file), "is no YAML either", member=True) for file in others),
        recommendation=f"Correct {first.location.file} from line {first.fault_line} on, or from the one before it"
        f"{', and likewise the others' if others else ''}.",
        example=f"kubectl apply --dry-run=client -f {shlex.quote(folder or '.')}",
    )
