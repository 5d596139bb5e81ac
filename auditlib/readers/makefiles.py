"""Makefiles: their targets and the commands of the recipes. Variables that hold a program, a number, or the path of a
YAML file, are expanded; others aren't.

Rules and recipes as in https://www.gnu.org/software/make/manual/html_node/Rule-Syntax.html.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct, field

from auditlib import bashisms
from auditlib.inventory.delivery import Manifest, RecipeFault, ScriptTarget
from auditlib.model import Location
from auditlib.paths import below
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
_OR = regex(r"\$\(or[ \t]+\$[({](\w{1,50})[)}],[ \t]*([\w./-]{1,80})\)")
"""What make calls a variable with a default (`$(or $(copies),3)`), as which a shell knows it."""
_FROM_ELSEWHERE = regex(r"\s*[-s]?include\s+(?!\S*\.?env(?:\.\w+)?\s*$)|.*\$[({](?:eval|call)\b|define\s")
_ENV_FILES = regex(r"^\s*[-s]?include\s+(\S*\.env[\w.-]*)")
_INCLUDE = regex(r"\s*[-s]?include\s+(?P<files>[^#$]{1,500})(?:#.*)?$")
_LINE_LIMIT = 5_000
_FORGOTTEN = regex(
    r"(?:cd|pushd)[ \t]+(?P<folder>[^\s;&|]{1,200})$|(?:export[ \t]+)?(?P<name>[A-Za-z_]\w{0,80})=[^\s;&|]{0,200}$|"
    r"(?:source|\.)[ \t]+(?P<file>[^\s;&|]{1,200})$"
)
"""A line that only changes the shell that it runs in: `cd frontend`, `export NAME=value`, `. .venv/bin/activate`."""
_SWALLOWED = regex(
    r"(?<!\$)(?:\$\$)*\$(?:\((?P<call>[a-z][\w-]{0,30})[ \t][^)\n]{0,200}\)|(?P<name>[A-Za-z_]\w{1,60})|"
    r"(?P<number>[0-9])|"
    r"(?P<each>[a-z])(?![\w])|\((?P<plain>pwd|date|whoami|nproc|hostname|uname)\))"
)
"""What a shell would replace, and make replaces before the shell sees it."""
_MAKES_OWN = frozenset({
    "subst", "patsubst", "strip", "findstring", "filter", "filter-out", "sort", "word", "words", "wordlist",
    "firstword", "lastword", "dir", "notdir", "suffix", "basename", "addsuffix", "addprefix", "join", "wildcard",
    "realpath", "abspath", "if", "or", "and", "intcmp", "foreach", "file", "call", "value", "eval", "origin", "flavor",
    "error", "warning", "info", "shell", "guile", "let",
})  # fmt: skip
"""https://www.gnu.org/software/make/manual/html_node/Functions.html"""
_DEFINED = regex(r"\s*(?:(?:export|override|private|define)\s+)*(?P<name>[\w.-]{1,80})\s*(?:(?::{0,3}|[?+!])=|$)")
_PIPES_FAIL = regex(r"(?:[\w.%-]+\s*:\s*)?\.SHELLFLAGS\s*[:?+]{0,3}=.*\bpipefail\b")
_SHELL = regex(r"SHELL\s*[:?]{0,3}=")
_MOST_FAULTS = 30


class _Rule(Struct):
    names: list[str]
    line: int
    prerequisites: str
    recipe: list[str] = field(default_factory=list)


def read(source: Source) -> Reading:
    """A Manifest of the kind `make` for each makefile."""
    return each(source, source.matching(*PATTERNS), KIND, _read)


def _read(source: Source, file: str) -> Iterator[Manifest | RecipeFault]:
    lines = source.lines(file)
    rules = list(_rules(lines))
    calls = _calls(lines)
    one_shell = _is_one_shell(lines)
    targets = [target for rule in rules for target in _targets(source, file, rule, calls, one_shell=one_shell)]
    incomplete = any(_FROM_ELSEWHERE.match(line[:_LINE_LIMIT]) for line in lines) or any(
        "%" in name or "$" in name for rule in rules for name in rule.names
    )
    taken = tuple(name for line in lines for name in _ENV_FILES.findall(line[:_LINE_LIMIT]))
    pipes_fail = any(_PIPES_FAIL.match(line[:_LINE_LIMIT]) for line in lines)
    yield Manifest(
        file, "make", "", tuple(targets), (), "", (), Location(file), incomplete, env_files=taken,
        includes=tuple(_included(source, file, lines)), pipes_fail=pipes_fail,
    )  # fmt: skip
    yield from itertools.islice(_faults(source, file, lines, rules), _MOST_FAULTS)


