"""Records of files that deploy to a cluster."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class ClusterImage(Struct, frozen=True):
    """An image that a manifest runs, or that a kustomization puts in the place of another, as it is written."""

    image: str
    location: Location


class ClusterScale(Struct, frozen=True):
    """A workload whose number of copies a manifest fixes, or, if `automatic`, one that an autoscaler changes."""

    kind: str
    """`Deployment` or `StatefulSet`."""
    name: str
    location: Location
    automatic: bool = False
    number: int = 0
    """The number of copies that is fixed."""


class ClusterIngress(Struct, frozen=True):
    """An Ingress of a manifest, by which what is outside reaches services; without `encrypted` nothing of it says how
    TLS ends there."""

    name: str
    hosts: tuple[str, ...]
    encrypted: bool
    redirects: bool
    """Whether it is to send visitors to HTTPS all the same."""
    location: Location


class ClusterFile(Struct, frozen=True):
    """A file that deploys to a cluster: a `manifest` of Kubernetes, a `chart`, `kustomization`, `helmfile`, …"""

    kind: str
    location: Location
    images: tuple[ClusterImage, ...] = ()
    replaced: tuple[str, ...] = ()
    """The images that a kustomization replaces in other files, by their names."""
    scales: tuple[ClusterScale, ...] = ()
    ingresses: tuple[ClusterIngress, ...] = ()
    fault: str = ""
    """Of a manifest that is no YAML, and no template either, what is wrong with it."""
    fault_line: int = 0
