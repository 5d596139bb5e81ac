"""What the code of the programs and of their tests says: imports, routes, suites, programs that it starts."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class TestSuite(Struct, frozen=True):
    """Tests that one command runs: `framework` is `pytest`, `unittest`, `playwright`, `jest`, `vitest`, `cypress`,
    `mocha`, `node` or `bun`, or of other languages `go`, `rspec`, `minitest`, `phpunit`, `dotnet`, `cargo`, `junit`."""

    framework: str
    folder: str
    """The folder of the package or configuration it belongs to; empty for the root."""
    files: tuple[str, ...]
    location: Location
    cases: int = 0
    """How many tests the files declare, as far as their text shows it."""
    variables: frozenset[str] = frozenset()
    """Names in capitals in the tests and in what is loaded with them (`conftest.py`): variables that they may set."""
    self_contained: bool = False
    """Whether tests in Python import nothing beside the standard library and pytest, so that no application loads."""
    __test__ = False  # it is no test of ours


class Import(Struct, frozen=True):
    """A module that the top level of a file imports, as it is written, with the names taken from it."""

    module: str
    names: tuple[str, ...]
    location: Location


class LocalImports(Struct, frozen=True):
    """What a file of code imports as soon as it is loaded; `alters_path`: whether it may change where it looks."""

    path: str
    imports: tuple[Import, ...]
    location: Location
    alters_path: bool = False
    names: frozenset[str] = frozenset()
    """What a module of Python calls by a name of its own; `*` where it takes all names of another one."""


class UnfitImport(Struct, frozen=True):
    """An import of Python whose module is a file with a hyphen in its name (`file`), which no import finds."""

    module: str
    file: str
    location: Location


class IgnoredTest(Struct, frozen=True):
    """A test of Rust with `#[ignore]`, which `cargo test` leaves out unless it is told otherwise."""

    location: Location


class Migrator(Struct, frozen=True):
    """A file of code that applies database migrations by itself."""

    path: str
    location: Location


class MigrationAddress(Struct, frozen=True):
    """Where code gives Alembic's configuration the address of its database, as it is and not with each `%` doubled."""

    location: Location


class Route(Struct, frozen=True):
    """An HTTP route that code declares: `METHOD` (or `*`), path, framework."""

    method: str
    path: str
    framework: str
    location: Location
    generated: bool = False
    """Whether the framework adds it by itself, such as the page of its documentation."""
    whole: bool = False
    """Whether nothing stands before the path: it is one of an application that nothing else mounts."""


class ProgramCall(Struct, frozen=True):
    """A place where code starts another program by its name (`subprocess.run(["pg_dump", ...])`)."""

    name: str
    location: Location
