"""Records of workflows, images, manifests, scripts, test suites and documents."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location
from auditlib.redaction import Value


class Command(Struct, frozen=True):
    """One simple command of a shell text, after quotes are removed; expansions stay as they are written."""

    words: tuple[str, ...]
    location: Location
    cannot_fail: bool = False
    """Whether its failure is swallowed (`|| true`, `|| echo …`, `; exit 0`)."""
    folder: str = ""
    """Where a preceding `cd` led to."""
    assignments: tuple[str, ...] = ()
    """The names of variables set for this command alone (`FOO=1 make`)."""
    writes: tuple[str, ...] = ()
    """The files that its output goes to (`> alertmanager.yml`)."""
    asked: bool = False
    """Whether something decides by its exit status: `if`, `while`, `!`, `&&`, `||`, `set -e`, a text that asks `$?`."""
    caught: bool = False
    """Whether another command takes its output: a pipe, `$(…)`."""
    conditional: bool = False
    """Whether it runs only in some case: below an `if` or a `case`, or behind `&&` or `||`."""
    expands: tuple[str, ...] = ()
    """The variables whose values the shell puts into its words."""
    function: str = ""
    """The function of the script that it stands in."""


class Trigger(Struct, frozen=True):
    """An event of `on:`. `branches` are its filters, `!`-prefixed where they exclude."""

    event: str
    branches: tuple[str, ...]
    paths: tuple[str, ...]
    location: Location
    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    """The workflows that a `workflow_run` waits for, by name."""
    schedules: tuple[str, ...] = ()
    """The cron expressions of `schedule`."""


class Pair(Struct, frozen=True):
    """A name and its (masked) value, with its place: an `env` entry, a `with` entry."""

    name: str
    value: str
    location: Location


class Step(Struct, frozen=True):
    """A step of a job. `uses` is an action, `commands` what `run` says."""

    workflow: str
    job: str
    index: int
    name: str
    uses: str
    run: str
    commands: tuple[Command, ...]
    env: tuple[Pair, ...]
    inputs: tuple[Pair, ...]
    working_directory: str
    condition: str
    continue_on_error: bool
    location: Location
    id: str = ""
    shell: str = ""
    """What runs `run`, defaults applied; empty for the runner's own choice, Bash."""
    remote: tuple[Command, ...] = ()
    """What an action has another host run by SSH (`script`)."""


class JobService(Struct, frozen=True):
    """A service container of a job."""

    name: str
    image: str
    env: tuple[Pair, ...]
    location: Location
    ports: tuple[str, ...] = ()
    options: str = ""
    """Further arguments of `docker create` (`--health-cmd …`)."""


class Job(Struct, frozen=True):
    """A job of a workflow. `uses` names a reusable workflow; `environment` a deployment environment."""

    workflow: str
    id: str
    name: str
    needs: tuple[str, ...]
    runs_on: str
    matrix: tuple[tuple[str, tuple[str, ...]], ...]
    services: tuple[JobService, ...]
    env: tuple[Pair, ...]
    environment: str
    condition: str
    uses: str
    continue_on_error: bool
    working_directory: str
    steps: tuple[Step, ...]
    location: Location
    container: str = ""
    """The image that the job's steps run in; empty for the runner itself."""
    inputs: tuple[Pair, ...] = ()
    """What a reusable workflow is called with."""
    included: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The values that the cases of the matrix's `include` add, by key."""
    concurrency: str = ""
    """The group of which one run goes on at a time."""
    permissions: tuple[tuple[str, str], ...] | None = None
    """What the job's token may do; None where the job doesn't say, `*` for `read-all` and `write-all`."""


class Workflow(Struct, frozen=True):
    """A workflow of GitHub Actions."""

    file: str
    name: str
    triggers: tuple[Trigger, ...]
    env: tuple[Pair, ...]
    jobs: tuple[Job, ...]
    secrets: tuple[PairUse, ...]
    location: Location
    concurrency: str = ""
    permissions: tuple[tuple[str, str], ...] | None = None


class Action(Struct, frozen=True):
    """An action of the repository itself; `using` is `composite`, `docker` or `node20`; only the first has steps."""

    path: str
    name: str
    using: str
    steps: tuple[Step, ...]
    secrets: tuple[PairUse, ...]
    location: Location


class PairUse(Struct, frozen=True):
    """A `secrets.NAME` or `vars.NAME` that a workflow refers to."""

    kind: str
    name: str
    location: Location


class Instruction(Struct, frozen=True):
    """An instruction of a Dockerfile. `words` is the exec form, or the shell-split argument; `shell` tells which."""

    keyword: str
    argument: str
    words: tuple[str, ...]
    shell: bool
    flags: tuple[str, ...]
    stage: str
    location: Location
    commands: tuple[Command, ...] = ()
    """What RUN, CMD, ENTRYPOINT or HEALTHCHECK executes."""
    variables: tuple[tuple[str, Value | None], ...] = ()
    """What ENV or ARG sets; None for an ARG without a default."""

    @property
    def copies_context(self) -> bool:
        """Whether it brings files of the build context."""
        return self.keyword in ("COPY", "ADD") and not self.copies_image

    @property
    def copies_image(self) -> bool:
        """Whether it brings files of another stage, image or named context (`COPY --from=build`)."""
        return any(flag.startswith("--from") for flag in self.flags)


