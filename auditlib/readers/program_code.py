"""What code of programs does with the databases, services and clients that it uses: what it changes at its start, how
much it takes, how long it waits.

The patterns are those of `auditlib.readers.program_patterns`, and of
https://docs.spring.io/spring-boot/appendix/application-properties/. The text is searched, not parsed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice

from auditlib.inventory.code import CodeTrait
from auditlib.model import Location
from auditlib.paths import normal
from auditlib.patterns import Words, regex
from auditlib.readers import process_patterns, program_patterns, queue_patterns
from auditlib.readers.program_patterns import FILES, Pattern
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_PATTERNS = (*program_patterns.PATTERNS, *process_patterns.PATTERNS, *queue_patterns.PATTERNS)
_WORDS = Words(*sorted({hint for pattern in _PATTERNS for hint in pattern.hints}))
"""One of its hints is in every text that shows a trait."""
_COMMENT = regex(r"(?m)^[ \t]*(?://|\*|#(?!\[))[^\n]*")
_ASIDE = regex(
    r"(?:^|/)(?:tests?|__tests__|e2e|spec|specs|fixtures|testdata|testutils?|test-utils|mocks?|examples?|samples?|docs?|"
    r"scripts?|tools|bench(?:marks?)?|node_modules|vendor|dist|migrations?|alembic|seeds?|seeders?|notebooks)/|"
    r"(?:^|/)(?:test_|conftest|setupTests|jest\.|vitest\.)[^/]*$|[._-](?:test|tests|spec|stories)\.\w+$|"
    r"(?:Test|Tests|IT)\.(?:java|kt|cs)$|"
    r"(?:^|/)(?:seed|init_db|create_tables?|reset_db|manage|locustfile|setup)[\w-]*\.\w+$"
)
"""Code that isn't part of a program in operation: tests, tools for people, what is called by hand."""
_SPRING_FILE = regex(r"(?:^|/)application(?:-(?P<profile>[\w-]+))?\.(?:ya?ml|properties)$")
_TRIAL = regex(r"^(?:dev|development|local|test|tests|testing|it|h2|ci|docker-dev|demo)$")
_LONGEST_CALL = 1_500
_MOST = 100
"""Places of one file that are looked at for a trait."""
_GUARDED = frozenset({"schema", "drop"})
_GUARD = regex(r"(?i)\bif\b[^\n]{0,160}(?:dev|debug|local|test|sqlite|prod|verbose|flag|echo|env)")
"""A condition in one of the lines above: what stands below it is for development, or for somebody who asks for it."""
_LINES_ABOVE = 300
_ABOVE = 4_000
_CONDITION = regex(r"\bif\b|&&|\?|\bunless\b|\bcase\b")
_BRANCH = regex(r"\s*(?:\}\s*)?(?:if|elif|else|case|when|unless|except|catch)\b")
_TAKES_AWAY = regex(r"(?i)(?:\bdef|\bfunction|\bconst)\s+\w*(?:reset|drop|wipe|clear|tear|destroy|recreate|clean)")
_STARTS = frozenset(
    {"lifespan", "startup", "on_startup", "startup_event", "create_app", "main", "make_app", "create_application"}
)
"""Functions that frameworks call, or that are called by a line that a search doesn't see."""
_IMPORT = regex(r"(?m)^[ \t]{0,40}(?:from|import)[ \t]+([A-Za-z_]\w*)")
_MODULE = regex(r"(?m)^module[ \t]+(?P<name>[^\s]+)")
_MAIN = regex(r"(?m)^package main\b")
_ENGINE = regex(r"\bcreate_(?:async_)?engine\(")
_ENGINE_NEEDS = regex(r"\bsqlalchemy\b|\bsqlmodel\b")
_SIZES = regex(r"\b(pool_size|max_overflow)\s{0,3}=\s{0,3}(?:int\()?([\w.]{1,80})")
_NO_POOL = regex(r"NullPool|StaticPool|poolclass|sqlite")
_OPEN_CONNECTIONS = regex(r"\.SetMaxOpenConns\((?P<number>\d{1,5})\)")
_HIKARI = regex(r"(?m)^[^#\n]{0,120}?\bmaximum-?[pP]ool-?[sS]ize[ \t]*[:=][ \t]*(?P<number>\d{1,5})\b")
_SETTLED = regex(r"\b(?:ddl-auto|hbm2ddl\.auto)[ \t]*[:=][ \t]*[\"']?(?:validate|none)\b")
_NO_SERVER = regex(r"jdbc:(?:h2|hsqldb|derby|sqlite)")
_OF_DEVELOPERS = regex(
    r"(?:on-profile|profiles)[ \t]*[:=][ \t]*[\"']?(?:[\w]+-)?(?:dev|devel|development|local|tests?|h2|demo|ci)\b"
)
_DDL = regex(
    r"(?m)^[^#\n]{0,120}?\b(?:ddl-auto|hbm2ddl\.auto)[ \t]*[:=][ \t]*[\"']?(?P<word>update|create-drop|create)\b"
)


