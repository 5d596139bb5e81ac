"""Runs the cases of readers: each file of `cases` belongs to the reader of its name, each case to a few small files."""

import importlib
from pathlib import Path

import pytest
import yaml

from auditlib.inventory import code, configuration, delivery, dockerfile, document, monitoring, schedules
from auditlib.model import Read
from auditlib.source import Source

HERE = Path(__file__).parent / "cases"
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {name}")
    for path in sorted(HERE.glob("*.yml"))
    for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
]


def shown(value):
    return "-" if value is None else value.text


def command(item):
    notes = (" !" if item.cannot_fail else "") + (f" in {item.folder}" if item.folder else "")
    return f"{item.location.line}: {' | '.join(item.words)}{notes}"


def lines_of(record):
    """A record as the lines that a case lists."""
    yield from lines_of_setting(record) if type(record).__module__ == configuration.__name__ else lines_of_file(record)


def lines_of_setting(record):
    """Records of configuration as lines."""
    match record:
        case configuration.EnvFile():
            yield f"{record.path} {'template' if record.template else 'real'}"
            for line in record.lines:
                note = " commented" if line.commented else f" {line.malformed}" if line.malformed else ""
                yield f"{line.location.line}: {line.name}={shown(line.value)}{note}"
        case configuration.Setting():
            needed = "required" if record.required else record.default_kind
            names = "/".join((record.name, *record.aliases))
            yield f"{record.location} {names} {record.type} {needed} {shown(record.default)} {record.style}"
        case configuration.SettingsFile():
            yield f"{record.location} file {record.path}"
        case configuration.EnvironmentBranch():
            yield f"{record.location} branch {record.variable} {list(record.values)} {list(record.targets)}"
        case configuration.LogFile():
            yield f"{record.location} log {record.path}"
        case configuration.AllowedOrigin():
            credentials = " credentials" * record.credentials
            yield f"{record.location} origin {record.origin or '-'} {record.holder}{credentials}"
        case configuration.DebugSwitch():
            yield f"{record.location} debug {record.name}{' main' * record.main}"
        case _:
            yield from more_lines_of_setting(record)


def more_lines_of_setting(record):
    """Records of what code says of servers, variables and secrets as lines."""
    match record:
        case configuration.DevelopmentServer():
            yield f"{record.location} development server"
        case configuration.ServerTrait():
            yield f"{record.location} {record.kind} {record.amount}"
        case configuration.NamedVariables():
            yield f"{record.path} names {' '.join(sorted(record.names))}"
        case configuration.CommittedSecret():
            yield f"{record.location} secret {record.kind}{' commented' * record.commented}"
        case _:
            yield from more_lines_of(record)


def lines_of_file(record):
    """Records of delivery as lines; the others follow."""
    match record:
        case dockerfile.Dockerfile():
            yield from (f"{stage.location} stage {stage.name} from {stage.base}" for stage in record.stages)
            for item in record.instructions:
                yield f"{item.location} {item.keyword} {list(item.words)}{' shell' if item.shell else ''}"
                yield from (f"  {command(inner)}" for inner in item.commands)
        case delivery.Manifest():
            yield f"{record.path} {record.kind} {record.name or '-'} {record.runtime or '-'} {sorted(record.tools)}"
            for target in record.targets:
                yield f"{target.location} {target.name}: {[' '.join(item.words) for item in target.commands]}"
            yield from ["incomplete"] if record.incomplete else []
            yield from (f"{item.location} {item.group} {item.name} {item.constraint}" for item in record.requirements)
        case code.Route():
            yield f"{record.location} {record.method} {record.path} {record.framework}"
        case _:
            yield from more_lines_of(record)


def more_lines_of(record):
    """Records of documents, scripts and tests as lines."""
    match record:
        case document.Document():
            yield f"{record.path} {record.title!r}"
            yield from (f"{item.location} {'#' * item.level} {item.text}" for item in record.headings)
            yield from (f"{item.location} {item.kind} {item.text}" for item in record.mentions)
        case delivery.Script():
            note = " #!" if record.shebang else ""
            yield f"{record.path} {record.interpreter}{note} {record.summary!r}"
            yield from (f"  {command(inner)}" for inner in record.commands)
        case code.TestSuite():
            home = record.folder or "."
            yield f"{record.location} {record.framework} in {home}: {record.cases} {list(record.files)}"
            yield from (f"  {name}" for name in sorted(record.variables))
        case monitoring.Instrumentation():
            yield f"{record.location} {record.library}"
        case code.ProgramCall():
            yield f"{record.location} starts {record.name}"
        case code.Migrator():
            yield f"{record.location} migrates"
        case code.LocalImports():
            yield from (f"{item.location} imports {' '.join((item.module, *item.names))}" for item in record.imports)
            yield from [f"{record.path} changes its path"] if record.alters_path else []
        case delivery.Caller():
            yield f"{record.location} calls {list(record.scripts)}"
        case delivery.RecipeFault():
            yield f"{record.location} {record.kind} {record.target}: {record.text}"
        case _:
            yield from lines_of_rest(record)


def lines_of_rest(record):
    """Records of schemas, and of what a host starts by itself, as lines."""
    match record:
        case configuration.FixedSecret():
            yield f"{record.location} fixed {record.name} {record.value.length}"
        case code.CompilerOutput():
            yield f"{record.location} compiles {record.folder or '.'} to {record.output}"
        case code.PrismaSchema():
            yield f"{record.location} makes a client in {record.output or 'node_modules'}"
        case schedules.CronLine():
            yield f"{record.location} {record.kind} {record.schedule} [{record.user}] {record.command}"
        case schedules.Unit():
            yield f"{record.location} {record.kind} {record.name or '-'}"
            yield from (f"  {item.location.line}: {item.name}={item.value}" for item in record.settings)
        case _:
            yield repr(record)


@pytest.mark.parametrize(("reader", "case"), CASES)
def test_case(reader, case, tmp_path):
    for name, text in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    found = importlib.import_module(f"auditlib.readers.{reader}").read(Source(tmp_path))

    assert [line for record in found.records for line in lines_of(record)] == case.get("records", [])
    trouble = [f"{item.file}:{item.line} {item.reason}" for item in found.coverage if item.status is not Read.PARSED]
    assert trouble == case.get("trouble", [])