def _is_one_shell(lines: list[str]) -> bool:
    return any(line.startswith(".ONESHELL") for line in lines)


def _included(source: Source, file: str, lines: list[str]) -> Iterator[str]:
    """The makefiles that a file includes, as seen from the folder that it lies in, where make is mostly called."""
    home = posixpath.dirname(file)
    for line in lines:
        match = _INCLUDE.match(line[:_LINE_LIMIT]) if "include" in line else None
        for word in match["files"].split() if match else ():
            path = posixpath.normpath(posixpath.join(home, word))
            beside = below(source.files, posixpath.dirname(path)) if "*" in word else (path,)
            yield from (item for item in beside if source.is_file(item) and fnmatchcase(item, path))


def _faults(source: Source, file: str, lines: list[str], rules: list[_Rule]) -> Iterator[RecipeFault]:
    """What of the recipes doesn't do what a shell's user expects of it."""
    included = any(_FROM_ELSEWHERE.match(line[:_LINE_LIMIT]) for line in lines)
    if not included and not file.endswith(".mk"):
        yield from _taken(source, file, rules)
        yield from _absent(file, lines, rules)
    known = {match["name"] for line in lines if (match := _DEFINED.match(line[:_LINE_LIMIT]))}
    is_one_shell = _is_one_shell(lines)
    for rule in rules:
        if not is_one_shell:
            yield from _forgotten(file, rule)
        if "$" in (text := "\n".join(rule.recipe)) and not included:
            yield from _swallowed(file, rule, text, known)
    if not any(map(_SHELL.match, lines)):
        yield from _for_bash(file, rules)


def _taken(source: Source, file: str, rules: list[_Rule]) -> Iterator[RecipeFault]:
    """The targets that are no files to be made, and have the name of a file or folder that is there already.

    What is included may name them in its `.PHONY`, and a file that is made to be included runs in another folder.
    """
    phony = {name for rule in rules if ".PHONY" in rule.names for name in rule.prerequisites.split()}
    if any("$" in name for name in phony):
        return
    home = posixpath.dirname(file)
    beside = _beside(source, home)
    needing = {name for rule in rules if rule.prerequisites.strip() for name in rule.names}
    for rule in rules:
        for name in rule.names if any(rule.recipe) and needing.isdisjoint(rule.names) else ():
            path = posixpath.join(home, name)
            there = name in beside and name not in phony and re.fullmatch(r"[\w-]{1,60}", name)
            if there and not any(
                re.search(rf"(?:-o|mkdir|>|touch)[^\n]*\b{re.escape(name)}\b", line) for line in rule.recipe
            ):
                yield RecipeFault("taken", name, path, Location(file, rule.line))


def _absent(file: str, lines: list[str], rules: list[_Rule]) -> Iterator[RecipeFault]:
    """The names that `.PHONY` has and no rule; none where a pattern or a variable may stand for one."""
    stated = [rule for rule in rules if ".PHONY" in rule.names]
    known = {name for rule in rules for name in rule.names}
    if any("%" in name or "$" in name for name in known) or any("$" in rule.prerequisites for rule in stated):
        return
    stating = (line for line in lines if ":" in line and not line.startswith("\t"))
    heads = {word for line in stating for word in line[:_LINE_LIMIT].partition(":")[0].split()}
    for rule in stated:
        for name in rule.prerequisites.split():
            if re.fullmatch(r"[\w.-]{1,60}", name) and name not in known | heads:
                yield RecipeFault("absent", name, "", Location(file, rule.line))


def _beside(source: Source, home: str) -> set[str]:
    """The names of the files and folders that lie in a folder."""
    start = f"{home}/" if home else ""
    return {item.removeprefix(start).partition("/")[0] for item in source.files if item.startswith(start)}


def _forgotten(file: str, rule: _Rule) -> Iterator[RecipeFault]:
    """The lines that change only a shell that ends with them, where others follow."""
    last = max((index for index, line in enumerate(rule.recipe) if line.strip()), default=0)
    for index, line in enumerate(rule.recipe[:last]):
        goes_on = index > 0 and rule.recipe[index - 1].endswith("\\")
        match = None if goes_on else _FORGOTTEN.match(text := line.partition(" #")[0].strip())
        if match and not _is_harmless(match, rule.recipe[:index], rule.recipe[index + 1 :]):
            yield RecipeFault("forgotten", ", ".join(rule.names), text, Location(file, rule.line + index))


def _is_harmless(match: re.Match[str], before: list[str], after: list[str]) -> bool:
    """Whether no later line needs the change: a way back, or what only prints or names the folder of its programs."""
    later = [line.strip().lstrip("@-+ ") for line in after if line.strip()]
    home = (match["file"] or "").partition("/bin/")[0]
    back = (match["folder"] or "").startswith("..") and any("cd " in line for line in before)
    return back or all(line.startswith(("echo", "printf", *([home] if home else []))) for line in later)


