"""Reads the workflows of GitHub Actions, and the repository's own composite actions.

Follows https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax and …/metadata-syntax.
Gitea and Forgejo read the same syntax from folders of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from auditlib.inventory.delivery import Action, Job, JobService, PairUse, StrayWorkflow, Trigger, Workflow
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import reading
from auditlib.readers.nodes import Entries, is_true, location, text
from auditlib.readers.workflow_steps import Defaults, StepReader, pairs
from auditlib.redaction import Vault
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "workflow"
_PATTERNS = tuple(f"/.{host}/workflows/*.{end}" for host in ("github", "gitea", "forgejo") for end in ("yml", "yaml"))
_ACTIONS = ("/.github/actions/**/action.yml", "/.github/actions/**/action.yaml", "/action.yml", "/action.yaml")

_STRAY = regex(
    r"(?:_?github/workflows?|\.github/workflow|\.github|workflows|(?:[^/]+/)+\.github/workflows)/[^/]+\.ya?ml"
)
"""Where workflows lie by mistake: below a folder without its dot, beside the folder, or in one of a part of it."""
_OF_OTHERS = regex(
    r"(?:^|/)(?:vendor|third[-_]party|external|node_modules|templates?|skeleton|examples?|samples?|docs?|tests?|fixtures|"
    r"submodules?|upstream|deps)/|[{}]"
)
_FORM = regex(r"^[\"']?on[\"']?:(?s:.*)^jobs:|^jobs:(?s:.*)^[\"']?on[\"']?:", re.M)

_LEVELS = frozenset({"read", "write", "none"})
_ALL = frozenset({"read-all", "write-all"})
_EXPRESSION = regex(r"\$\{\{(?:[^}]|\}(?!\}))*\}\}|^[ \t]*(?:-[ \t]+)?if:[^\n]*", re.M)
_COMMENT = regex(r"[ \t]*#")
_SPEAKS = regex(r"[ \t]*#(?![^\n]*\$\{\{)")
"""A line that is a comment, and no line of the workflow that was commented out."""
_NAME_IN_CAPITALS = regex(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_REFERENCE = regex(r"\b(secrets|vars)(?:\.([A-Za-z_]\w*)(?!\w|\$\{\{)|\[\s*'([^'\n]+)'\s*\])")
_FALLBACK = regex(r"\s*\|\|")


def read(source: Source) -> reading.Reading:
    """Every workflow, and every composite action."""
    found = reading.each(source, source.matching(*_PATTERNS), KIND, _workflow)
    actions = reading.each(source, source.matching(*_ACTIONS), "action", _action)
    strays = reading.each(source, [file for file in source.files if _is_stray(source, file)], KIND, _stray)
    return reading.Reading(
        found.records + actions.records + strays.records, found.coverage + actions.coverage + strays.coverage
    )


def _is_stray(source: Source, file: str) -> bool:
    """Whether a file has the form of a workflow and lies where none is looked for, and isn't brought from elsewhere."""
    return bool(_STRAY.fullmatch(file)) and not _OF_OTHERS.search(file) and bool(_FORM.search(source.glance(file)))


def _stray(source: Source, file: str) -> Iterator[Any]:
    jobs = _only_document(source, file).get("jobs")
    reader, names, said = StepReader(source.vault, Entries(file, KIND), source.lines(file)), [], []
    for key, job in jobs.items() if jobs is not None and jobs.is_mapping else ():
        names.append(key.text)
        for step in reader.of(job, key.text, Defaults()) if job.is_mapping else ():
            remote = (" ".join(command.words) for command in step.remote)
            said += [item for item in (step.uses, step.run, *remote) if item]
    yield StrayWorkflow(file, tuple(names), tuple(said), Location(file))


