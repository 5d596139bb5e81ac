"""Makefiles: their targets and the commands of the recipes. Only variables that hold a program are expanded.

Rules and recipes as in https://www.gnu.org/software/make/manual/html_node/Rule-Syntax.html.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from auditlib.inventory.delivery import Manifest, ScriptTarget
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.readers.shell import commands
from auditlib.source import Source

KIND = "makefile"
PATTERNS = ("Makefile", "makefile", "GNUmakefile", "*.mk")

_RULE = regex(r"(?P<names>[^\s#:=][^#:=]{0,500}?)[ ]*:{1,2}(?![:=])(?P<rest>.*)$")
_NO_TARGET = regex(r"\.[A-Z_]+$|.*%")
"""Special targets (`.PHONY`) and patterns are nothing that a person calls."""
_VARIABLE = regex(r"\$\(([\w.-]+)\)")
"""`$(BIN)` is a variable to make, and a command to a shell."""
_CONDITIONAL = regex(r"(?:ifn?eq|ifn?def|else|endif)\b")
"""Lines that decide what make reads; they don't end the recipe that they stand in."""
_ASSIGNMENT = regex(r"\s*(?:(?:export|override|private)\s+)?[\w.-]+\s*(?:[:?+!]|::|:::)?=")
"""What makes `target: NAME = value` the setting of a variable, not a rule."""
_CALL = regex(
    r"(?P<name>[\w.-]{1,50})\s*(?::{0,3}|\?)=\s*(?P<call>docker[ -]compose\b[^#]{0,500}|"
    r"(?:cargo|docker|go|helm|kubectl|npm|npx|php|pip3?|pnpm|podman|poetry|pytest|python3?|terraform|uv|yarn)"
    r"(?:[ \t]+[\w./-]{1,50}){0,3}(?=[ \t]*(?:#|$)))"
)
"""A variable that stands for a program and its options in all recipes (`DC := docker compose --env-file .env.prod`,
`GO ?= go`)."""
_WORD = regex(r"(?P<name>[\w.-]{1,50})\s*(?::{0,3}|\?)=[ \t]*(?P<word>[\w./-]{1,80})[ \t]*(?:#.*)?$")
"""A variable that is one plain word (`ENV ?= dev`)."""
_TO_WORD = regex(r"\$[({]([\w.-]+)[)}]")
_FROM_ELSEWHERE = regex(r"\s*[-s]?include\s+(?!\S*\.?env(?:\.\w+)?\s*$)|.*\$[({](?:eval|call)\b|define\s")
_LINE_LIMIT = 5_000


class _Rule(Struct):
    names: list[str]
    line: int
    prerequisites: str
    recipe: list[str] = field(default_factory=list)


def read(source: Source) -> Reading:
    """A Manifest of the kind `make` for each makefile."""
    return each(source, source.matching(*PATTERNS), KIND, _read)


def _read(source: Source, file: str) -> Iterator[Manifest]:
    lines = source.lines(file)
    rules = list(_rules(lines))
    calls = _calls(lines)
    targets = [target for rule in rules for target in _targets(source, file, rule, calls)]
    incomplete = any(_FROM_ELSEWHERE.match(line[:_LINE_LIMIT]) for line in lines) or any(
        "%" in name or "$" in name for rule in rules for name in rule.names
    )
    yield Manifest(file, "make", "", tuple(targets), (), "", (), Location(file), incomplete)


def _calls(lines: list[str]) -> dict[str, str]:
    """The variables that stand for a program, those in its options replaced where they are a plain word."""
    short = [line[:_LINE_LIMIT] for line in lines if "=" in line and not line.startswith("\t")]
    words = _settled(match for line in short if (match := _WORD.match(line)))
    calls = {match["name"]: match["call"].strip() for line in short if (match := _CALL.match(line))}
    return {name: _TO_WORD.sub(lambda match: words.get(match[1], match[0]), call) for name, call in calls.items()}


def _settled(matches: Iterable[re.Match[str]]) -> dict[str, str]:
    """The words of variables that are set once, or always to the same."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for match in matches:
        found[match["name"]].add(match["word"])
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def _rules(lines: list[str]) -> Iterator[_Rule]:
    """The rules of a makefile. A recipe's lines keep their distance, so that line numbers stay right."""
    current: _Rule | None = None
    for number, whole in enumerate(lines, start=1):
        line = whole[:_LINE_LIMIT]
        if line.startswith("\t") and current:
            current.recipe.append(_recipe_line(line))
        elif current and lines[number - 2].endswith("\\") and len(current.recipe) == number - current.line:
            current.prerequisites += f" {line}"  # the rule's own line goes on
            current.recipe.append("")
        elif current and (not line.strip() or line.startswith("#") or _CONDITIONAL.match(line)):
            current.recipe.append("")
        elif match := _RULE.match(line):
            if current:
                yield current
            rest = match["rest"].partition("#")[0]
            prerequisites, _, command = ("", "", "") if _ASSIGNMENT.match(rest) else rest.partition(";")
            current = _Rule(match["names"].split(), number, prerequisites, [command.strip()])
        elif current:
            yield current
            current = None
    if current:
        yield current


def _recipe_line(line: str) -> str:
    """A line of a recipe without its marks. `-` says that its failure doesn't matter, as a shell says it otherwise."""
    text = line.lstrip("\t")
    command = text.lstrip("@-+ ")
    ignores = "-" in text[: len(text) - len(command)] and command and not command.endswith("\\")
    return f"{command} || true" if ignores else command


def _targets(source: Source, file: str, rule: _Rule, calls: dict[str, str]) -> Iterator[ScriptTarget]:
    """One for each name; its prerequisites count as `make` commands, since they run first."""
    names = [name for name in rule.names if not _NO_TARGET.match(name) and "$" not in name]
    if not names:
        return
    needed = [word for word in rule.prerequisites.split() if re.fullmatch(r"[\w-]+", word)]
    place = Location(file, rule.line)
    first = commands("; ".join(f"make {word}" for word in needed), file, rule.line)
    recipe = _VARIABLE.sub(lambda match: calls.get(match[1], match[0]), "\n".join(rule.recipe))
    body = _VARIABLE.sub(r"${\1}", recipe).replace("$$", "$")
    found = (*first, *commands(body, file, rule.line, source.vault))
    for name in names:
        yield ScriptTarget(name, found, body.strip(), place)