def read(source: Source) -> Reading:
    """A trait for each kind, word and file at its first place; nothing of tests and of tools."""
    mine = [path for path in source.files if path.endswith(FILES) and not _ASIDE.search(path)]
    texts = {path: source.glance(path) for path in mine}
    hinting = {path: _COMMENT.sub("", text) for path, text in texts.items() if _WORDS.any_in(text)}
    found = [item for path, text in hinting.items() for item in _traits(path, text)]
    python = [text for path, text in texts.items() if path.endswith(".py")]
    kept = (item for item in found if item.kind not in _GUARDED or _runs(python, item.function))
    packages = _python(texts) if any(item.location.file.endswith(".py") for item in found) else ()
    return Reading([*kept, *_spring(source), *_go(source, texts), *packages], [])


def _python(texts: dict[str, str]) -> Iterator[CodeTrait]:
    """Which packages each file of Python imports, by the first part of their names."""
    for path, text in texts.items():
        names = set(_IMPORT.findall(text)) if path.endswith(".py") else ()
        yield from (CodeTrait("py import", name, Location(path)) for name in sorted(names))


def is_aside(path: str) -> bool:
    """Whether a file of code is no part of a program in operation, but of tests or tools."""
    return bool(_ASIDE.search(path))


def _go(source: Source, texts: dict[str, str]) -> Iterator[CodeTrait]:
    """Where the programs in Go are, and which folders of the repository each file imports."""
    modules = {posixpath.dirname(path): match["name"] for path in source.files
               if posixpath.basename(path) == "go.mod" and (match := _MODULE.search(source.glance(path)))}  # fmt: skip
    for path, text in texts.items():
        if path.endswith(".go"):
            if _MAIN.search(text):
                yield CodeTrait("go main", posixpath.dirname(path), Location(path))
            for folder, name in modules.items():
                found = re.findall(rf'"{re.escape(name)}(?:/([\w./-]{{1,200}}))?"', text) if f'"{name}' in text else ()
                yield from (
                    CodeTrait("go import", normal(posixpath.join(folder, item)), Location(path)) for item in found
                )


def _spring(source: Source) -> Iterator[CodeTrait]:
    """What the files of Spring's configuration say, those for development and tests left out."""
    files = {path: match["profile"] or "" for path in source.files if (match := _SPRING_FILE.search(path))}
    kept = (path for path, name in files.items() if not _ASIDE.search(path) and not _TRIAL.match(name))
    texts = {path: source.glance(path) for path in kept}
    settled = {posixpath.dirname(path) for path, text in texts.items() if files[path] and _SETTLED.search(text)}
    for path, text in texts.items():
        yield from _of_spring(path, text, posixpath.dirname(path) in settled)


def _runs(texts: list[str], function: str) -> bool:
    """Whether code calls a function, or hands it on, beside where it is defined: as a start of the program does."""
    if not function or function in _STARTS:
        return True
    name = re.compile(rf"(?<!def )\b{re.escape(function)}\b\s{{0,3}}[(),]")
    return any(function in text and name.search(text) for text in texts)


def _traits(path: str, text: str) -> Iterator[CodeTrait]:
    ending = posixpath.splitext(path)[1]
    yield from _pools(path, text, ending)
    words = _WORDS.found_in(text)
    for trait in _PATTERNS:
        told = ending in trait.endings and not words.isdisjoint(trait.hints)
        if told and (match := _found(trait, text)) is not None:
            place = location_at(path, text, match.start())
            word = match["folder"] if trait.kind == "upload" else trait.word
            yield CodeTrait(trait.kind, word, place, _function(text, match, ending))