def _workflow(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, KIND)
    document = _only_document(source, file)
    defaults = Defaults.of(document, Defaults())
    jobs, lines = document.get("jobs"), source.lines(file)
    if jobs is None or not jobs.is_mapping:
        entries.problem(jobs or document, "has no `jobs`")
    yield Workflow(
        file=file,
        name=text(document, "name"),
        triggers=tuple(_triggers(document.get("on"), entries)),
        env=pairs(document.get("env"), entries, source.vault),
        jobs=tuple(_jobs(jobs, StepReader(source.vault, entries, lines), defaults)),
        secrets=_references(source.text(file), file),
        location=Location(file),
        concurrency=_concurrency(document),
        permissions=_permissions(document.get("permissions")),
        told=frozenset(name for line in lines if _SPEAKS.match(line) for name in _NAME_IN_CAPITALS.findall(line)),
    )
    yield from entries.problems


def _action(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, "action")
    document = _only_document(source, file)
    runs = document.get("runs")
    steps = StepReader(source.vault, entries, source.lines(file))
    yield Action(
        path=file,
        name=text(document, "name"),
        using=text(runs, "using") if runs else "",
        steps=tuple(steps.of(runs, "", Defaults())),
        secrets=_references(source.text(file), file),
        location=Location(file),
    )
    yield from entries.problems


def _only_document(source: Source, file: str) -> Node:
    documents = source.yaml(file)
    if not documents or not documents[0].is_mapping:
        raise Unreadable("is no mapping, so it is no workflow")
    return documents[0]


def _triggers(node: Node | None, entries: Entries) -> Iterator[Trigger]:
    """The events of `on:`, which may be one name, a list of names, or a mapping with filters."""
    if node is None:
        return
    if not node.is_mapping:
        for item in entries.scalars(node):
            yield Trigger(item.text, (), (), location(item, entries.file))
        return
    for key, filters in node.items():
        yield Trigger(
            event=key.text,
            branches=_filters(filters, "branches", entries),
            paths=_filters(filters, "paths", entries),
            location=location(key, entries.file),
            tags=_filters(filters, "tags", entries),
            types=_texts(filters.get("types"), entries),
            workflows=_texts(filters.get("workflows"), entries),
            schedules=tuple(text(item, "cron") for item in filters.elements()) if key.text == "schedule" else (),
        )


def _filters(node: Node, name: str, entries: Entries) -> tuple[str, ...]:
    excluded = _texts(node.get(f"{name}-ignore"), entries)
    return (*_texts(node.get(name), entries), *(f"!{pattern}" for pattern in excluded))


def _texts(node: Node | None, entries: Entries) -> tuple[str, ...]:
    return tuple(item.text for item in entries.scalars(node))


def _jobs(jobs: Node | None, steps: StepReader, defaults: Defaults) -> Iterator[Job]:
    for key, node in jobs.items() if jobs else ():
        if node.is_mapping:
            yield _job(key, node, steps, defaults)
        else:
            steps.entries.problem(key, f"the job `{key.text}` is no mapping")


def _job(key: Node, node: Node, steps: StepReader, outer: Defaults) -> Job:
    entries, vault = steps.entries, steps.vault
    environment, container = node.get("environment"), node.get("container")
    runs_on = _runs_on(node.get("runs-on"), entries)
    defaults = Defaults.of(node, outer, windows="windows" in runs_on)
    return Job(
        workflow=entries.file,
        id=key.text,
        name=text(node, "name"),
        needs=_texts(node.get("needs"), entries),
        runs_on=runs_on,
        matrix=tuple(_matrix(node.get("strategy", "matrix"), entries)),
        services=tuple(_services(node.get("services"), entries, vault)),
        env=pairs(node.get("env"), entries, vault),
        environment=text(node, "environment", "name") or (environment.text if environment else ""),
        condition=text(node, "if"),
        uses=text(node, "uses"),
        continue_on_error=is_true(node, "continue-on-error"),
        working_directory=defaults.working_directory,
        steps=tuple(steps.of(node, key.text, defaults)),
        location=Location(entries.file, key.line, key.column, node.end_line),
        container=text(node, "container", "image") or (container.text if container else ""),
        inputs=pairs(node.get("with"), entries, vault),
        included=tuple(_included(node.get("strategy", "matrix", "include"), entries)),
        concurrency=_concurrency(node),
        permissions=_permissions(node.get("permissions")),
        outputs=pairs(node.get("outputs"), entries, vault),
    )


