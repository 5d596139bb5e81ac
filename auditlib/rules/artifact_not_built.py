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
from collections.abc import Iterator

from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_BUILT = frozenset({"target", "build", "dist", "out", "bin"})
_FILES = (".jar", ".war", ".js", ".zip", ".tar.gz", ".whl")
_MAKES = regex(
    r"\b(?:mvnw?|gradlew?|maven|gradle|make|npm|yarn|pnpm|bun|go build|cargo|dotnet|sbt|ant|bazel|task|just|nx|turbo|"
    r"tsc|vite|webpack|build|package|compile|poetry|uv|python|node|bash|sh)\b|\.sh\b|download-artifact|/cache@|setup-\w*build"
)
"""What may make files in a step; in doubt it does."""
_TOOLS = {
    "pom.xml": "mvn --batch-mode package", "build.gradle": "gradle build", "build.gradle.kts": "gradle build",
    "package.json": "npm ci && npm run build",
}  # fmt: skip
"""By a tool's own file the command that usually makes what an image copies."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every `docker build` of a job before which nothing makes what the Dockerfile copies from a build's folder."""
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps if workspace.holds_repository and not job.container else ():
            for path, place in _builds(inventory, workspace, step):
                found = inventory.dockerfiles_by_path.get(path)
                copied = _copied(workspace, found) if found and not _is_prepared(job, step) else None
                if found and copied:
                    yield _evidence(inventory, job, found, copied, place)


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


def _is_prepared(job: Job, step: Step) -> bool:
    """Whether anything in the job up to a step may make files, the build of the image itself left out."""
    for other in job.steps[: step.index + 1]:
        commands = [item for item in other.commands if not _is_of_docker(item)]
        inputs = " ".join(pair.value for pair in other.inputs) if other is not step else ""
        if other is not step and _MAKES.search(f"{other.uses} {inputs}") and "docker/" not in other.uses:
            return True
        if any(_MAKES.search(" ".join(item.words)) for item in commands):
            return True
    return False


def _is_of_docker(command: Command) -> bool:
    return command.words[:1] in (("docker",), ("echo",), ("aws",))


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