def _pools(path: str, text: str, ending: str) -> Iterator[CodeTrait]:
    """How many connections each process may open, as the code says it: numbers, or names of settings."""
    if ending == ".py" and _ENGINE_NEEDS.search(text):
        for match in islice(_ENGINE.finditer(text), 3):
            call = _call(text, match)
            sizes = dict(_SIZES.findall(call))
            if "**" not in call and not _NO_POOL.search(call):
                word = f"{sizes.get('pool_size', '5')}+{sizes.get('max_overflow', '10')}"
                yield CodeTrait("pool size", word, location_at(path, text, match.start()))
    elif ending == ".go" and (opened := _OPEN_CONNECTIONS.search(text)):
        yield CodeTrait("pool size", opened["number"], location_at(path, text, opened.start()))


def _found(trait: Pattern, text: str) -> re.Match[str] | None:
    """The first place that shows a trait."""
    if trait.needs and not trait.needs.search(text):
        return None
    for match in islice(trait.shown.finditer(text), _MOST):
        above = text[max(0, match.start() - _LINES_ABOVE) : match.start()] if trait.kind in _GUARDED else ""
        guarded = any(map(_GUARD.search, above.splitlines()[-3:]))
        if trait.kind == "background" and _function(text, match, ".py") not in _STARTS:
            continue
        guarded = guarded or (trait.kind == "drop" and _is_asked_for(text, match.start()))
        if not guarded and (trait.unless is None or not trait.unless.search(_call(text, match))):
            return match
    return None


def _is_asked_for(text: str, place: int) -> bool:
    """Whether a place stands below a condition, or in a function that is named for what it takes away."""
    *above, own = text[max(0, place - _ABOVE) : place].split("\n")
    if _CONDITION.search(own):
        return True
    depth = len(own) - len(own.lstrip())
    for line in reversed(above):
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent < depth:
            if _BRANCH.match(line) or _TAKES_AWAY.search(line):
                return True
            depth = indent
    return False


def _call(text: str, match: re.Match[str]) -> str:
    """The text of a call, or of a literal in braces, from its first bracket to the one that closes it."""
    begin = match.end() - 1
    depth = 0
    for at in range(begin, min(len(text), begin + _LONGEST_CALL)):
        depth += (text[at] in "({[") - (text[at] in ")}]")
        if depth == 0:
            return text[begin : at + 1]
    return text[begin : begin + _LONGEST_CALL]


_FUNCTION = regex(r"(?m)^(?:async )?def (?P<name>\w+)\(|^(?=[^\s#)\]}\"'])")


def _function(text: str, match: re.Match[str], ending: str) -> str:
    """The function of Python at the top level that a place stands in; empty where none is known."""
    if ending != ".py":
        return ""
    line = text.rfind("\n", 0, match.start()) + 1
    if text[line : line + 1].strip():
        return ""
    names = [found["name"] for found in _FUNCTION.finditer(text[max(0, line - 20_000) : line])]
    return (names[-1] if names else "") or ""


def _is_of_another_profile(text: str, match: re.Match[str]) -> bool:
    """Whether a place stands in the part of a file that holds for a profile of development alone."""
    begin = max(text.rfind("\n---", 0, match.start()), text.rfind("\n#---", 0, match.start()), 0)
    end = min(
        place for place in (text.find("\n---", match.end()), text.find("\n#---", match.end()), len(text)) if place >= 0
    )
    return _OF_DEVELOPERS.search(text, begin, end) is not None


def _of_spring(path: str, text: str, settled: bool) -> Iterator[CodeTrait]:
    """What a file of Spring's configuration says; another profile may settle that tables stay as they are."""
    found = () if settled or _NO_SERVER.search(text) else _DDL.finditer(text)
    match = next((item for item in found if not _is_of_another_profile(text, item)), None)
    if match:
        kind = "drop" if match["word"] != "update" else "schema"
        yield CodeTrait(kind, f"ddl-auto: {match['word']}", location_at(path, text, match.start("word")))
    if match := _HIKARI.search(text):
        yield CodeTrait("pool size", match["number"], location_at(path, text, match.start("number")))
