"""What GitLab refuses in a pipeline: stages, jobs and files that are named and that aren't there; and its services.

Follows https://docs.gitlab.com/ci/yaml/. What is included from another project isn't known, so that jobs may be there;
the stages of the file itself count all the same, since they replace those of its includes.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from auditlib.inventory.delivery import JobService, PipelineFault
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.nodes import text
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

FILE = ".gitlab-ci.yml"
_KEYS = frozenset({"stages", "variables", "default", "include", "workflow", "image", "services", "before_script",
                   "after_script", "cache", "spec", "types"})  # fmt: skip
_STAGES = (".pre", "build", "test", "deploy", ".post")
_ALWAYS = frozenset({".pre", ".post"})
_MOST = 100
_CASE = regex(r"(?:: \[[^\]]*\]| \d+/\d+)$")
"""What the name of a job ends with that is one of several of the same (`build: [linux]`, `test 1/3`)."""


class _Pipeline(Struct):
    """The files of a pipeline, put together."""

    jobs: dict[str, tuple[Node, str]] = field(default_factory=dict)
    stages: tuple[str, ...] = ()
    listed: bool = False
    """Whether the file itself lists the stages, which then replace those of all that it includes."""
    common: list[tuple[Node, str]] = field(default_factory=list)
    """What holds for all jobs: the top of each file, and `default`."""
    partial: bool = False
    """Whether a part of it is elsewhere."""
    faults: list[PipelineFault] = field(default_factory=list)


def read(source: Source) -> Reading:
    """A record for each fault and service. It reports no coverage: others say that a file of another host is there."""
    if not source.is_file(FILE):
        return Reading()
    found = _Pipeline()
    _add(source, FILE, found, set())
    faults = [*found.faults, *_of_jobs(found)]
    return Reading([*dict.fromkeys(faults[:_MOST]), *_services(found)])


def _services(found: _Pipeline) -> Iterator[JobService]:
    """The service containers of the jobs and templates, by name alone or as `name:` beside an alias."""
    everywhere = (("", place) for place in found.common)
    for name, (node, file) in (*found.jobs.items(), *everywhere):
        listed = node.get("services")
        for item in listed.elements() if listed is not None and listed.is_sequence else ():
            image = item.get("name") if item.is_mapping else item
            if image is not None and image.kind == "scalar" and image.text and "$" not in image.text:
                yield JobService(name.lstrip("."), image.text, (), Location(file, image.line))


def _add(source: Source, file: str, found: _Pipeline, seen: set[str]) -> None:
    """The parts of a file, those of what it includes first, which it replaces."""
    seen.add(file)
    try:
        documents = source.yaml(file)
    except Unreadable:
        found.partial = True
        return
    document = documents[-1] if documents and documents[-1].is_mapping else None
    if document is None:
        return
    for item in _included(document.get("include")):
        path = text(item, "local") if item.is_mapping else item.text
        plain = path.lstrip("/")
        if not path or "://" in path or "$" in path or "*" in path or (item.is_mapping and item.get("rules")):
            found.partial = True
        elif not source.is_file(plain):
            found.faults.append(PipelineFault("include", "", plain, Location(file, item.line)))
            found.partial = True
        elif plain not in seen and len(seen) < _MOST:
            _add(source, plain, found, seen)
    stages = document.get("stages")
    if stages is not None and stages.is_sequence:
        found.stages = tuple(item.text for item in stages.elements())
        found.listed = file == FILE
    default = document.get("default")
    found.common += [(document, file), *([(default, file)] if default is not None and default.is_mapping else [])]
    found.jobs |= {key.text: (node, file) for key, node in document.items() if _is_job(key.text, node)}


def _included(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return list(node.elements()) if node.is_sequence else [node]


def _needed(node: Node | None) -> list[Node]:
    """The jobs of a list; none where it is taken from another place (`!reference [.rules, needs]`)."""
    items = _included(node)
    return [] if items and items[0].kind == "scalar" and items[0].text.startswith(".") else items


def _is_job(name: str, node: Node) -> bool:
    return name not in _KEYS and node.is_mapping


def _of_jobs(found: _Pipeline) -> Iterator[PipelineFault]:
    stages = found.stages or _STAGES
    for name, (node, file) in found.jobs.items():
        if name.startswith("."):
            continue
        stage = _stage(found, name, 0)
        if (
            stage
            and stage[0] not in (*stages, *_ALWAYS)
            and "$" not in stage[0]
            and (found.listed or not found.partial)
        ):
            yield PipelineFault("stage", name, stage[0], Location(stage[2], stage[1].line), stages)
        if not found.partial:
            yield from _unknown(found, name, node, file)


def _stage(found: _Pipeline, name: str, depth: int) -> tuple[str, Node, str] | None:
    """The stage of a job, by itself or by what it extends, with its place."""
    if name not in found.jobs or depth > 4:
        return None
    node, file = found.jobs[name]
    own = node.get("stage")
    if own is not None:
        return (own.text, own, file) if own.kind == "scalar" else None
    bases = _included(node.get("extends"))
    return next((stage for base in bases[:-4:-1] if (stage := _stage(found, base.text, depth + 1))), None)


def _unknown(found: _Pipeline, name: str, node: Node, file: str) -> Iterator[PipelineFault]:
    """The jobs that one needs, or extends, and that there aren't."""
    for item in _included(node.get("extends")):
        if item.kind == "scalar" and item.text not in found.jobs:
            yield PipelineFault("extends", name, item.text, Location(file, item.line))
    for key in ("needs", "dependencies"):
        for item in _needed(node.get(key)):
            elsewhere = item.is_mapping and any(item.get(word) for word in ("project", "pipeline", "optional"))
            other = text(item, "job") if item.is_mapping else item.text if item.kind == "scalar" else ""
            if other and not elsewhere and "$" not in other and not {other, _CASE.sub("", other)} & found.jobs.keys():
                yield PipelineFault("needs", name, other, Location(file, item.line))
