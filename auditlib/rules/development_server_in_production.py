"""A service can only be run as a developer runs it: by its development server, or from mounted source.

A server that reloads on change, or `runserver`, serves one request at a time or watches every file; its makers warn
against using it in production, and its error pages show code and settings. Where no other Compose file or image
replaces it, this is what gets deployed; the same holds for source that is mounted over that of the image.

Anti-pattern:

    api:
      build: ./backend
      command: uvicorn app.main:app --reload
      volumes: ["./backend:/app"]

Better:

    # compose.yaml
    api:
      build: ./backend  # CMD ["uvicorn", "app.main:app", "--workers", "4"]

    # compose.dev.yaml: docker compose -f compose.yaml -f compose.dev.yaml up
    api:
      command: uvicorn app.main:app --reload
      volumes: ["./backend:/app"]

Recommendation:

    Keep the production command in the image, and move the development server and the mounted source to a file that
    developers name: a plain `docker compose up` on the server would load `compose.override.yaml` too.

References:

- https://docs.docker.com/compose/how-tos/production/
- https://fastapi.tiangolo.com/deployment/concepts/
- https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver
"""

from __future__ import annotations

import json
import posixpath
import shlex
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from auditlib import stages
from auditlib.compose.discovery import is_compose_file
from auditlib.conventions import (
    deployment,
    entry_points,
    environments,
    image_folders,
    published_ports,
    routing,
    services,
    stacks,
    starting,
)
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import below
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SIGNS = (
    ("--reload",), ("runserver",), ("fastapi", "dev"), ("next", "dev"), ("nuxt", "dev"), ("run", "dev"),
    ("yarn", "dev"), ("pnpm", "dev"), ("run", "start:dev"), ("nodemon",), ("webpack-dev-server",), ("ng", "serve"),
    ("flask", "--debug"), ("flask", "run"), ("react-scripts", "start"), ("vue-cli-service", "serve"), ("vite", "dev"),
    ("artisan", "serve"), ("export", "RAILS_ENV=development"),
    ("CompileDaemon",), ("cargo", "watch"), ("tsx", "watch"), ("node", "--watch"), ("ts-node-dev",),
    ("start", "--watch"), ("dotnet", "watch"), ("bun", "--watch"), ("bun", "--hot"), ("quart", "run"), ("php", "-S"),
)  # fmt: skip
"""Words that, in this order, start a server for development."""
_OWN_OF_FLASK = regex(r"\bflask(?: (?:--app|-A|--env-file|-e)[= ]\S+| --(?:no-)?debug){1,5} run\b")
"""Flask's own server behind options of `flask` itself."""
_RELOADERS = frozenset({"air", "fresh", "reflex", "gin", "realize"})
"""Programs that build Go code anew at each change; other words are the same, so that only the first one counts."""
_SERVERS = frozenset({"gunicorn", "hypercorn", "daphne", "waitress-serve", "granian", "uwsgi", "pm2"})
"""Servers for production; a script that also knows one of them decides when it runs."""

_INSTEAD = {
    "runserver": "gunicorn <project>.wsgi --bind 0.0.0.0:8000",
    "app.run()": "gunicorn <module>:<application> --bind 0.0.0.0:<port>",
    "flask run": "gunicorn <module>:<application> --bind 0.0.0.0:5000",
    "fastapi dev": "fastapi run <file>",
}
_FILE = "compose.dev.yaml"
_UNKNOWN = "<the command that serves what was built>"
_INTERPRETED = (".py", ".js", ".mjs", ".rb", ".php")
_CODE = (*_INTERPRETED, ".ts")
"""Code that runs as it stands in the folder, TypeScript as far as a tool does so."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that starts a development server, and those on mounted source, if nothing replaces them."""
    if deployment.uses_orchestrator(inventory):
        return
    if any("prod" in file.lower() for project in inventory.projects for file in project.files):
        yield from _of_production(inventory)
        return
    mounted: defaultdict[str, list[tuple[Service, Mount]]] = defaultdict(list)
    for service in inventory.distinct_services:
        sign, start = _development_server(inventory, service)
        source = _source(inventory, service)
        if _is_aside(inventory, service, start):
            continue
        if sign and start:
            yield _evidence(inventory, service, source, sign, start)
        elif source and _stays_mounted(inventory, service, source):
            mounted[service.project].append((service, source))
    for uses in mounted.values():
        yield _mounted(uses)


def _of_production(inventory: Inventory) -> Iterator[Evidence]:
    """What the files that are called for production start, where there are such files: by themselves, or what one that
    is laid over a base brings, or leaves as it is there.
    """
    named = {item.name: item for item in inventory.projects if _of_production_file(item)}
    told: set[tuple[str, Location]] = set()
    mounted: defaultdict[str, list[tuple[Service, Mount]]] = defaultdict(list)
    for service in (item for item in inventory.services if item.project in named):
        sign, start = _development_server(inventory, service)
        source = _source(inventory, service)
        place = start.location if sign and start else source.location if source else None
        if place is None or (service.name, place) in told:
            continue
        project = named[service.project]
        here = place.file == _of_production_file(project) or project.role == "base"  # over which it is known
        if here and not _is_aside(inventory, service, start, laid=len(project.files) > 1):
            told.add((service.name, place))
            if sign and start:
                yield _evidence(inventory, service, None, sign, start, _of_production_file(project))
            elif source:
                mounted[service.project].append((service, source))
    for name, uses in mounted.items():
        yield _mounted(uses, _of_production_file(named[name]))


