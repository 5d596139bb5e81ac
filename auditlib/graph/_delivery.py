"""Workflows, jobs, scripts and documents as nodes and edges."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from posixpath import join, normpath

from auditlib.graph._builder import Builder
from auditlib.inventory.delivery import Command, Job, Workflow


def declare(builder: Builder) -> None:
    """Name the jobs, which belong to their workflow, and the secrets of workflows."""
    for workflow in builder.inventory.workflows:
        for job in workflow.jobs:
            builder.declare("job", workflow.file, job.id)
        for use in workflow.secrets:
            if use.kind == "secrets":
                builder.declare("secret", "github", use.name)


def add(builder: Builder) -> None:
    """Add what runs what, and which documents speak of it."""
    inventory = builder.inventory
    for script in inventory.scripts:
        builder.shared("script", script.path, script.location, interpreter=script.interpreter)
    for workflow in inventory.workflows:
        _add_workflow(builder, workflow)
    for script in inventory.scripts:
        _add_commands(builder, f"script:{script.path}", script.commands)
    for document in inventory.documents:
        node = builder.shared("document", document.path, document.location, title=document.title)
        for mention in document.mentions:
            target = _mentioned(builder, mention.kind, mention.text)
            if target is not None and target != node:
                builder.edge(node, target, "documents", mention.location)


def _add_workflow(builder: Builder, workflow: Workflow) -> None:
    node = builder.shared("workflow", workflow.file, workflow.location, title=workflow.name)
    targets = [
        builder.scoped("job", workflow.file, job.id, job.location, file=workflow.file, title=job.name)
        for job in workflow.jobs
    ]
    for job, target in zip(workflow.jobs, targets, strict=True):  # a job may need one that stands below it
        builder.edge(node, target, "runs", job.location)
        _add_job(builder, job, target)
    for use in workflow.secrets:
        if use.kind == "secrets":
            secret = builder.scoped("secret", "github", use.name, None, project="", source="github")
            builder.edge(node, secret, "reads_env", use.location, required=True)


def _add_job(builder: Builder, job: Job, node: str) -> None:
    for needed in job.needs:
        if (target := builder.id("job", job.workflow, needed)) is not None:
            builder.edge(node, target, "needs", job.location)
    for pair in (*job.env, *(pair for step in job.steps for pair in step.env)):
        builder.edge(node, builder.shared("env_var", pair.name), "sets_env", pair.location)
    for step in job.steps:
        folder = step.working_directory or job.working_directory
        _add_commands(builder, node, step.commands, folder)
        _add_built_images(builder, node, step.commands)


def _add_commands(builder: Builder, node: str, commands: Iterable[Command], folder: str = "") -> None:
    """An edge to each script whose path a command names, from the root or from where the command stands."""
    for command in commands:
        for word in command.words:
            target = _script(builder, word, command.folder or folder)
            if target is not None and target != node:
                builder.edge(node, target, "runs", command.location)


def _script(builder: Builder, word: str, folder: str) -> str | None:
    if not word or word.startswith("/") or len(word) > 500:
        return None
    paths = (normpath(join(folder, word)), normpath(word))
    return next((f"script:{path}" for path in paths if f"script:{path}" in builder.graph.nodes), None)


def _add_built_images(builder: Builder, node: str, commands: Iterable[Command]) -> None:
    """`docker build -t api ./backend` builds an image; `docker compose build` those of all services that are built."""
    for command in commands:
        words = command.words
        if words[:2] in (("docker", "compose"), ("docker", "buildx")) or words[:1] == ("docker-compose",):
            words = ("docker", *words[1 if words[0] == "docker-compose" else 2 :])
        if words[:1] != ("docker",) or not {"build", "--build"} & set(words):
            continue
        if "compose" in "".join(command.words[:2]):
            for edge in list(builder.graph.edges_of("builds")):
                if edge.source.startswith("service:"):
                    builder.edge(node, edge.target, "builds", command.location)
        for flag, tag in pairwise(words):
            if flag in ("-t", "--tag") and f"image:{tag}" in builder.graph.nodes:
                builder.edge(node, f"image:{tag}", "builds", command.location)


def _mentioned(builder: Builder, kind: str, text: str) -> str | None:
    if kind == "variable":
        return f"env_var:{text}" if f"env_var:{text}" in builder.graph.nodes else None
    if kind != "path":
        return None
    path = normpath(text)
    candidates = (f"{prefix}:{path}" for prefix in ("script", "env_file", "document", "bind_path", "workflow"))
    return next((node for node in candidates if node in builder.graph.nodes), None)
