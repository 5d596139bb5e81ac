"""`load`: Compose files to a resolved `Project`.

Follows `docker compose config`: the environment and its env files, the project's name, the stages of `Pipeline`, then
normalisation, decoding, profiles, consistency and the files of each service.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from auditlib.compose.consistency import check_consistency
from auditlib.compose.decode import Decoder
from auditlib.compose.env_files import ServiceFiles
from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.include import Place
from auditlib.compose.normalize import normalize
from auditlib.compose.pipeline import Options, Pipeline
from auditlib.compose.project import Project
from auditlib.compose.selection import by_profile, needed
from auditlib.compose.session import Environment, Session, Use
from auditlib.compose.shapes import SECTIONS
from auditlib.compose.sources import Sources
from auditlib.compose.surroundings import NAME, project_name, read_environment
from auditlib.compose.tree import Map, Mark, Seq


def load(
    files: Iterable[str | os.PathLike[str]],
    *,
    profiles: Iterable[str] = (),
    project_name: str | None = None,
    environ: Mapping[str, str] | None = None,
    env_files: Iterable[str | os.PathLike[str]] | None = None,
    project_directory: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    strict: bool = True,
    interpolate: bool = True,
) -> Project:
    """Resolve Compose files as `docker compose config` does.

    `files` are the Compose file and its overrides, the later ones above the earlier. `environ` is the process
    environment unless given; `env_files` is the `.env` beside the first file unless given (`()` for none). With `root`,
    no file outside that folder is opened, by whatever way it is referred to. A project that Compose would refuse
    raises `ComposeError`; with `strict=False` it gives what could be resolved and all the `errors`.
    """
    named = [os.fspath(f) for f in files]
    if not named:
        raise ComposeError("no Compose file given")
    with _uncollected():
        request = _Request(named, tuple(profiles), project_name, environ, env_files, project_directory, root)
        return _load(request, strict=strict, interpolate=interpolate)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the cyclic garbage collector: a large project is a million objects without a cycle, looked at in vain."""
    held = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if held:
            gc.enable()


class _Request(Struct, frozen=True):
    """What the caller of `load` asked for."""

    named: list[str]
    profiles: tuple[str, ...]
    project_name: str | None
    environ: Mapping[str, str] | None
    env_files: Iterable[str | os.PathLike[str]] | None
    project_directory: str | os.PathLike[str] | None
    root: str | os.PathLike[str] | None


def _load(request: _Request, *, strict: bool, interpolate: bool) -> Project:
    named = request.named
    paths = tuple(os.path.abspath(f) for f in named)
    folder = (
        os.path.abspath(request.project_directory)
        if request.project_directory is not None
        else os.path.dirname(paths[0])
    )
    sources = Sources(os.fspath(request.root) if request.root is not None else None)
    sources.name_from(os.path.dirname(paths[0]), os.path.dirname(named[0]) or ".")
    session = Session(sources, strict=strict)
    _open(session, paths, named)
    environment = read_environment(session, folder, request.environ, request.env_files)
    session.settle()
    name = project_name(session, paths, folder, request.project_name, environment)
    environment = Environment({**environment.values, NAME: name}, environment.marks)
    session.settle()
    options = Options(interpolation=interpolate, home=environment.get("HOME"))
    # Without interpolation Compose lets its model see nothing of the environment.
    seen = environment if interpolate else Environment({NAME: name})
    model = Pipeline(session, Place(folder, folder, folder), seen, options).files(paths)
    if not model and not session.errors:
        session.fault("the Compose file is empty", _whole(session, paths[0]), (), "empty")
    session.settle()
    chosen = request.profiles or tuple(
        p.strip() for p in environment.values.get("COMPOSE_PROFILES", "").split(",") if p.strip()
    )
    finish = _finish if interpolate else _finish_raw
    return finish(session, model, name, environment, chosen)