def _swallowed(file: str, rule: _Rule, text: str, known: set[str]) -> Iterator[RecipeFault]:
    """What make replaces by nothing: a variable, or a command in brackets, with one `$`."""
    loops = set(re.findall(r"\bfor\s+(\w+)\s+in\b", text))
    for index, line in enumerate(text.split("\n")):
        for match in _SWALLOWED.finditer(line) if "$" in line else ():
            call, name, plain = match["call"], match["name"], match["plain"]
            lost = (
                (call and call not in _MAKES_OWN and call not in known)
                or (name and name[0] not in known and not ({"$", "{"} & set(line[: match.start()][-1:])))
                or (match["number"] and "awk" in line)
                or (match["each"] in loops if match["each"] else False)
                or (plain and plain not in known)
            )
            if lost and "$(call" not in line and "$(eval" not in line:
                said = match[0].lstrip("$")
                yield RecipeFault("swallowed", ", ".join(rule.names), f"${said}", Location(file, rule.line + index))
                break


def _for_bash(file: str, rules: list[_Rule]) -> Iterator[RecipeFault]:
    """What only Bash knows, in recipes that `/bin/sh` runs."""
    for rule in rules:
        text = "\n".join(rule.recipe).replace("$$", "$")
        for item in bashisms.found(text):
            place = Location(file, rule.line + item.line - 1)
            yield RecipeFault("bash", ", ".join(rule.names), f"{item.said}: {item.outcome}", place)


def _calls(lines: list[str]) -> dict[str, str]:
    """The variables that stand for a program, those in its options replaced where they are a plain word; and those that
    are set once, to a number or the path of a YAML file, as Compose is given (`-f $(STACK) up --scale web=$(COPIES)`).
    """
    short = [line[:_LINE_LIMIT] for line in lines if "=" in line and not line.startswith("\t")]
    words = _settled(match for line in short if (match := _WORD.match(line)))
    calls = {match["name"]: match["call"].strip() for line in short if (match := _CALL.match(line))}
    found = {name: _TO_WORD.sub(lambda match: words.get(match[1], match[0]), call) for name, call in calls.items()}
    defined = Counter(match["name"] for line in short if (match := _DEFINED.match(line)))
    known = ((name, word) for name, word in words.items() if word.isdecimal() or word.endswith((".yml", ".yaml")))
    return {"MAKE": "make", **{name: word for name, word in known if defined[name] == 1}, **found}


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
            goes_on = current.recipe[-1].endswith("\\")
            current.recipe.append(line.lstrip() if goes_on else _recipe_line(line))
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
    """The first line of a command without its marks. `-` says that its failure doesn't matter: so to a shell, too."""
    text = line.lstrip("\t")
    command = text.lstrip("@-+ ")
    ignores = "-" in text[: len(text) - len(command)] and command and not command.endswith("\\")
    return f"{command} || true" if ignores else command


def _targets(
    source: Source, file: str, rule: _Rule, calls: dict[str, str], *, one_shell: bool
) -> Iterator[ScriptTarget]:
    """One for each name; its prerequisites count as `make` commands, since they run first."""
    names = [name for name in rule.names if not _NO_TARGET.match(name) and "$" not in name]
    if not names:
        return
    needed = [word for word in rule.prerequisites.split() if re.fullmatch(r"[\w-]+", word)]
    place = Location(file, rule.line)
    first = commands("; ".join(f"make {word}" for word in needed), file, rule.line)
    recipe = _OR.sub(r"${\1:-\2}", "\n".join(rule.recipe))
    recipe = _TO_WORD.sub(lambda match: calls.get(match[1], match[0]), recipe)
    body = _VARIABLE.sub(r"${\1}", recipe).replace("$$", "$")
    texts = [(0, body)] if one_shell else _shells(body)
    executed = (item for start, text in texts for item in commands(text, file, rule.line + start, source.vault))
    found = (*first, *executed)
    for name in names:
        yield ScriptTarget(name, found, body.strip(), place)


def _shells(body: str) -> Iterator[tuple[int, str]]:
    """The lines of a recipe, each with those that it goes on in and the number of its first: a shell runs each, so that
    none knows where another one went.
    """
    start, parts = 0, list[str]()
    for number, line in enumerate(body.split("\n")):
        start, parts = start if parts else number, [*parts, line]
        if not line.endswith("\\"):
            yield start, "\n".join(parts)
            parts = []
    if parts:
        yield start, "\n".join(parts)
