"""A command in a container needs a tool that its image leaves out.

`npx prisma` runs the tool of `node_modules`. An image whose packages were installed without those for development has
none, and npx fetches the newest version from the registry: at each deployment, without the lock file, and of another
major version than the code was written for. Without a network, or with a question that nobody answers, it ends there.

Anti-pattern:

    # package.json: "devDependencies": {"prisma": "5.19.0"}
    RUN npm ci --omit=dev
    # deploy.sh
    docker compose run --rm api npx prisma migrate deploy

Better:

    # package.json: "dependencies": {"prisma": "5.19.0"}

Recommendation:

    List what runs in production among the dependencies, or run it in an image of the stage that builds.

References:

- https://docs.npmjs.com/cli/commands/npx
- https://docs.npmjs.com/cli/commands/npm-install#omit
- https://www.prisma.io/docs/orm/prisma-client/deployment/deploy-database-changes-with-prisma-migrate
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command
from auditlib.conventions import builds, deployment, image_builds, mounts, services
from auditlib.conventions.image_builds import Built
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Manifest, Requirement
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STARTED = regex(
    r"(?:^|[\s;&|(\"'])(?:npx\s+(?:--?[\w-]+\s+)*|(?:\./)?node_modules/\.bin/)(?P<tool>[@\w][\w/-]*)(?=$|[\s;&|)\"'])"
)
_INSTALLS = regex(
    r"\b(?:npm\s+(?:ci|install|i)|yarn(?:\s+install)?|pnpm\s+(?:install|i))(?=\s|$)(?!.*\s(?:-g|--global)\b)"
)
_ADDS = regex(r"\binstall\b|\b(?:npm|pnpm)\s+(?:[-\w=]+\s+)*(?:i|add)\b|\byarn\s+(?:global\s+)?add\b")
_PRUNES = regex(r"\b(?:npm|pnpm)\s+prune\b")
_WITHOUT_DEV = regex(r"--omit[= ]dev\b|--production\b|--only[= ]prod|--prod\b")
_WITH_DEV = regex(r"--include[= ]dev\b|--production[= ]false|--prod[= ]false")
_PACKAGES = {"sequelize": "sequelize-cli", "nest": "@nestjs/cli", "tsc": "typescript"}
"""By tool the package that brings it, where that is called otherwise."""


class _Use(Struct, frozen=True):
    tool: str
    location: Location
    service: Service


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each image and tool one finding for all commands that start it there."""
    uses = list({(item.tool, item.location.file, item.location.line): item for item in _uses(inventory)}.values())
    for built in image_builds.for_production(inventory) if uses else ():
        manifest = _manifest(inventory, built)
        dropped = _dropped(built.instructions) if manifest else None
        if manifest is None or dropped is None:
            continue
        names = {service.name for service in built.services}
        found: defaultdict[str, list[_Use]] = defaultdict(list)
        for use in uses:
            if use.service.name in names:
                found[use.tool].append(use)
        for tool, mine in found.items():
            needed = _left_out(inventory, manifest, tool)
            if needed and not _is_named(built.instructions, tool):
                yield _evidence(built, needed, dropped, mine)


def _uses(inventory: Inventory) -> Iterator[_Use]:
    """The tools that commands start in containers by Compose, and those by which services start."""
    remote = (command for step in inventory.steps for command in step.remote)
    for command in (*deployment.commands(inventory), *remote):
        call = compose_command.of(command.words)
        if call and call.verb in ("run", "exec") and call.services:
            name = call.services[0]
            given = " ".join(call.arguments).partition(f"{name} ")[2]
            match = _STARTED.search(given)
            for service in inventory.services_by_name.get(name, ())[:1] if match else ():
                yield _Use(match["tool"] if match else "", command.location, service)
    for service in inventory.deployed_services:
        for command in services.commands(inventory, service) if service.build else ():
            yield from _of_start(service, command)


def _of_start(service: Service, command: Command) -> Iterator[_Use]:
    if match := _STARTED.search(" ".join(command.words)):
        yield _Use(match["tool"], command.location, service)


def _manifest(inventory: Inventory, built: Built) -> Manifest | None:
    contexts = [service.build.context for service in built.services if service.build and not service.build.outside]
    folder = contexts[0] if contexts else builds.context(inventory, built.dockerfile) or "."
    path = posixpath.normpath(posixpath.join(folder, "package.json"))
    return next((item for item in inventory.manifests if item.path == path), None)


def _left_out(inventory: Inventory, manifest: Manifest, tool: str) -> Requirement | None:
    """The package for development that brings a tool, unless the program or a workspace of it needs it as well."""
    name = _PACKAGES.get(tool, tool)
    inside = [item for item in inventory.manifests if mounts.is_below(item.path, posixpath.dirname(manifest.path))]
    needed = (one for item in inside if item.kind == "npm" for one in item.requirements)
    if any(one.name == name and one.group != "dev" for one in needed):
        return None
    mine = [item for item in manifest.requirements if item.name == name]
    return mine[0] if mine else None


def _dropped(instructions: tuple[Instruction, ...]) -> Instruction | None:
    """The last step that leaves an image without packages for development; None where others may have come later."""
    production, found = False, None
    for item in instructions:
        if item.keyword == "ENV":
            values = {name: value.text for name, value in item.variables if value is not None}
            production = values.get("NODE_ENV", "production" if production else "") == "production"
        elif item.copies_image and any(_may_be_packages(word) for word in item.words[:-1]):
            found = None
        elif item.keyword == "RUN" and (_INSTALLS.search(item.argument) or _PRUNES.search(item.argument)):
            bare = bool(_WITHOUT_DEV.search(item.argument)) or production
            found = item if bare and not _WITH_DEV.search(item.argument) else None
    return found


def _may_be_packages(word: str) -> bool:
    name = posixpath.basename(word.rstrip("/"))
    return "node_modules" in word or name in ("", ".", "app", "src", "prod", "workspace")


def _is_named(instructions: tuple[Instruction, ...], tool: str) -> bool:
    """Whether a step of the image installs a tool by its name."""
    named = (item.argument.partition(tool) for item in instructions if item.keyword == "RUN")
    return any(found and _ADDS.search(before[-60:]) for before, found, _ in named)


def _evidence(built: Built, needed: Requirement, dropped: Instruction, uses: list[_Use]) -> Evidence:
    first, *others = uses
    path = built.dockerfile.path
    return Evidence(
        f"npx starts {first.tool} in {first.service.name}, and {path} leaves the packages for development out, as "
        f"{needed.name} is: npx fetches whatever version is the newest then.",
        first.location,
        subject=f"{path}/{first.tool}",
        service=first.service.name,
        related=(
            Related(needed.location, f"{needed.name} is for development alone"),
            Related(dropped.location, "leaves such packages out"),
            *(Related(item.location, "starts it as well", member=True) for item in others),
        ),
        recommendation=f"Move {needed.name} to the dependencies in {needed.location.file}.",
        example=files.into(
            needed.location.file, f'"dependencies": {{"{needed.name}": "{needed.constraint or "<version>"}"}}'
        ),
    )
