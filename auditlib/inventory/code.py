"""What the code of the programs and of their tests says: imports, routes, suites, programs that it starts."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class TestSuite(Struct, frozen=True):
    """Tests that one command runs: `framework` is `pytest`, `unittest`, `playwright`, `jest`, `vitest`, `cypress`,
    `mocha`, `node` or `bun`, or of other languages `go`, `rspec`, `minitest`, `phpunit`, `dotnet`, `cargo`, `junit`,
    `bats`."""

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
    reaches: frozenset[str] = frozenset()
    """The files of code that tests in JavaScript load, as far as it shows; none where that isn't looked for."""
    tag: str = ""
    """What a command has to name for the tests to be among those that it runs (`go test -tags=e2e`)."""
    __test__ = False  # it is no test of ours


class UntestingFile(Struct, frozen=True):
    """A file of Go that is called a test and declares none, as one with `TestMain` alone."""

    location: Location


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


class ScriptDefault(Struct, frozen=True):
    """A number that a shell script takes where nobody sets a variable (`DAYS=${DAYS:-7}`)."""

    name: str
    value: str
    location: Location


class IgnoredTest(Struct, frozen=True):
    """A test of Rust with `#[ignore]`, which `cargo test` leaves out unless it is told otherwise."""

    location: Location


class Migrator(Struct, frozen=True):
    """A file of code that applies database migrations by itself."""

    path: str
    location: Location


class PrismaSchema(Struct, frozen=True):
    """A schema of Prisma from which a client of JavaScript is generated."""

    output: str
    """The folder for the client; empty for `node_modules/.prisma`."""
    location: Location


class CompilerOutput(Struct, frozen=True):
    """The folder that a configuration of TypeScript's compiler has it write to: `output`, relative to `folder`."""

    folder: str
    output: str
    location: Location


class MigrationAddress(Struct, frozen=True):
    """Where code gives Alembic's configuration the address of its database, as it is and not with each `%` doubled."""

    location: Location


class CodeTrait(Struct, frozen=True):
    """What a file of a program's code does with the databases, services and clients that it uses.

    `kind` is `upload` (its users' files go to a folder), `takes files`, `stored away`, `schema` (it changes tables
    when it starts), `drop` (it drops them), `pool` (it opens connections of Go's `database/sql`), `pool limit`, `pool
    size`, `engine` (SQLAlchemy's, without a check of its connections), `endless` (a request without a
    limit of time), `timed` (a limit of the same client), `go server` and `node server` (it serves), `go timeouts`,
    `ends` (it ends in order), `client` (one that fails by an error that nobody hears), `client exits`, `client
    heard`, `stream` (of Redis, that grows), `trims`, `jobs` (of BullMQ), `jobs removed`, `custom backoff`, `backoff
    strategy`, `scheduler` (it starts tasks by the clock itself), `schedule` (of Laravel), `background` (a task that
    its start begins), `locked` (by a lock that others see), `in memory` (it keeps in a process what all have to
    know), `shared`, `taken early` (messages count as done when they are handed out), `own queue` (one that it makes for
    itself), `go main` (a program's folder), `go import` (a folder of the repository that it imports) or `py
    import`.
    """

    kind: str
    word: str
    """What stands there, or the library."""
    location: Location
    function: str = ""
    """The function of Python at the top level that it stands in."""


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
    named_by: frozenset[str] | None = None
    """The other files of code that have the name of its module as a word; `None` where its name tells no module."""
