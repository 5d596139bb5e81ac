"""What one `load` gathers on its way: the files read, the faults and warnings found, the variables used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from auditlib.compose.dotenv import DotenvError, parse
from auditlib.compose.errors import ComposeError, Path, together
from auditlib.compose.sources import Sources
from auditlib.compose.tree import Mark, at, pack
from auditlib.compose.yaml_reader import Document, read_documents
from auditlib.model import Location


class Notice(Struct, frozen=True):
    """Something that Compose accepts and warns of. `kind` is `unset`, `obsolete` or `deprecated`."""

    message: str
    kind: str
    location: Location | None = None
    path: Path = ()
    variable: str | None = None

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.location else self.message


class Environment(Struct, frozen=True):
    """The variables that interpolation sees, and where each was set: in an env file, or by the process (`None`)."""

    values: Mapping[str, str]
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value of a variable, `None` if it is not set."""
        return self.values.get(name)

    def with_more(self, values: Mapping[str, str], marks: Mapping[str, Mark]) -> Environment:
        """These variables and those of `values` that are not set yet."""
        fresh = [name for name in values if name not in self.values]
        return Environment(
            {**self.values, **{n: values[n] for n in fresh}}, {**self.marks, **{n: marks.get(n) for n in fresh}}
        )


class Use(Struct, frozen=True):
    """A text with a `$` that was interpolated: the text, its place, its path and the variables it saw."""

    text: str
    mark: Mark
    path: Path
    environment: Environment


LIMIT = 1000
"""More errors or warnings than this help nobody."""


class Session:
    """The state of one `load`. Stages report faults to it; `settle` raises them when the caller is strict."""

    def __init__(self, sources: Sources, *, strict: bool) -> None:
        self.sources, self.strict = sources, strict
        self.errors: list[ComposeError] = []
        self.warnings: list[Notice] = []
        self.uses: list[Use] = []
        self._documents: dict[str, list[Document]] = {}
        self._use_paths: dict[int | None, Path] = {}
        self._indexed = 0
        self._warned: set[Notice] = set()
        self._told: set[tuple[str, Location | None, Path]] = set()

    def documents(self, path: str) -> list[Document]:
        """The YAML documents of a file; read once, and its faults reported with the first reading."""
        if path not in self._documents:
            source = self.sources.read(path)

            def report(reason: str, mark: Mark, where: Path) -> None:
                self.fault(reason, mark, where, "yaml")

            self._documents[path] = read_documents(source, report)
        return self._documents[path]

    def fault(self, reason: str, mark: Mark, path: Path = (), kind: str = "invalid") -> None:
        """Note what Compose would refuse."""
        self.add(ComposeError(reason, self.sources.location(mark), path, kind))

    def add(self, error: ComposeError, mark: Mark = None) -> None:
        """Note an error; one without a place gets that of the reference it came from."""
        for single in error.errors:
            placed = single
            if single.location is None and mark is not None:
                placed = ComposeError(single.reason, self.sources.location(mark), single.path, single.kind)
            key = (placed.reason, placed.location, placed.path)
            if key not in self._told and len(self._told) <= LIMIT:
                self._told.add(key)
                self.errors.append(
                    placed
                    if len(self._told) <= LIMIT
                    else ComposeError("further errors are not listed", placed.location, (), "too-many")
                )

    def warn(self, message: str, kind: str, mark: Mark = None, path: Path = (), variable: str | None = None) -> None:
        """Note what Compose only warns of."""
        notice = Notice(message, kind, self.sources.location(mark), path, variable)
        if notice not in self._warned and len(self.warnings) < LIMIT:
            self._warned.add(notice)
            self.warnings.append(notice)

    def use_path(self, mark: Mark) -> Path | None:
        """The path of the text with variables that stands at a mark, if one does."""
        for use in self.uses[self._indexed :]:
            self._use_paths[at(use.mark)] = use.path
        self._indexed = len(self.uses)
        return self._use_paths.get(at(mark))

    def unset(self, name: str, mark: Mark, path: Path) -> None:
        """Note a variable that became blank for want of a value."""
        self.warn(f"the variable {name} is not set and became blank", "unset", mark, path, name)

    def settle(self) -> None:
        """Raise what was found so far, all of it, if the caller is strict."""
        if self.strict and self.errors:
            raise together(self.errors)


def read_env_files(session: Session, paths: Iterable[tuple[str, Mark]], known: Environment) -> Environment:
    """The variables of env files for interpolation; `known` stands above them, later files above earlier ones."""
    values: dict[str, str] = {}
    marks: dict[str, Mark] = {}
    for path, mark in paths:
        try:
            source = session.sources.read(path)
        except ComposeError as error:
            session.add(error, mark)
            continue
        try:
            for item in parse(source.text, values, known.get):
                marks[item.name] = pack(source.number, item.start, item.end)
                if "$" in item.raw and item.quote != "'":
                    seen = known.with_more(values, marks)
                    session.uses.append(Use(item.raw, marks[item.name], (item.name,), seen))
        except DotenvError as error:
            session.fault(str(error), pack(source.number, max(error.offset, 0), max(error.offset, 0)), (), "env-file")
    return Environment(values, marks)