class Stage(Struct, frozen=True):
    """A build stage. `base` is the image or earlier stage it starts from; an unnamed stage is called by its number."""

    name: str
    base: str
    location: Location


class Dockerfile(Struct, frozen=True):
    """A Dockerfile, taken apart."""

    path: str
    stages: tuple[Stage, ...]
    instructions: tuple[Instruction, ...]
    location: Location


class DockerIgnore(Struct, frozen=True):
    """A `.dockerignore`: the patterns in their order, those that include again prefixed with `!`."""

    path: str
    patterns: tuple[str, ...]
    location: Location


class ScriptTarget(Struct, frozen=True):
    """A named command of a manifest: an npm script, a make target, an entry point."""

    name: str
    commands: tuple[Command, ...]
    text: str
    location: Location


class Requirement(Struct, frozen=True):
    """A dependency by its normalised name, with its version constraint and group (`main`, `dev`, …)."""

    name: str
    constraint: str
    group: str
    location: Location


class Manifest(Struct, frozen=True):
    """package.json, pyproject.toml, requirements*.txt, go.mod, a Makefile: `kind` is `npm`, `python`, `go`, `make`."""

    path: str
    kind: str
    name: str
    targets: tuple[ScriptTarget, ...]
    requirements: tuple[Requirement, ...]
    runtime: str
    """The constraint on the language's version (`requires-python`, `engines.node`)."""
    tools: tuple[str, ...]
    """Tools that it configures (`ruff`, `pytest`, `eslintConfig`)."""
    location: Location
    incomplete: bool = False
    """Whether more targets may come from elsewhere: a makefile's `include`, pattern rule or computed name."""
    constrained: bool = False
    """Whether a file of constraints (`-c`) holds the versions that the requirements leave open."""
    needs: tuple[Requirement, ...] = ()
    """What packages in its lock file need of the language, each constraint with the first package that has it."""


class Script(Struct, frozen=True):
    """A program outside an application: `summary` is the first sentence of its docstring or leading comment."""

    path: str
    interpreter: str
    summary: str
    executable: bool
    commands: tuple[Command, ...]
    """Of a shell script."""
    location: Location
    shebang: bool = False
    """Whether its first line names the program that runs it (`#!/bin/sh`)."""


class TestSuite(Struct, frozen=True):
    """Tests that one command runs: `framework` is `pytest`, `unittest`, `playwright`, `jest`, `vitest`, `cypress`,
    `mocha`, `node` or `bun`."""

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


class Caller(Struct, frozen=True):
    """A file of another program (cron, systemd, Terraform) that starts scripts, with the names of these."""

    path: str
    scripts: tuple[str, ...]
    location: Location


class Mention(Struct, frozen=True):
    """What a document mentions of the repository: `kind` is `path`, `command` or `variable`; `missing` is a
    script outside code that the repository lacks, `link` a relative link to a file that it lacks, `address` a line
    that sends its reader to a port of the own machine, `metric` the name of an exporter's metric, `dispatch` a line
    that has a workflow started by hand, `secret` a name in the first column of a table of secrets."""

    kind: str
    text: str
    location: Location


class Heading(Struct, frozen=True):
    """A heading of a document, with its level from 1."""

    text: str
    level: int
    location: Location


class Document(Struct, frozen=True):
    """A Markdown document. `words` are its distinct words in lower case, for asking whether it speaks of a thing."""

    path: str
    title: str
    headings: tuple[Heading, ...]
    mentions: tuple[Mention, ...]
    words: frozenset[str]
    location: Location


class KeptFile(Struct, frozen=True):
    """A file that Git tracks although a `.gitignore` (`ignored_by`) leaves it out."""

    path: str
    ignored_by: str
    location: Location


class AbsentPath(Struct, frozen=True):
    """A file that a document names as the repository's own and that it lacks."""

    path: str
    location: Location


class ClusterImage(Struct, frozen=True):
    """An image that a manifest runs, or that a kustomization puts in the place of another, as it is written."""

    image: str
    location: Location


class ClusterFile(Struct, frozen=True):
    """A file that deploys to a cluster: a `manifest` of Kubernetes, a `chart`, `kustomization`, `helmfile`, …"""

    kind: str
    location: Location
    images: tuple[ClusterImage, ...] = ()
    replaced: tuple[str, ...] = ()
    """The images that a kustomization replaces in other files, by their names."""


class Route(Struct, frozen=True):
    """An HTTP route that code declares: `METHOD` (or `*`), path, framework."""

    method: str
    path: str
    framework: str
    location: Location
    generated: bool = False
    """Whether the framework adds it by itself, such as the page of its documentation."""


class ProgramCall(Struct, frozen=True):
    """A place where code starts another program by its name (`subprocess.run(["pg_dump", ...])`)."""

    name: str
    location: Location
