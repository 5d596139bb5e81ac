"""Tools for tests and development are installed in the image that runs in production.

They make it larger, their holes have to be mended as well, and whoever gets into the container finds a debugger there.
A package that only a test needs can stop a deployment by a version that doesn't fit.

Anti-pattern:

    # requirements.txt, which api/Dockerfile installs
    fastapi==0.115.2
    pytest==8.2.0

Better:

    # requirements-dev.txt, which only the pipeline installs
    -r requirements.txt
    pytest==8.2.0

Recommendation:

    Move the tools to a file of requirements, or to `devDependencies`, that the image doesn't install.

References:

- https://docs.docker.com/build/building/best-practices/#dont-install-unnecessary-packages
- https://docs.npmjs.com/specifying-dependencies-and-devdependencies-in-a-package-json-file
- https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import deployment, image_builds, image_sources, package_installs, services, test_tools, tools
from auditlib.conventions.image_builds import Built
from auditlib.conventions.image_sources import Sources
from auditlib.conventions.package_installs import LOCKS, Installs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Manifest, Requirement
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMED = 5
_PACKAGES = regex(
    r"node_modules|site-packages|/\.?venv|virtualenv|/install\b|^/usr/local(?:/lib\S*)?/?$|/\.local\b|/opt/"
)
_REMOVES = regex(r"\b(?:npm|pnpm) prune\b|\brm\b.*node_modules|\bpip3? uninstall\b|\bproduction\b")


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each image that runs in production one finding for the tools among what it installs."""
    manifests = {item.path: item for item in inventory.manifests}
    for built in image_builds.for_production(inventory):
        if not _is_for_tests(inventory, built):
            found = _tools(inventory, built, manifests)
            if found:
                yield _evidence(built, *found)


def _is_for_tests(inventory: Inventory, built: Built) -> bool:
    """Whether all that runs the image are tasks that end, or it starts tests, or somebody runs them in it."""
    text = _started(built)
    if any(_is_tested_in_place(words, built) for words in _calls(inventory)):
        return True
    tasks = bool(built.services) and all(services.is_one_shot(item) for item in built.services)
    return tasks or any(pattern.search(text) for pattern in tools.TEST_FRAMEWORKS.values())


@answered_once
def _calls(inventory: Inventory) -> list[str]:
    """The calls of Docker, of commands and of documents, that name a tool for tests."""
    told = [" ".join(command.words) for command in deployment.commands(inventory)]
    told += [mention.text for mention in deployment.documented_commands(inventory)]
    called = (text for text in told if "docker" in text)
    return [text for text in called if any(pattern.search(text) for pattern in tools.TEST_FRAMEWORKS.values())]


def _is_tested_in_place(text: str, built: Built) -> bool:
    """Whether a command runs tests in the container of a service with the image (`docker compose exec api pytest`)."""
    head, _, tail = text.partition(" exec " if " exec " in text else " run ")
    names = {item.name for item in built.services} | {item.container_name for item in built.services}
    inside = "docker" in head and not names.isdisjoint(tail.split())
    if stages.names_production(posixpath.basename(built.dockerfile.path)) and not stages.names_production(head):
        return False  # the service's other image, for development
    return inside and any(pattern.search(tail) for pattern in tools.TEST_FRAMEWORKS.values())


def _started(built: Built) -> str:
    own = [word for item in built.instructions if item.keyword in ("CMD", "ENTRYPOINT") for word in item.words]
    given = [word for item in built.services for word in (*item.entrypoint, *item.command)]
    return " ".join((*own, *given))


def _tools(
    inventory: Inventory, built: Built, manifests: dict[str, Manifest]
) -> tuple[Manifest, list[Requirement], Instruction] | None:
    """The first manifest that the image installs from and that holds tools, these, and the instruction."""
    kept = _stages(built.dockerfile, built.target)
    started = _started(built)
    for build in image_sources.contexts(inventory, built.dockerfile, built.services)[:1]:
        for item, sources in image_sources.of_stages(inventory, built.dockerfile, build):
            if item.stage not in kept:
                continue
            for command in item.commands:
                installs = package_installs.of(command.words, command.folder)
                manifest = manifests.get(_manifest(installs, sources)) if installs else None
                if manifest and (found := _among(manifest, started)):
                    return manifest, found, item
    return None


def _manifest(installs: Installs, sources: Sources) -> str:
    """The file that an installation reads: requirements of pip, or package.json."""
    names = list(installs.files)
    if installs.whole and installs.manager in LOCKS and LOCKS[installs.manager][0] == "package.json":
        names.append("package.json")
    paths = (sources.find(posixpath.join(installs.folder, name))[0] for name in names)
    return next(filter(None, paths), "")


