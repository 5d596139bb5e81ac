"""What is written for a cluster: manifests of Kubernetes, charts of Helm, jobs of Nomad.

What such a file is, is looked for, and which images it names, by its lines: a template of Helm is no YAML. Follows
https://kubernetes.io/docs/concepts/overview/working-with-objects/, https://helm.sh/docs/topics/charts/,
https://kubernetes.io/docs/concepts/services-networking/ingress/#tls,
https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/,
https://helmfile.readthedocs.io and https://developer.hashicorp.com/nomad/docs/job-specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.clusters import ClusterFile, ClusterImage, ClusterIngress, ClusterScale
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

_FILES = {
    "kustomization": regex(r"(?:^|/)kustomization\.ya?ml$"),
    "chart": regex(r"(?:^|/)Chart\.ya?ml$"),
    "helmfile": regex(r"(?:^|/)helmfile\.ya?ml$"),
    "job of Nomad": regex(r"\.nomad(?:\.hcl)?$"),
    "manifest": regex(
        r"(?:^|/)(?:k8s|kubernetes|kube|helm|charts|manifests|deploy|deployments?)/.+\.(?:ya?ml|tpl|json)$"
    ),
}
_SIGNS = {
    "kustomization": regex(r"^(?:kind:\s*Kustomization|resources:|bases:|components:)", re.M),
    "chart": regex(r"^(?:apiVersion|name):", re.M),
    "helmfile": regex(r"^\s*(?:releases|helmfiles|bases):", re.M),
    "job of Nomad": regex(r"^\s*job\s", re.M),
    "manifest": regex(r"^[\s{]*\"?apiVersion\"?\s*:\s*[\"']?[a-z{]", re.M),
}
"""A line that such a file has to hold; one of Grafana says `apiVersion: 1`."""
_IMAGE = regex(r"^[ \t]*(?:-[ \t]+)?[\"']?(?:image|newName)[\"']?:[ \t]+[\"']?(?P<image>[^\s\"',{}#]+)", re.M)
_IMAGES_BLOCK = regex(r"^images:[^\n]*\n(?P<block>(?:[ \t-][^\n]*\n?|\n)*)", re.M)
_NAME = regex(r"^[ \t]*(?:-[ \t]+)?name:[ \t]+[\"']?(?P<name>[^\s\"'#]+)", re.M)
_DOCUMENT = regex(r"^---[^\n]*\n", re.M)
_KIND = regex(r"^kind:[ \t]*[\"']?(?P<kind>\w+)", re.M)
_METADATA = regex(
    r"^metadata:[^\n]*\n(?:[ \t#][^\n]*\n|\n){0,100}?  name:[ \t]*[\"']?(?P<name>[\w.-]+)[\"']?[ \t]*$", re.M
)
_REPLICAS = regex(r"^  replicas:[ \t]*(?P<number>\d{1,6})", re.M)
_TARGET = regex(r"^  scaleTargetRef:[^\n]*\n(?P<block>(?:    [^\n]*\n?)+)", re.M)
_ENTRY = regex(r"^    (kind|name):[ \t]*[\"']?([\w.-]+)[\"']?[ \t]*(?:#.*)?$", re.M)
_WORKLOADS = frozenset({"Deployment", "StatefulSet"})
_AUTOSCALERS = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})
"""Kubernetes' own, and KEDA's."""

_INGRESS = regex(r"^kind:[ \t]*[\"']?Ingress[\"']?[ \t]*$", re.M)
_HOST = regex(r"^[ \t]{0,12}(?:-[ \t]+)?host:[ \t]*[\"']?(?P<host>[\w.*-]+)", re.M)
_ENCRYPTED = regex(
    r"^[ \t]{0,8}tls:|^[^#\n]{0,200}(?:certificate-arn|managed-certificates|pre-shared-cert|ssl-certificate|tls-acme|"
    r"ssl-passthrough|router\.tls|listen-ports:[^\n]{0,40}HTTPS|"
    r"ingressClassName:[ \t]*[\"']?(?:tailscale|cloudflare))",
    re.M,
)
"""A certificate of its own, or that of the load balancer before it, in an annotation."""
_TEMPLATE = regex(r"\{\{|\{%|<%|\(\(|[:-][ \t]+[@%]\w+[@%]")
"""Placeholders that something fills in first; YAML refuses a value that begins with `@` or `%`."""
_REDIRECTS = regex(r"^[^#\n]{0,100}ssl-redirect:[ \t]*[\"']true", re.M)


def read(source: Source) -> Reading:
    """A record for each file; which were read, their records tell."""
    reading = Reading()
    for path in source.files:
        kind = next((kind for kind, pattern in _FILES.items() if pattern.search(path)), "")
        if kind and _SIGNS[kind].search(text := source.glance(path)):
            images = tuple(_images(path, text)) if kind in ("manifest", "kustomization") else ()
            replaced = tuple(_replaced(text)) if kind == "kustomization" else ()
            scales = tuple(_scales(path, text)) if kind == "manifest" else ()
            ingresses = tuple(_ingresses(path, text)) if kind == "manifest" and "Ingress" in text else ()
            fault = _fault(source, path, text) if kind == "manifest" else ("", 0)
            reading.records.append(ClusterFile(kind, Location(path), images, replaced, scales, ingresses, *fault))
            if fault[0]:
                reading.partial(path, kind, *fault)
    return reading


def _fault(source: Source, path: str, text: str) -> tuple[str, int]:
    """What keeps a manifest from being read as YAML, and the line; of a template nothing is known."""
    if not path.endswith((".yaml", ".yml")) or _TEMPLATE.search(text):
        return "", 0
    try:
        source.yaml(path)
    except Unreadable as error:
        return (error.reason, error.line) if error.reason.startswith("not valid YAML") else ("", 0)
    source.repeated_keys.pop(path, None)  # which are for the reader of Compose files to tell
    return "", 0


def _scales(path: str, text: str) -> Iterator[ClusterScale]:
    """The workloads whose copies a manifest counts, and those that it has counted by an autoscaler."""
    line = 1
    for document in _DOCUMENT.split(text) if "replicas:" in text or "scaleTargetRef:" in text else ():
        kind = _KIND.search(document)
        if kind and kind["kind"] in _WORKLOADS and (name := _METADATA.search(document)):
            if fixed := _REPLICAS.search(document):
                number = line + document.count("\n", 0, fixed.start())
                place = Location(path, number)
                yield ClusterScale(kind["kind"], name["name"], place, number=int(fixed["number"]))
        elif kind and kind["kind"] in _AUTOSCALERS and (target := _TARGET.search(document)):
            inner = dict(_ENTRY.findall(target["block"]))
            place = Location(path, line + document.count("\n", 0, target.start()))
            yield ClusterScale(inner.get("kind", "Deployment"), inner.get("name", ""), place, automatic=True)
        line += document.count("\n") + 1


def _ingresses(path: str, text: str) -> Iterator[ClusterIngress]:
    line = 1
    for document in _DOCUMENT.split(text):
        if (kind := _INGRESS.search(document)) and (name := _METADATA.search(document)):
            yield ClusterIngress(
                name["name"],
                tuple(dict.fromkeys(_HOST.findall(document))),
                bool(_ENCRYPTED.search(document)),
                bool(_REDIRECTS.search(document)),
                Location(path, line + document.count("\n", 0, kind.start())),
            )
        line += document.count("\n") + 1


def _images(path: str, text: str) -> Iterator[ClusterImage]:
    line, position = 1, 0
    for match in _IMAGE.finditer(text):
        line += text.count("\n", position, match.start("image"))
        position = match.start("image")
        yield ClusterImage(match["image"], Location(path, line))


def _replaced(text: str) -> Iterator[str]:
    """The names of images for which a kustomization has others, or other tags."""
    for block in _IMAGES_BLOCK.finditer(text):
        yield from (match["name"] for match in _NAME.finditer(block["block"]))