def _concurrency(node: Node) -> str:
    """The group, which may stand there alone."""
    group = node.get("concurrency")
    return text(node, "concurrency", "group") or (group.text if group and group.kind == "scalar" else "")


def _permissions(node: Node | None) -> tuple[tuple[str, str], ...] | None:
    """What a token may do, right by right; `read-all` and `write-all` are said of `*`."""
    if node is None:
        return None
    if node.is_mapping:
        return tuple((key.text, value.text) for key, value in node.items() if value.text in _LEVELS)
    return (("*", node.text),) if node.kind == "scalar" and node.text in _ALL else ()


def _runs_on(node: Node | None, entries: Entries) -> str:
    """The runner's labels; of a group its name and labels."""
    if node is not None and node.is_mapping:
        return ", ".join((*_texts(node.get("group"), entries), *_texts(node.get("labels"), entries)))
    return ", ".join(_texts(node, entries))


def _matrix(node: Node | None, entries: Entries) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The axes of a matrix; one of mappings once for each of their keys (`image.name`). `include` is none of them."""
    for key, values in node.items() if node else ():
        if key.text in ("include", "exclude"):
            continue
        cases = [item for item in values.elements() if item.is_mapping] if values.is_sequence else []
        if not cases:
            yield key.text, _texts(values, entries)
        yield from ((f"{key.text}.{name}", texts) for name, texts in _of_cases(cases, entries))


def _included(node: Node | None, entries: Entries) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The values of the cases that `include` adds to a matrix."""
    return _of_cases(node.elements() if node is not None and node.is_sequence else [], entries)


def _of_cases(cases: list[Node], entries: Entries) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The values that cases have for each of their keys."""
    found: dict[str, list[str]] = {}
    for case in cases:
        for key, value in case.items() if case.is_mapping else ():
            found.setdefault(key.text, []).extend(_texts(value, entries) if value.kind == "scalar" else ())
    return ((key, tuple(values)) for key, values in found.items())


def _services(node: Node | None, entries: Entries, vault: Vault) -> Iterator[JobService]:
    for key, service in node.items() if node else ():
        if not service.is_mapping:
            entries.problem(key, f"the service `{key.text}` is no mapping")
            continue
        image = service.get("image")
        yield JobService(
            name=key.text,
            image=image.text if image else "",
            env=pairs(service.get("env"), entries, vault),
            location=location(image or key, entries.file),
            ports=_texts(service.get("ports"), entries),
            options=vault.mask(text(service, "options")),
        )


def _references(content: str, file: str) -> tuple[PairUse, ...]:
    """The `secrets.NAME` and `vars.NAME` inside expressions, where no comment holds them."""
    found: list[PairUse] = []
    line, position, line_end, is_comment = 1, 0, -1, False
    for expression in _EXPRESSION.finditer(content):
        line += content.count("\n", position, expression.start())
        position = expression.start()
        if position >= line_end:
            is_comment = bool(_COMMENT.match(content, content.rfind("\n", 0, position) + 1))
            line_end = content.find("\n", position) % (len(content) + 1)  # the text's own end if no line follows
        if is_comment:
            continue
        for match in _REFERENCE.finditer(expression[0]):
            before = expression[0].count("\n", 0, match.start())
            optional = bool(_FALLBACK.match(expression[0], match.end()))
            found.append(PairUse(match[1], match[2] or match[3], Location(file, line + before), optional))
    return tuple(dict.fromkeys(found))
