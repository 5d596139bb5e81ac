"""pyproject.toml and Pipfile: dependencies with their groups, scripts, the Python required, the tools configured.

Follows https://packaging.python.org/en/latest/specifications/pyproject-toml/,
https://packaging.python.org/en/latest/specifications/dependency-groups/ and https://python-poetry.org/docs/pyproject/.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.inventory.delivery import Manifest, Requirement, ScriptTarget
from auditlib.model import Location
from auditlib.readers import shell
from auditlib.readers.reading import Reading, each
from auditlib.readers.requirements import normalised, requirement
from auditlib.readers.toml_positions import TomlDocument
from auditlib.redaction import Vault
from auditlib.source import Source

KIND = "Python project"

_TASKS = (("taskipy", "tasks"), ("poe", "tasks"), ("pdm", "scripts"), ("hatch", "envs", "default", "scripts"))
"""Tables of `tool` whose entries are commands by name."""


def read(source: Source) -> Reading:
    """Every pyproject.toml and Pipfile of the repository."""
    files = [path for path in source.files if posixpath.basename(path) in ("pyproject.toml", "Pipfile")]
    return each(source, files, KIND, _read)


def _read(source: Source, path: str) -> Iterator[Manifest]:
    document = TomlDocument(source, path)
    if path.endswith("Pipfile"):
        yield _pipfile(document, source.vault)
        return
    project, poetry = document.table("project"), document.table("tool", "poetry")
    python = _constraint(document.table("tool", "poetry", "dependencies").get("python"))
    yield Manifest(
        path=path,
        kind="python",
        name=_text(project.get("name")) or _text(poetry.get("name")),
        targets=(*_entry_points(document), *_tasks(document, source.vault)),
        requirements=(*_standard(document, source.vault), *_poetry(document, source.vault)),
        runtime=_text(project.get("requires-python")) or python,
        tools=tuple(document.table("tool")),
        location=Location(path),
    )


def _pipfile(document: TomlDocument, vault: Vault) -> Manifest:
    needed = [
        *_tables(document, ("packages",), "main", vault),
        *_tables(document, ("dev-packages",), "dev", vault),
    ]
    runtime = _text(document.table("requires").get("python_version"))
    targets = tuple(_commands(document, ("scripts",), vault))
    return Manifest(document.file, "python", "", targets, tuple(needed), runtime, (), Location(document.file))


def _standard(document: TomlDocument, vault: Vault) -> Iterator[Requirement]:
    """The lists of PEP 621 and PEP 735, and those that PDM and uv had before these."""
    yield from _list(document, ("project",), "dependencies", "main", vault)
    for keys in (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
        for group in document.table(*keys):
            yield from _list(document, keys, group, group, vault)
    yield from _list(document, ("tool", "uv"), "dev-dependencies", "dev", vault)


def _list(document: TomlDocument, keys: tuple[str, ...], key: str, group: str, vault: Vault) -> Iterator[Requirement]:
    items = document.table(*keys).get(key)
    start = document.location(".".join(keys), key)
    for item in items if isinstance(items, list) else ():
        if isinstance(item, str):
            found = requirement(item, group, document.location_of(item, start), vault)
            yield from (found,) if found else ()


def _poetry(document: TomlDocument, vault: Vault) -> Iterator[Requirement]:
    yield from _tables(document, ("tool", "poetry", "dependencies"), "main", vault)
    yield from _tables(document, ("tool", "poetry", "dev-dependencies"), "dev", vault)
    for group in document.table("tool", "poetry", "group"):
        yield from _tables(document, ("tool", "poetry", "group", group, "dependencies"), group, vault)


def _tables(document: TomlDocument, keys: tuple[str, ...], group: str, vault: Vault) -> Iterator[Requirement]:
    for name, value in document.table(*keys).items():
        if name != "python":
            location = document.location(".".join(keys), name)
            yield Requirement(normalised(name), vault.mask(_constraint(value)), group, location)


def _constraint(value: object) -> str:
    """The version in `"^1.0"` or `{ version = "^1.0", extras = […] }`."""
    return _text(value.get("version")) if isinstance(value, dict) else _text(value)


def _entry_points(document: TomlDocument) -> Iterator[ScriptTarget]:
    for keys in (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts")):
        for name, value in document.table(*keys).items():
            if isinstance(value, str):
                yield ScriptTarget(name, (), value, document.location(".".join(keys), name))


def _tasks(document: TomlDocument, vault: Vault) -> Iterator[ScriptTarget]:
    for keys in _TASKS:
        yield from _commands(document, ("tool", *keys), vault)


def _commands(document: TomlDocument, keys: tuple[str, ...], vault: Vault) -> Iterator[ScriptTarget]:
    """Commands by name."""
    for name, value in document.table(*keys).items():
        if text := _task(value):
            location = document.location(".".join(keys), name)
            found = shell.commands(text, document.file, location.line, vault)
            yield ScriptTarget(name, tuple(shell.at(item, location) for item in found), vault.mask(text), location)


def _task(value: object) -> str:
    """A task's text; it may be a list of commands, or a table whose `cmd` or `shell` is the command."""
    if isinstance(value, dict):
        value = value.get("cmd") or value.get("shell")
    if isinstance(value, list):
        return "\n".join(item for item in value if isinstance(item, str))
    return _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
