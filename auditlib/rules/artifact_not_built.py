"""An image copies a file that the job doesn't build.

The Dockerfile takes a jar, a bundle or a binary from the folder of a build. On a developer's machine it lies there; on
the runner, which has only what is committed, the build of the image fails.

Anti-pattern:

    # Dockerfile: COPY target/shop.jar app.jar
    steps:
      - uses: actions/checkout@v4
      - run: docker build -t shop .

Better:

    steps:
      - uses: actions/checkout@v4
      - run: mvn --batch-mode package
      - run: docker build -t shop .

Recommendation:

    Build what is copied before the image, or in a stage of the Dockerfile.

References:

- https://docs.docker.com/build/building/multi-stage/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.conventions import checks, deployment, tools
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import uploads
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_BUILT = frozenset({"target", "build", "dist", "out", "bin"})
_FILES = (".jar", ".war", ".js", ".zip", ".tar.gz", ".whl")
_BRINGS = regex(r"(?:^|/)(?:cache|download-artifact)@")
_BUILDS = regex(r"build|package|compile|make|bundle|export|generate|\bmvnw?\b|\bgradlew?\b|\bsbt\b", re.I)
_HARMLESS = regex(
    r"^(?:npm\s+ci|yarn$|aws\s+(?!s3\b)|git\s+(?:config|rev-parse|describe|log)|ssh-\S+|mkdir\s+-p\s+~|chmod|cd|set|export|"
    r"test|\[)(?:\s|$)"
)
"""Commands that make no files of the repository."""
_RUNS = frozenset({"run", "exec", "cp", "create", "start", "up", "export", "save"})
_TOOLS = {
    "pom.xml": "mvn --batch-mode package", "build.gradle": "gradle build", "build.gradle.kts": "gradle build",
    "package.json": "npm ci && npm run build",
}  # fmt: skip
"""By a tool's own file the command that usually makes what an image copies."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every `docker build`, and every upload, of a job that makes nothing of what it takes from a build's folder."""
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps if workspace.holds_repository and not job.container else ():
            for path, place in _builds(inventory, workspace, step):
                found = inventory.dockerfiles_by_path.get(path)
                copied = _copied(workspace, found) if found and not _is_prepared(inventory, job, step) else None
                if found and copied:
                    yield _evidence(inventory, job, found, copied, place)
            yield from _of_uploads(inventory, workspace, job, step)


def _of_uploads(inventory: Inventory, workspace: Workspace, job: Job, step: Step) -> Iterator[Evidence]:
    for written, place in uploads.sent(step):
        path = posixpath.normpath(posixpath.join(workspace.folder(step), written))
        parts = path.split("/")
        folder = next(("/".join(parts[: index + 1]) for index, part in enumerate(parts) if part in _BUILT), "")
        known = not folder or "$" in path or path.startswith(("..", "/", "~")) or workspace.has(folder)
        if not known and not _may_make(inventory, job, step):
            yield _of_upload(inventory, job, path, place)
            return


def _may_make(inventory: Inventory, job: Job, step: Step) -> bool:
    """Whether a step before, or this one, does anything but install, check, print and set up."""
    if _has_hooks(inventory):
        return True
    before = job.steps[: step.index]
    acting = any(item.uses and (not deployment.is_idle(item) or _BRINGS.search(item.uses)) for item in before)
    sends = {place for _, place in uploads.sent(step)}
    commands = [command for item in (*before, step) for command in item.commands if command.location not in sends]
    return acting or not all(map(_makes_nothing, commands))


def _has_hooks(inventory: Inventory) -> bool:
    """Whether an installation may make files."""
    hooks = {target.name for item in inventory.manifests if item.kind == "npm" for target in item.targets}
    return bool(hooks & {"prepare", "install", "postinstall", "preinstall"})


def _makes_nothing(command: Command) -> bool:
    text = " ".join(command.words)
    checks_only = checks.is_check(command.words) and not _BUILDS.search(text)
    return bool(deployment.prints(command) or checks_only or tools.INSTALLS.search(text) or _HARMLESS.search(text))


def _of_upload(inventory: Inventory, job: Job, path: str, place: Location) -> Evidence:
    first = path.partition("/")[0]
    home = "" if first in _BUILT else first
    tool = next((name for name in _TOOLS if posixpath.join(home, name) in inventory.file_set), "")
    where = f"\n  working-directory: {home}" if tool and home else ""
    command = _TOOLS.get(tool, f"<the command that makes {path}>")
    return Evidence(
        f"The job {job.id} sends {path} away; nothing in the job makes that, and the repository doesn't have it.",
        place,
        subject=f"{job.id}/{path}",
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Build {path} in a step before, or take it from a job that has built it.",
        example=workflow_lines.step(job.workflow, job.id, f"- run: {command}{where}"),
    )


def _builds(inventory: Inventory, workspace: Workspace, step: Step) -> Iterator[tuple[str, Location]]:
    """The Dockerfiles in the root of the context that a step builds, by `docker build` or by the action for it."""
    inputs = {pair.name: pair.value for pair in step.inputs}
    if step.uses.startswith("docker/build-push-action@"):
        context = inputs.get("context", ".")
        yield posixpath.normpath(inputs.get("file") or posixpath.join(context, "Dockerfile")), step.location
    for command in step.commands:
        if command.words[:2] == ("docker", "build") and not {"-f", "--file"} & set(command.words):
            folder = workspace.folder(step, command)
            yield posixpath.normpath(posixpath.join(folder, command.words[-1], "Dockerfile")), command.location


def _copied(workspace: Workspace, found: Dockerfile) -> tuple[Instruction, str] | None:
    """The instruction, with the source, that takes a file from a folder of a build that the repository lacks."""
    for item in found.instructions:
        if not item.copies_context:
            continue
        for source in item.words[:-1]:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(found.path), source.lstrip("/")))
            folder = posixpath.normpath(posixpath.join(posixpath.dirname(found.path), source.lstrip("/").split("/")[0]))
            built = posixpath.basename(folder) in _BUILT and source.endswith(_FILES) and "$" not in source
            if built and not workspace.has(path) and not workspace.has(folder):
                return item, source
    return None


def _is_prepared(inventory: Inventory, job: Job, step: Step) -> bool:
    """Whether anything in the job up to a step may make or bring files, the build of the image itself left out."""
    before = [item for item in job.steps[: step.index] if item.uses and not item.uses.startswith("docker/")]
    acting = any(not deployment.is_idle(item) or _BRINGS.search(item.uses) for item in before)
    commands = [command for item in job.steps[: step.index + 1] for command in item.commands]
    return (
        acting
        or _has_hooks(inventory)
        or not all(_is_of_images(command) or _makes_nothing(command) for command in commands)
    )


def _is_of_images(command: Command) -> bool:
    """Whether a command builds, names or sends images alone; one that runs a container may make files."""
    return command.words[:1] == ("docker",) and not set(command.words[1:3]) & _RUNS


def _evidence(
    inventory: Inventory, job: Job, found: Dockerfile, taken: tuple[Instruction, str], place: Location
) -> Evidence:
    copied, source = taken
    return Evidence(
        f"The job {job.id} builds {found.path}, which copies {source}; nothing in the job makes that, and the "
        "repository doesn't have it: the build fails.",
        place,
        subject=f"{job.id}/{found.path}",
        related=(Related(copied.location, f"copies {source}"),),
        recommendation=f"Build {source} in a step before, or in a stage of {found.path}.",
        example=workflow_lines.step(job.workflow, job.id, _building(inventory, found, source)),
    )


def _building(inventory: Inventory, found: Dockerfile, source: str) -> str:
    """The step before that of the image, by the tool whose file lies beside the Dockerfile."""
    folder = posixpath.dirname(found.path)
    files = (name for name in _TOOLS if posixpath.join(folder, name) in inventory.file_set)
    command = _TOOLS.get(next(files, ""), f"<the command that makes {source.lstrip('/')}>")
    return f"- run: {command}" + (f"\n  working-directory: {folder}" if folder else "")