def _among(manifest: Manifest, started: str) -> list[Requirement]:
    """The tools that the image is given as what it needs to run; what it starts itself, it needs."""
    scripts = " ".join(target.text for target in manifest.targets if target.name in started.split())
    return [
        item
        for item in manifest.requirements
        if (manifest.kind == "python" or item.group == "main")
        and test_tools.is_test_tool(manifest.kind, item.name)
        and item.name not in f"{started} {scripts}"
    ]


def _stages(file: Dockerfile, target: str) -> frozenset[str]:
    """The stages whose packages are in the image: those that it goes on from, and those that it copies them from."""
    mine = services.final_stage(file, target)[1]
    if _removes(mine):
        return frozenset()
    names = [stage.name for stage in file.stages]
    found = {item.stage for item in mine} & set(names)
    for item in mine:
        for origin in (flag.partition("=")[2].lower() for flag in item.flags if flag.startswith("--from=")):
            name = names[int(origin)] if origin.isdigit() and int(origin) < len(names) else origin
            before = services.final_stage(file, name)[1] if name in names else ()
            if before and not _removes(before) and _takes_packages(item, before):
                found |= {other.stage for other in before}
    return frozenset(found)


def _removes(instructions: tuple[Instruction, ...]) -> bool:
    return any(item.keyword == "RUN" and _REMOVES.search(item.argument) for item in instructions)


def _takes_packages(copy: Instruction, before: tuple[Instruction, ...]) -> bool:
    """Whether a COPY takes the folder where the packages of another stage are, or all of that stage's work."""
    folders = [item.argument.strip("\"'").rstrip("/") for item in before if item.keyword == "WORKDIR"]
    return any(_PACKAGES.search(word) or word.rstrip("/") in folders for word in copy.words[:-1])


def _evidence(built: Built, manifest: Manifest, found: list[Requirement], item: Instruction) -> Evidence:
    first, *others = found
    path = built.dockerfile.path
    names = listed((one.name for one in found), _NAMED)
    runs = listed(one.name for one in built.services)
    whose = f"the image of {runs} ({path})" if runs else f"the image of {path}"
    return Evidence(
        f"{names} of {manifest.path}, which only tests and development need, {'is' if len(found) == 1 else 'are'} "
        f"installed in {whose}.",
        first.location,
        subject=path,
        service=built.services[0].name if len(built.services) == 1 else None,
        related=(
            *(Related(one.location, f"so is {one.name}", member=True) for one in others),
            Related(item.location, f"{path} installs from {posixpath.basename(manifest.path)}"),
        ),
        recommendation=f"Move {names} to {_elsewhere(manifest, item)}.",
        example=_lines(manifest, found, item),
    )


_WITHOUT = {
    "pnpm": ("pnpm add --save-dev", "pnpm install --frozen-lockfile --prod"),
    "yarn": ("yarn add --dev", "yarn install --frozen-lockfile --production"),
    "bun": ("bun add --dev", "bun install --frozen-lockfile --production"),
    "npm": ("npm install --save-dev", "npm ci --omit=dev"),
}
"""How a manager of packages takes up a tool for development, and how it installs what is for production alone."""


def _manager(item: Instruction) -> tuple[str, str]:
    name = next((name for name in _WITHOUT if name in item.argument.split()), "npm")
    return _WITHOUT[name]


def _elsewhere(manifest: Manifest, item: Instruction) -> str:
    if manifest.kind == "npm":
        install = _manager(item)[1]
        there = "" if install in item.argument else f", and install by `{install}`"
        return f"`devDependencies` of {manifest.path}{there}"
    return f"{_for_development(manifest.path)}, and let the pipeline install that one"


def _for_development(path: str) -> str:
    stem, ending = posixpath.splitext(path)
    return f"{stem}-dev{ending}"


def _lines(manifest: Manifest, found: list[Requirement], item: Instruction) -> str:
    if manifest.kind == "npm":
        add, install = _manager(item)
        installing = "" if install in item.argument else f"\n{files.into(item.location.file, f'RUN {install}')}"
        return f"{add} {' '.join(item.name for item in found)}{installing}"
    listing = "\n".join(f"{item.name}{item.constraint}" for item in found)
    return files.into(_for_development(manifest.path), f"-r {posixpath.basename(manifest.path)}\n{listing}")