def _of_production_file(project: Project) -> str:
    """The file of a project that is called for production."""
    return next((file for file in project.files if stages.names_production(posixpath.basename(file))), "")


def _stays_mounted(inventory: Inventory, service: Service, source: Mount) -> bool:
    """Whether no overlay leaves the mount out, where something says that the repository is deployed."""
    everywhere = all(source.target in {mount.target for mount in item.mounts if mount.kind == "bind"}
                     for item in stacks.variants(inventory, service))  # fmt: skip
    return everywhere and bool(deployment.signs_of_production(inventory))


def _is_aside(inventory: Inventory, service: Service, start: Start | None, *, laid: bool = False) -> bool:
    """Whether it is meant for development, or another Compose file of the project changes it, which one that is `laid`
    over others for production is itself.
    """
    changed = not laid and any(item.command != service.command for item in stacks.variants(inventory, service))
    return (
        changed
        or environments.only_for_development(service)
        or bool(start and _is_aside_file(inventory, service, start.location.file))
    )


def _is_aside_file(inventory: Inventory, service: Service, file: str) -> bool:
    """Whether a file is for development; an override is not, if a command for production takes it along."""
    taken = {
        path for item in inventory.projects if item.started_at for path in item.files if item.name == service.project
    }
    return environments.is_for_development(file) and file not in taken


def _development_server(inventory: Inventory, service: Service) -> tuple[str, Start | None]:
    """What shows that a service runs a development server, and where."""
    starts = starting.of(inventory, service)
    decides = any(start.followed and not _SERVERS.isdisjoint(start.words) for start in starts)
    for start in starts:
        parts = [part for word in start.words for part in word.split()]
        pairs = set(pairwise(parts)) | {(part,) for part in parts}
        sign = next((" ".join(sign) for sign in _SIGNS if sign in pairs), "")
        sign = sign or ("flask run" if _OWN_OF_FLASK.search(" ".join(parts)) else "")
        sign = sign or (parts[0] if set(parts[:1]) & _RELOADERS else "") or _own_server(inventory, service, start)
        if sign and not (decides and start.followed):
            return sign, start
    return "", None


def _own_server(inventory: Inventory, service: Service, start: Start) -> str:
    """The call of Flask's own server, if a start runs by Python a file of the repository that has one."""
    program = posixpath.basename(start.words[0]) if start.words else ""  # `ENTRYPOINT []` starts nothing
    if service.build is None or service.build.outside or not program.startswith("python"):
        return ""
    paths = {path for item in entry_points.starts(start.words, {}) for path in item.paths}
    names = {posixpath.basename(path) for path in paths if path.endswith(".py")}
    mine = {path for path in below(inventory.files, service.build.context) if posixpath.basename(path) in names}
    return "app.run()" if mine and mine <= {item.location.file for item in inventory.development_servers} else ""


def _source(inventory: Inventory, service: Service) -> Mount | None:
    """The mount of the source that the image is built from, or of a folder of code in it that the image copies."""
    context = service.build.context if service.build else None
    build = services.dockerfile(inventory, service)
    if context is None:
        return None
    copied = {
        posixpath.normpath(posixpath.join(context, word))
        for item in (build.instructions if build else ())
        if item.keyword in ("COPY", "ADD")
        for word in item.words[:-1]
    }
    folders = image_folders.of_code(inventory, service)
    return next(
        (
            mount
            for mount in service.mounts
            if mount.kind == "bind"
            and image_folders.reaches(mount, folders)
            and (
                mount.source == context
                or (mount.source in copied and _holds_code(inventory, mount.source))
                or (
                    _holds_most(inventory, mount.source, context) and image_folders.hides_own(inventory, service, mount)
                )
            )
        ),
        None,
    )


def _holds_code(inventory: Inventory, folder: str) -> bool:
    return any(path.endswith(_CODE) for path in below(inventory.files, folder))


def _holds_most(inventory: Inventory, folder: str, context: str) -> bool:
    """Whether a folder has at least half of the code of a context, as one of scripts or settings hasn't."""
    mine, whole = (
        sum(path.endswith(_INTERPRETED) for path in below(inventory.files, place)) for place in (folder, context)
    )
    return 0 < whole <= 2 * mine


def _replaced(inventory: Inventory, service: Service) -> Location | None:
    """The command of an earlier file that the one of a later file, such as the override, replaces."""
    place = service.command_location
    if place and stages.names_production(posixpath.basename(place.file)):  # which nothing loads by itself
        return None
    places = (item.losers for item in inventory.overrides if item.location == place)
    return next((losers[-1] for losers in places if losers), None)


