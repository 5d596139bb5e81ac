"""Files that fix versions or configure tools: `.nvmrc`, `.python-version`, `go.mod`, pre-commit, setup.cfg and others.

Follows https://github.com/nvm-sh/nvm#nvmrc, https://asdf-vm.com/manage/configuration.html#tool-versions,
https://go.dev/ref/mod#go-mod-file-go, https://pre-commit.com/#pre-commit-configyaml---top-level and
https://setuptools.pypa.io/en/latest/userguide/declarative_config.html.
"""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Callable, Iterator

from auditlib.inventory.delivery import Manifest, Requirement, ScriptTarget
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import shell
from auditlib.readers.reading import Reading, each
from auditlib.readers.requirements import requirement
from auditlib.source import Source, Unreadable

KIND = "tool versions"

_SINGLE = {".nvmrc": "node", ".node-version": "node", ".python-version": "python", ".ruby-version": "ruby"}
_SAME = {"nodejs": "node", "golang": "go"}
_SECTION_TOOLS = {"tool:pytest": "pytest", "pycodestyle": "pycodestyle"}
_GO_LINE = regex(r"go\s+(\d+\.\d+)")
_RUBY_LINE = regex(r"""ruby[ (]+["'](\d+\.\d+(?:\.\d+)?)["']\)?\s*(?:#.*)?$""")
_OWN_SECTIONS = regex(r"metadata|options(?:\..*)?|tox|testenv(?::.*)?|egg_info|bdist_wheel|aliases|sdist.*")


def read(source: Source) -> Reading:
    """A Manifest for each; `kind` is `node-version`, `python-version` …, `go`, `pre-commit` or `python`."""
    reading = Reading()
    for path in source.files:
        if read_one := _reader_of(posixpath.basename(path)):
            found = each(source, [path], KIND, read_one)
            reading.records += found.records
            reading.coverage += found.coverage
    return reading


def _reader_of(name: str) -> Callable[[Source, str], Iterator[Manifest]] | None:
    if name in _SINGLE:
        return _read_single
    if name in (".pre-commit-config.yaml", ".pre-commit-config.yml"):
        return _read_hooks
    if name == "go.mod":
        return _read_module
    if name == "Gemfile":
        return _read_gems
    if name in ("setup.cfg", "tox.ini"):
        return _read_sections
    return _read_tool_versions if name == ".tool-versions" else None


def _version(path: str, tool: str, version: str, line: int) -> Manifest:
    return Manifest(path, f"{tool}-version", tool, (), (), version, (), Location(path, line))


def _read_gems(source: Source, path: str) -> Iterator[Manifest]:
    """The version that a Gemfile demands; with another one Bundler refuses to start."""
    for number, line in enumerate(source.lines(path), 1):
        if match := _RUBY_LINE.match(line[:200]):
            yield _version(path, "ruby", match[1], number)


def _read_single(source: Source, path: str) -> Iterator[Manifest]:
    tool = _SINGLE[posixpath.basename(path)]
    for number, line in enumerate(source.lines(path), start=1):
        version = line.partition("#")[0].strip()
        if version:
            yield _version(path, tool, version[:100], number)
            return


def _read_tool_versions(source: Source, path: str) -> Iterator[Manifest]:
    for number, line in enumerate(source.lines(path), start=1):
        words = line.partition("#")[0].split()
        if len(words) > 1:
            yield _version(path, _SAME.get(words[0], words[0]), words[1], number)


def _read_module(source: Source, path: str) -> Iterator[Manifest]:
    """A module of Go: its `go` line is the oldest version that can build it."""
    for number, line in enumerate(source.lines(path), start=1):
        if match := _GO_LINE.match(line):
            yield Manifest(path, "go", "", (), (), f">={match[1]}", (), Location(path, number))


def _read_hooks(source: Source, path: str) -> Iterator[Manifest]:
    documents = source.yaml(path)
    repositories = documents[0].get("repos") if documents else None
    if repositories is None:
        raise Unreadable("has no list `repos`")
    hooks = [hook for item in repositories.elements() if (node := item.get("hooks")) for hook in node.elements()]
    names = dict.fromkeys(name.text for hook in hooks if (name := hook.get("id")) and name.text)
    yield Manifest(path, "pre-commit", "", (), (), "", tuple(names), Location(path))


def _read_sections(source: Source, path: str) -> Iterator[Manifest]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(source.text(path))
    except configparser.Error as error:
        raise Unreadable(f"not valid INI: {error.message.splitlines()[0]}", getattr(error, "lineno", 1)) from None
    lines = {match[1].strip(): number for number, line in enumerate(source.lines(path), start=1)
             if (match := re.match(r"\[([^\]]+)\]", line))}  # fmt: skip
    tools = (_SECTION_TOOLS.get(name, name.partition(":")[0]) for name in parser.sections())
    yield Manifest(
        path=path,
        kind="python",
        name=parser.get("metadata", "name", fallback="") or "",
        targets=tuple(_environments(source, path, parser, lines)),
        requirements=tuple(_requirements(source, path, parser, lines)),
        runtime=parser.get("options", "python_requires", fallback="") or "",
        tools=tuple(dict.fromkeys(tool for tool in tools if not _OWN_SECTIONS.fullmatch(tool))),
        location=Location(path),
    )


def _environments(
    source: Source, path: str, parser: configparser.RawConfigParser, lines: dict[str, int]
) -> Iterator[ScriptTarget]:
    """The commands of tox."""
    for section in parser.sections():
        text = parser.get(section, "commands", fallback="") if section.startswith("testenv") else ""
        if text:
            location = Location(path, lines.get(section, 1))
            found = shell.commands(text, path, location.line, source.vault)
            commands = tuple(shell.at(item, location) for item in found)
            name = section.partition(":")[2] or section
            yield ScriptTarget(name, commands, source.vault.mask(text.strip()), location)


def _requirements(
    source: Source, path: str, parser: configparser.RawConfigParser, lines: dict[str, int]
) -> Iterator[Requirement]:
    extras = parser.options("options.extras_require") if parser.has_section("options.extras_require") else []
    groups = [("options", "install_requires", "main"), *(("options.extras_require", name, name) for name in extras)]
    for section, key, group in groups:
        location = Location(path, lines.get(section, 1))
        for line in filter(str.strip, (parser.get(section, key, fallback="") or "").splitlines()):
            found = requirement(line, group, location, source.vault)
            yield from (found,) if found else ()
