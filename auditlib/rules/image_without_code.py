"""An image holds no program: its container runs what the folder of the repository holds.

The image can be pushed, pulled and started on no other host, and no version of it can be brought back: what runs is
what somebody has checked out.

Anti-pattern:

    # Dockerfile
    COPY requirements.txt .
    RUN pip install -r requirements.txt
    # compose.yaml
    volumes: [".:/app"]

Better:

    COPY . /app

Recommendation:

    Copy the program into the image, and keep the mount to a Compose file for development.

References:

- https://docs.docker.com/reference/dockerfile/#copy
- https://docs.docker.com/compose/how-tos/production/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BARE = frozenset(
    {"python", "node", "golang", "php", "ruby", "ubuntu", "debian", "alpine", "openjdk", "eclipse-temurin"}
)
"""Images that bring a language or a system, and no program."""
_NO_CODE = regex(r".*\.(?:txt|toml|lock|json|cfg|ini|mod|sum|ya?ml|conf|npmrc)\*?|(?:.*/)?(?:Pipfile|Gemfile)")
_FETCHES = regex(r"git clone|curl |wget .*(?:tar|zip)|type=bind|ONBUILD|npm (?:i|install) -g|npx |create-")

_TOOLS = regex(r"\b(?:mkdocs|sphinx|jekyll|hugo|vitepress|docusaurus|jupyter|ansible|terraform|pre-commit)\b")
"""What serves, or works on, the files of a folder that it is given."""
_DEVELOPS = regex(
    r"manage\.py runserver|--reload\b|\b(?:run |start:)dev\b|artisan serve|nodemon|flask run|vite(?! build)"
)


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Dockerfile that copies no program, where its services have the whole folder mounted; with all of them."""
    found: defaultdict[str, list[tuple[Service, Mount]]] = defaultdict(list)
    for service in inventory.distinct_services:
        file = services.dockerfile(inventory, service)
        mount = _source(service)
        if file and mount and not _for_development(inventory, service, file) and _is_empty(file):
            if _TOOLS.search(" ".join((*service.entrypoint, *service.command)) + _starts(file)):
                continue  # a tool that is pointed at the folder, and no program
            found[file.path].append((service, mount))
    for path, uses in found.items():
        yield _evidence(inventory.dockerfiles_by_path[path], uses)


def _starts(file: Dockerfile) -> str:
    return " ".join(("", *(item.argument for item in file.instructions if item.keyword in ("CMD", "ENTRYPOINT"))))


def _source(service: Service) -> Mount | None:
    """The mount of the whole folder that the image is built from."""
    context = posixpath.normpath(service.build.context) if service.build and not service.build.outside else ""
    binds = (item for item in service.mounts if item.kind == "bind" and not item.outside)
    return next((item for item in binds if posixpath.normpath(item.source or ".") == context), None)


def _for_development(inventory: Inventory, service: Service, file: Dockerfile) -> bool:
    """Whether service or Dockerfile are a developer's, or another Dockerfile beside it builds what is deployed."""
    folder = posixpath.dirname(file.path)
    beside = [item for item in inventory.dockerfiles if posixpath.dirname(item.path) == folder]
    developers = environments.only_for_development(service) or environments.is_for_development(file.path)
    return developers or len(beside) > 1


def _is_empty(file: Dockerfile) -> bool:
    """Whether nothing but lists of dependencies and settings gets into any stage."""
    bare = all(images.repository(stage.base).removeprefix("library/") in _BARE for stage in file.stages)
    return bare and not any(_brings_code(item) for item in file.instructions)


def _brings_code(item: Instruction) -> bool:
    if item.keyword in ("COPY", "ADD"):
        return bool(item.flags) or not all(_NO_CODE.fullmatch(word) for word in item.words[:-1])
    return item.keyword in ("RUN", "ONBUILD") and bool(_FETCHES.search(f"{item.keyword} {item.argument}{item.flags}"))


def _develops(file: Dockerfile, uses: list[Service]) -> bool:
    """Whether one of the services starts a server for development, so that the stack is a developer's."""
    return any(_DEVELOPS.search(" ".join((*item.entrypoint, *item.command)) or _starts(file)) for item in uses)


def _evidence(file: Dockerfile, uses: list[tuple[Service, Mount]]) -> Evidence:
    (service, mount), *others = uses
    names = listed(item.name for item, _ in uses)
    return Evidence(
        f"{file.path} copies no program into the image: {names} {'run' if others else 'runs'} what is mounted from the "
        "repository, and on no host without it.",
        file.location,
        subject=file.path,
        service=service.name,
        related=(
            Related(mount.location, f"{service.name} has the folder mounted"),
            *(Related(item.location, f"{other.name} too", member=True) for other, item in others),
        ),
        severity=Severity.LOW if _develops(file, [item for item, _ in uses]) else None,
        recommendation=f"Add `COPY . {mount.target}` to {file.path}, and mount the source for development alone.",
        example=files.into(file.path, f"COPY . {mount.target}"),
    )