def _evidence(
    inventory: Inventory, service: Service, source: Mount | None, sign: str, start: Start, production: str = ""
) -> Evidence:
    """`production` is the file of the service's project that is called so."""
    related = [Related(source.location, "the source is mounted over that of the image")] if source else []
    if start.followed:
        related.append(Related(service.command_location or service.location, f"{service.name} starts with it"))
    alone = "and no other Compose file has another command for it; if this file is what is deployed, so is that server"
    if production:
        alone = f"and {production} is for production"
        alone += "" if start.location.file == production else ", and has no other command for it"
    replaced = _replaced(inventory, service)
    taken = replaced and (
        f"as {start.location.file} replaces its command of {replaced.file}, and `docker compose up` loads both where "
        "it is given no file"
    )
    return Evidence(
        f"{service.name} runs a development server (`{sign}`){' on bind-mounted source' if source else ''}, "
        f"{taken or alone}.",
        start.location,
        subject=service.name,
        service=service.name,
        related=tuple(related),
        severity=None if _is_reached(inventory, service) else Severity.MEDIUM,
        recommendation=f"Start production with `docker compose -f {replaced.file} up -d`, which leaves "
        f"{start.location.file} out."
        if replaced
        else _advice(inventory, service, source, start),
        change=(f" {sign}", "") if sign.startswith("--") else ("", ""),
        example=f"docker compose -f {shlex.quote(replaced.file)} up -d"
        if replaced
        else _example(inventory, service, source, sign, start),
    )


def _is_reached(inventory: Inventory, service: Service) -> bool:
    """Whether users get to a service: at a published port, or through a proxy."""
    return published_ports.is_exposed(service) or any(
        (way.service.project, way.service.name) == (service.project, service.name) for way in routing.ways(inventory)
    )


def _is_of_compose(start: Start) -> bool:
    return is_compose_file(posixpath.basename(start.location.file))


def _advice(inventory: Inventory, service: Service, source: Mount | None, start: Start) -> str:
    if not _is_of_compose(start):
        return f"Start a server for production in {start.location.file}, and this one for developers alone."
    build = services.dockerfile(inventory, service)
    own = build is not None and any(item.keyword in ("CMD", "ENTRYPOINT") for item in build.instructions)
    rest = "leave the production command to the image" if own else "give it one for production"
    moved = f"the command of {service.name}{' and the mounted source' if source else ''}"
    return f"Move {moved} to {_FILE}, which developers add by `-f`, and {rest}."


def _example(inventory: Inventory, service: Service, source: Mount | None, sign: str, start: Start) -> str:
    """What moves to the file of developers; where the image itself starts the server, what it is to start."""
    instead = _INSTEAD.get(sign, _UNKNOWN)
    if _is_of_compose(start):
        moved = _for_developers([(service, source)])
        return moved or compose_lines.of_service(service, f"command: {instead}")
    if any(file.path == start.location.file for file in inventory.dockerfiles):
        installed = "RUN pip install gunicorn==<version>\n" if instead.startswith("gunicorn") else ""
        instead = f"{installed}CMD {json.dumps(instead.split()) if sign in _INSTEAD else instead}"
    return files.into(start.location.file, instead)


def _mounted(uses: list[tuple[Service, Mount]], production: str = "") -> Evidence:
    """One finding for a project; those that run a development server have their own, which says so too."""
    (service, source), *others = uses
    names = listed(item.name for item, _ in uses)
    alone = "no other Compose file leaves it out; if this file is what is deployed, what"
    return Evidence(
        f"{names} {'runs' if not others else 'run'} source that is bind-mounted over that of the image, and "
        f"{f'{production} is for production: what' if production else alone} runs is whatever lies in the folder, not "
        "what was built and tested.",
        source.location,
        subject=f"{service.project}/source",
        service=service.name,
        related=tuple(Related(mount.location, f"{item.name} mounts it too", member=True) for item, mount in others),
        recommendation=f"Move the mounted source of {names} to {_FILE}, which developers add by `-f`.",
        severity=Severity.MEDIUM,
        example=_for_developers(uses),
    )


def _for_developers(uses: Sequence[tuple[Service, Mount | None]]) -> str:
    """What moves out of the file that is deployed into one that no server reads by itself."""
    blocks = []
    file = uses[0][0].location.file
    folder = posixpath.dirname(file)
    for service, source in uses:
        command = [f"command: {shlex.join(service.command)}"] if service.command else []
        mount = [compose_lines.of_mount(file, source.source, source.target)] if source else []
        blocks.append(compose_lines.of_service(service, "\n".join((*command, *mount))))
    lines = textwrap.indent("\n".join(filter(None, blocks)), "  ")
    path = posixpath.join(folder, _FILE)
    start = f"# docker compose -f {shlex.quote(file)} -f {shlex.quote(path)} up"
    return files.into(path, f"{start}\nservices:\n{lines}") if lines else ""
