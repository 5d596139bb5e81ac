"""The stages in their order, for one file and for a set of files.

Follows `loadYamlFile` and `loadYamlModel` of compose-go's `loader/loader.go`.
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.compose.canonical import canonical
from auditlib.compose.defaults import check, set_defaults
from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.extends import Extends, Scope
from auditlib.compose.include import Include, LoadProject, Place
from auditlib.compose.interpolate import Interpolation
from auditlib.compose.merge import Merge
from auditlib.compose.normalize import resolve_environment
from auditlib.compose.paths import Resolver, follow_links
from auditlib.compose.places import prune
from auditlib.compose.schema import validate
from auditlib.compose.session import Environment, Session, Use
from auditlib.compose.tree import Map, Mark
from auditlib.compose.unicity import enforce_unicity
from auditlib.compose.yaml_reader import Document

INCLUDE_DEPTH = 50


class Options(Struct, frozen=True):
    """Which stages run: without interpolation, the texts stay as they are written."""

    interpolation: bool = True
    home: str | None = None
    """What `~` stands for."""


class Pipeline:
    """Loads files into one long-form project, with everything relative to `place`."""

    def __init__(
        self, session: Session, place: Place, environment: Environment, options: Options, depth: int = 0
    ) -> None:
        self.session, self.place, self.environment, self.options, self.depth = (
            session,
            place,
            environment,
            options,
            depth,
        )
        self._bases: dict[str, Scope] = {}

    def files(self, paths: tuple[str, ...], included: tuple[str, ...] = ()) -> Map:
        """All files, each laid over the ones before, then completed and checked."""
        session, project = self.session, Map()
        for path in paths:
            try:
                documents = session.documents(path)
            except ComposeError as error:
                session.add(error)
                continue
            for document in documents:
                project = self._lay_over(project, document, path, included)
                session.settle()
        session.settle()
        project = set_defaults(project, session.fault)
        project = check(project, session.fault)
        project = self._resolver(self.place.relative).run(project)
        session.settle()
        return resolve_environment(project, self.environment.get)

    def _interpolated(self, document: Document) -> Map | None:
        if not isinstance(document.value, Map):
            self.session.fault("expected a mapping at the top of a Compose file", document.mark, (), "not-a-mapping")
            return None
        if not self.options.interpolation:
            return document.value
        used = self.session.uses
        environment = self.environment

        def note(text: str, mark: Mark, path: Path) -> None:
            used.append(Use(text, mark, path, environment))

        def fault(reason: str, kind: str, mark: Mark, path: Path) -> None:
            self.session.fault(reason, mark, path, kind)

        return Interpolation(environment.get, fault, self.session.unset, note).run(document.value)

    def _lay_over(self, project: Map, document: Document, path: str, included: tuple[str, ...]) -> Map:
        """One document onto what the documents before it made."""
        session = self.session
        value = self._interpolated(document)
        if value is None:
            return project
        cleared = tuple(document.cleared)
        value = Extends(session, self._base, path).run(value, cleared)
        for where in cleared:
            if all(isinstance(part, str) for part in where):
                project = prune(project, where)
        value = Include(session, self._included(included, path), self.place, self.environment).run(
            value, (*included, path)
        )
        project = Merge(session.fault).files(project, value)
        project = enforce_unicity(project, session.fault)
        project = validate(project, session.fault)
        session.settle()
        project = self._without_version(project)
        project = canonical(project, session.fault, lenient=not self.options.interpolation)
        return enforce_unicity(project, session.fault)

    def _without_version(self, project: Map) -> Map:
        if "version" in project:
            mark = project.marks.get("version")
            self.session.warn("`version` is obsolete and ignored; remove it", "obsolete", mark, ("version",))
            project = project.copy()
            project.drop("version")
        return project

    def _included(self, included: tuple[str, ...], path: str) -> LoadProject:
        def load(paths: tuple[str, ...], place: Place, environment: Environment) -> Map:
            if self.depth >= INCLUDE_DEPTH:
                raise ComposeError(f"include nested deeper than {INCLUDE_DEPTH} levels", kind="too-deep")
            inner = Pipeline(self.session, place, environment, self.options, self.depth + 1)
            return inner.files(paths, (*included, path))

        return load

    def _base(self, file: str) -> Scope:
        """The services of a file that is extended from: canonical, not validated, paths seen from this project."""
        if file in self._bases:
            return self._bases[file]
        path = self.place.absolute(file)
        session = self.session
        project, cleared = Map(), list[Path]()
        for document in session.documents(path):
            value = self._interpolated(document)
            if value is None:
                continue
            cleared += document.cleared
            for where in document.cleared:
                if all(isinstance(part, str) for part in where):
                    project = prune(project, where)
            project = enforce_unicity(Merge(session.fault).files(project, value), session.fault)
            project = canonical(project, session.fault, lenient=not self.options.interpolation)
            project = enforce_unicity(project, session.fault)
        if not isinstance(project.get("services"), Map):
            raise ComposeError(f"no services in {file}", kind="undefined-service")
        project = self._resolver(self.place.directory(file)).run(project)
        scope = Scope(project["services"].copy(), file, tuple(cleared))
        self._bases[file] = scope
        return scope

    def _resolver(self, folder: str) -> Resolver:
        return Resolver(folder, self.options.home, self.session.fault, self._follow)

    def _follow(self, path: str) -> str:
        if not path.startswith("/"):
            return path
        try:
            self.session.sources.guard(path)
        except ComposeError:
            return path
        return follow_links(path)