def _open(session: Session, paths: tuple[str, ...], named: list[str]) -> None:
    """Read the caller's files first, so that they come first in `files` and bear the caller's names."""
    for path, name in zip(paths, named, strict=True):
        try:
            session.sources.read(path, None if session.sources.root is not None else name)
        except ComposeError as error:
            session.add(error)
    session.settle()


def _whole(session: Session, path: str) -> int | None:
    try:
        return session.sources.read(path).number << 64
    except ComposeError:
        return None


def _finish(session: Session, model: Map, name: str, environment: Environment, profiles: tuple[str, ...]) -> Project:
    """From the long form to the resolved project."""
    normal = normalize(model, name, environment.get)
    decoded = Decoder(session.fault).project(normal)
    session.settle()
    services = decoded.get("services") or Map()
    enabled, disabled = by_profile(services, profiles)
    resolved = decoded.copy()
    resolved.put("services", enabled, decoded.marks.get("services"))
    check_consistency(resolved, disabled, session.fault)
    session.settle()
    _agree_on_replicas(enabled)
    _check_outside(session, decoded)
    files = ServiceFiles(session, environment)
    for service in list(enabled):
        enabled[service] = files.resolve(service, enabled[service])
    session.settle()
    everything = decoded.copy()
    everything.put("services", _with_disabled(session, services, enabled, environment), decoded.marks.get("services"))
    named = tuple(source.name for source in session.sources.files)
    return Project(name, named, profiles, environment, needed(resolved), everything, session, normal)


def _finish_raw(
    session: Session, model: Map, name: str, environment: Environment, profiles: tuple[str, ...]
) -> Project:
    """A project that was not interpolated: what can be decoded is, and no service is left out."""
    normal = normalize(model, name, lambda _: None)
    for section in SECTIONS:
        for text, mark, path in _dollars(normal.get(section), (section,)):
            session.uses.append(Use(text, mark, path, environment))
    decoded = Decoder(lambda *_: None).project(normal)
    named = tuple(source.name for source in session.sources.files)
    return Project(name, named, profiles, environment, decoded, decoded, session, normal, interpolated=False)


def _dollars(value: Any, path: Path, mark: Mark = None) -> Iterator[tuple[str, Mark, Path]]:
    """The texts below a value that have a `$`."""
    if isinstance(value, str) and "$" in value:
        yield value, mark, path
    elif isinstance(value, Map):
        for key, item in value.items():
            yield from _dollars(item, (*path, key), value.marks.get(key))
    elif isinstance(value, Seq):
        for index, (item, at) in enumerate(value.entries()):
            yield from _dollars(item, (*path, index), at)


def _agree_on_replicas(services: Map) -> None:
    """A service's `scale` also counts as its `deploy.replicas`."""
    for name, service in services.items():
        if "scale" in service and "deploy" in service and "replicas" not in service["deploy"]:
            changed = service.copy()
            changed["deploy"] = service["deploy"].copy()
            changed["deploy"].put("replicas", service["scale"], service.marks.get("scale"))
            services[name] = changed


def _with_disabled(session: Session, services: Map, enabled: Map, environment: Environment) -> Map:
    """All services; what is wrong in the files of disabled ones does not matter to Compose."""
    aside = Session(session.sources, strict=False)
    files = ServiceFiles(aside, environment)
    out = Map()
    for name, service in services.items():
        out.put(name, enabled[name] if name in enabled else files.resolve(name, service), services.marks.get(name))
    return out


def _check_outside(session: Session, project: Map) -> None:
    """Configs and secrets from files outside the root: they are never opened here, but they are said."""
    if session.sources.root is None:
        return
    for section in ("configs", "secrets"):
        entries: dict[str, Any] = project.get(section) or {}
        for name, entry in entries.items():
            try:
                if entry.get("file"):
                    session.sources.guard(entry["file"])
            except ComposeError as error:
                session.fault(error.reason, entry.marks.get("file"), (section, name, "file"), error.kind)
    session.settle()
