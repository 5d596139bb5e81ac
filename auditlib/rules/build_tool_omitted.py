"""An image is built by a program that its installation leaves out.

`npm ci --omit=dev` leaves `devDependencies` out, and there the bundler usually is. The build that follows ends with
"not found", so that no image is made. It works on a machine where node_modules lies in the context.

Anti-pattern:

    # package.json: "scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6.0.0"}
    FROM node:22-alpine AS frontend
    COPY package*.json ./
    RUN npm ci --omit=dev
    COPY . .
    RUN npm run build

Better:

    RUN npm ci
    COPY . .
    RUN npm run build
    # the last stage takes the result alone, or `RUN npm prune --omit=dev` follows

Recommendation:

    Install everything in the stage that builds, and keep only what runs in the last one.

References:

- https://docs.npmjs.com/cli/v11/commands/npm-ci#omit
- https://docs.docker.com/build/building/multi-stage/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib import command_words
from auditlib.conventions import builds, environments, node_programs, package_installs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Manifest
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OMITS = frozenset({
    "--omit=dev", "--only=production", "--only=prod", "--production", "--production=true", "--prod", "-P", "--no-dev",
})  # fmt: skip
_SURE = frozenset({"vite", "nest", "ng", "react-scripts", "vue-cli-service", "next", "nuxt", "mix", "webpack", "astro"})
"""Programs whose packages hardly another one brings along."""


class _Fault(Struct, frozen=True):
    """A build by a program that the installation before it left out."""

    installation: Command
    build: Command
    program: str
    package: str
    manifest: Manifest


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first such build of each Dockerfile."""
    manifests = {item.path: item for item in inventory.manifests if item.kind == "npm"}
    told: set[str] = set()
    for _, build, file in builds.of(inventory) if manifests else ():
        if file.path not in told and not environments.is_for_development(file.path):
            fault = next(_faults(manifests, build.context, file), None)
            if fault:
                told.add(file.path)
                yield _evidence(file, fault)


def _faults(manifests: dict[str, Manifest], context: str, file: Dockerfile) -> Iterator[_Fault]:
    bases = {stage.name: stage.base for stage in file.stages}
    for stage, base in bases.items():
        mine = [item for item in file.instructions if item.stage == stage]
        manifest = manifests.get(_package(context, mine))
        if manifest and base not in bases:
            yield from _of_stage(mine, manifest)


def _package(context: str, stage: list[Instruction]) -> str:
    """The package.json that a stage copies; the context's own where it copies everything."""
    sources = [word for item in stage if item.copies_context for word in item.words[:-1]]
    named = (posixpath.dirname(word) for word in sources if posixpath.basename(word).startswith("package"))
    return posixpath.normpath(posixpath.join(context, next(named, ""), "package.json"))


def _of_stage(stage: list[Instruction], manifest: Manifest) -> Iterator[_Fault]:
    omitted: Command | None = None
    for item in stage:
        for command in item.commands if item.keyword == "RUN" else ():
            installs = package_installs.of(command.words)
            if installs and installs.whole and installs.manager in command_words.PACKAGE_MANAGERS:
                omitted = command if not _OMITS.isdisjoint(command.words) else None
            elif installs:
                return  # what is installed by name may bring it
            elif omitted and not command.cannot_fail:
                yield from _missing(manifest, omitted, command)


def _missing(manifest: Manifest, omitted: Command, command: Command) -> Iterator[_Fault]:
    """The known programs of a script that only `devDependencies` have."""
    words = command_words.core(list(command.words))
    if not words or posixpath.basename(words[0]) not in command_words.PACKAGE_MANAGERS:
        return
    groups = {item.name: item.group for item in manifest.requirements}
    name = command_words.script_name(posixpath.basename(words[0]), words[1:])
    for program, packages, _ in node_programs.started(manifest, name) if name else ():
        found = [package for package in packages if package in groups]
        if found and all(groups[package] == "dev" for package in found):
            yield _Fault(omitted, command, program, found[0], manifest)


def _evidence(file: Dockerfile, fault: _Fault) -> Evidence:
    left_out = " ".join(fault.installation.words)
    place = next(item.location for item in fault.manifest.requirements if item.name == fault.package)
    whole = " ".join(word for word in fault.installation.words if word not in _OMITS)
    return Evidence(
        f"{file.path} runs `{' '.join(fault.build.words)}`, which starts {fault.program}, and installs with "
        f"`{left_out}` before: {fault.package} is among `devDependencies` and isn't there.",
        fault.build.location,
        subject=f"{file.path}/{fault.program}",
        related=(
            Related(fault.installation.location, "leaves `devDependencies` out"),
            Related(place, f"{fault.package} is needed for development alone"),
        ),
        recommendation=f"Install with `{whole}` in line {fault.installation.location.line} of {file.path}.",
        confidence=None if fault.program in _SURE else Confidence.MEDIUM,
        example=files.into(file.path, f"RUN {whole}"),
    )
