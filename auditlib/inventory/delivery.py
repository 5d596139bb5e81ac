"""Records of commands, workflows, manifests and scripts."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


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
    tested: bool = False
    """Whether a condition (`if`, `while`, `!`, `&&`, `||`) decides by its exit status, so that `set -e` doesn't."""
    branch: tuple[str, ...] = ()
    """The patterns of `case` and the conditions of `if` that it stands behind, the outermost first."""
    within: str = ""
    """The subshells that it runs in, from outside inwards (`/4.0/7.2`); `!5.0` stands for a shell of its own."""
    outweighed: bool = False
    """Whether the status of another command counts in place of its own, as in `local name=$(…)`."""


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
    """A service container of a job; of one of GitLab's `name` is the job's, and empty where all jobs have it."""

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
    outputs: tuple[Pair, ...] = ()
    """What it gives to the jobs that wait for it."""


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
    told: frozenset[str] = frozenset()
    """The names in capitals that its comments speak of, such as those of the secrets that it needs."""


class PipelineFault(Struct, frozen=True):
    """What GitLab refuses in a pipeline: a `stage`, a job that is `needs`, `extends` or a file to `include` that isn't
    there; `stages` are those that there are."""

    kind: str
    job: str
    name: str
    location: Location
    stages: tuple[str, ...] = ()


class StrayWorkflow(Struct, frozen=True):
    """A file with the form of a workflow where no host looks for one; `said` is what its steps run and use."""

    path: str
    jobs: tuple[str, ...]
    said: tuple[str, ...]
    location: Location


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
    optional: bool = False
    """Whether something else stands in for it where nobody sets it: `secrets.PORT || 22`."""


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
    env_files: tuple[str, ...] = ()
    """The environment files that a makefile includes, as it writes them."""
    includes: tuple[str, ...] = ()
    """The makefiles of the repository that a makefile includes, by their path or a pattern."""
    pipes_fail: bool = False
    """Whether a makefile's `.SHELLFLAGS` have a pipe fail with each of its commands."""


class RecipeFault(Struct, frozen=True):
    """What of a makefile's target doesn't do what its author means.

    `kind` is `taken` (`text` is the path that has the target's name), `forgotten` (a line that changes only the shell
    that ends with it), `swallowed` (what make replaces before the shell sees it), `bash` (what `/bin/sh` may not
    know, and what it makes of it) or `absent` (a name of `.PHONY` without a rule).
    """

    kind: str
    target: str
    text: str
    location: Location


class MovedArgument(Struct, frozen=True):
    """A file that a script is given as its first argument, and opens after it has changed into another folder."""

    name: str
    """The variable that holds it; `1` for the argument itself."""
    folder: str
    """The folder that the script changes into, as seen from the root."""
    told: str
    """The relative path with which a comment of the script calls it; empty for none."""
    location: Location


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
    alone: bool = False
    """Whether it is a program of Python by its look (`if __name__ == "__main__":`) that no other code names."""
    shell_options: str = ""
    """The letters of the options that this line gives the shell (`eu` of `#!/bin/bash -eu`)."""
    carriage_return: bool = False
    """Whether its first line ends as on Windows, and Git is not told to end it otherwise."""
    compose_files: tuple[Pair, ...] = ()
    """The Compose files that a shell script names, in commands or in the text that a variable is given."""
    compose_variables: tuple[Pair, ...] = ()
    """The variables of a shell script that hold Compose files, several with `:` between them."""
    sets: frozenset[str] = frozenset()
    """The variables that a shell script gives a value, or has one for where nobody does (`${NAME:-…}`); of one for
    PowerShell those of lines for environment files."""
    moved_argument: MovedArgument | None = None
    tests: frozenset[str] = frozenset()
    """The variables whose values a shell script looks at before it goes on (`[ -z "$NAME" ]`)."""
    assigned: tuple[str, ...] = ()
    """Scripts that its variables hold (`AGENT="$HERE/install.sh"`), and patterns of its loops (`jobs.d/*.sh`)."""
    backup_folder: str = ""
    """The folder of the checkout that a variable for backups names, relative to the root."""
    backup_is_relative: bool = False
    """Whether that folder is named as seen from where the script is started."""
    unchecked_hosts: tuple[Pair, ...] = ()
    """Where SSH is told, in a command or in text for one, not to check the host's key: the option and the program that
    hands over a password, if one does."""
    passing_waits: tuple[Pair, ...] = ()
    """The loops that wait for something and go on where it never came, each by what it asks."""
    tells_schedule: bool = False
    """Whether a comment of it speaks of cron or of a timer that starts it."""
    makes: tuple[str, ...] = ()
    """Of a script for PowerShell the paths in lines that write or copy, with `/`."""
    refused_references: tuple[Pair, ...] = ()
    """Of a script for PowerShell the variables that its parser refuses, as a colon follows their name in a string."""
    unasked_calls: tuple[Pair, ...] = ()
    """Of a script for PowerShell that asks for no exit code the programs that it calls, each with its line."""
    swallowing: tuple[Pair, ...] = ()
    """The variables that nothing sets and that end in an underscore, where the name without it is set."""
    unmounted_mirrors: tuple[Pair, ...] = ()
    """The calls that mirror a folder which it makes where a disk isn't mounted: the variable and its value."""
    healthy_tests: tuple[Location, ...] = ()
    """Where it tests for "healthy" in a way that "unhealthy" meets."""
    secret_paths: tuple[Pair, ...] = ()
    """The paths below `/run/secrets` in lines that run something in a container."""
    kept_days: tuple[int, ...] = ()
    """After how many days a shell script deletes what it keeps, by `find -mtime` or a variable for that."""
    arguments: tuple[str, ...] | None = None
    """The words of which a shell script takes one first, or the options of one in Python, where it refuses all others;
    None where that isn't known."""
    ends_at_zero: tuple[Location, ...] = ()
    """Where a shell script under `set -e` counts from zero by `((name++))`, which is a failure then."""
    ends_at_condition: tuple[Pair, ...] = ()
    """The functions whose last line is a condition before `&&`, and which are called plainly under `set -e`."""
    for_bash: tuple[Pair, ...] = ()
    """In a script for `sh` what only Bash knows, with what another shell makes of it; the name of what BusyBox knows
    too begins with `dash`."""


class Caller(Struct, frozen=True):
    """A file of another program (cron, systemd, Terraform) that starts scripts, with the names of these."""

    path: str
    scripts: tuple[str, ...]
    location: Location


class KeptFile(Struct, frozen=True):
    """A file that Git tracks although a `.gitignore` (`ignored_by`) leaves it out."""

    path: str
    ignored_by: str
    location: Location


class GitIgnore(Struct, frozen=True):
    """A `.gitignore`, by its path, with its lines."""

    path: str
    patterns: tuple[str, ...]
    location: Location


class UpdateEntry(Struct, frozen=True):
    """What Dependabot is told to look after: an ecosystem (`pip`), in folders, which may be patterns."""

    ecosystem: str
    folders: tuple[str, ...]
    """Relative to the root, which is empty."""
    location: Location


class UpdateLimit(Struct, frozen=True):
    """The managers that alone Renovate may use, as `gomod`; none where it is switched off."""

    managers: tuple[str, ...]
    location: Location
