"""What is written for a cluster: manifests of Kubernetes, charts of Helm, jobs of Nomad.

Only what such a file is, is looked for, not what is in it. Follows https://kubernetes.io/docs/concepts/overview/working-with-objects/,
https://helm.sh/docs/topics/charts/, https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/,
https://helmfile.readthedocs.io and https://developer.hashicorp.com/nomad/docs/job-specification.
"""

from __future__ import annotations

import re

from auditlib.inventory.delivery import ClusterFile
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_FILES = {
    "kustomization": regex(r"(?:^|/)kustomization\.ya?ml$"),
    "chart": regex(r"(?:^|/)Chart\.ya?ml$"),
    "helmfile": regex(r"(?:^|/)helmfile\.ya?ml$"),
    "job of Nomad": regex(r"\.nomad(?:\.hcl)?$"),
    "manifest": regex(r"(?:^|/)(?:k8s|kubernetes|kube|helm|charts)/.+\.(?:ya?ml|tpl|json)$"),
}
_SIGNS = {
    "kustomization": regex(r"^(?:kind:\s*Kustomization|resources:|bases:|components:)", re.M),
    "chart": regex(r"^(?:apiVersion|name):", re.M),
    "helmfile": regex(r"^\s*(?:releases|helmfiles|bases):", re.M),
    "job of Nomad": regex(r"^\s*job\s", re.M),
    "manifest": regex(r"^[\s{]*\"?apiVersion\"?\s*:", re.M),
}
"""A line that such a file has to hold."""


def read(source: Source) -> Reading:
    """A record for each file; which were read, their records tell."""
    reading = Reading()
    for path in source.files:
        kind = next((kind for kind, pattern in _FILES.items() if pattern.search(path)), "")
        if kind and _SIGNS[kind].search(source.glance(path)):
            reading.records.append(ClusterFile(kind, Location(path)))
    return reading
