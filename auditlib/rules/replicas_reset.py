"""A manifest fixes how many copies run of what an autoscaler scales.

Each `kubectl apply` puts the number of the manifest back: in the middle of a peak eight copies become three, until the
autoscaler has noticed; at night three become eight. Kubernetes' own documentation has people take the number out.

Anti-pattern:

    kind: Deployment
    metadata: {name: shop}
    spec:
      replicas: 3
    ---
    kind: HorizontalPodAutoscaler
    spec:
      scaleTargetRef: {kind: Deployment, name: shop}

Better:

    kind: Deployment
    metadata: {name: shop}
    spec: {}          # the autoscaler's minReplicas hold

Recommendation:

    Take `replicas` out of the manifest; the autoscaler's `minReplicas` says how many there are at least.

References:

- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#replicas
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.clusters import ClusterScale
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every workload with a fixed number of copies that an autoscaler of the repository scales."""
    scales = [item for file in inventory.cluster_files for item in file.scales]
    scalers = {(item.kind, item.name): item for item in scales if item.automatic}
    for item in scales:
        scaler = scalers.get((item.kind, item.name))
        if scaler is not None and not item.automatic:
            yield _evidence(item, scaler)


def _evidence(item: ClusterScale, scaler: ClusterScale) -> Evidence:
    return Evidence(
        f"{item.location.file} fixes how many copies of {item.name} run, and an autoscaler of {scaler.location.file} "
        "changes it: each `kubectl apply` puts the fixed number back.",
        item.location,
        subject=f"{item.kind}/{item.name}",
        related=(Related(scaler.location, f"the autoscaler of {item.name}"),),
        recommendation=f"Take `replicas` out of {item.name} in {item.location.file}; `minReplicas` holds in its place.",
        example=files.into(item.location.file, "spec:   # without replicas: the autoscaler counts them"),
    )
