"""Files that documents name as the repository's own and that it lacks.

Only what leaves little doubt: a path in a piece of code within prose, whose first folder is there or which is a
workflow. What the sentence says to create, what Git ignores and what any other file names, which may make it, is left
out.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import ahocorasick_rs
import pathspec

from auditlib.inventory.document import AbsentPath
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import file_trees
from auditlib.readers.committed_secrets import is_text
from auditlib.readers.documents import PATTERNS
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

_CODE = regex(r"(?<!`)`([^`\s]{1,200})`")
_FENCE = regex(r" {0,12}(?:```|~~~)")
_FILE = regex(
    r"(?:\./)?(?P<path>[\w@.-]+(?:/[\w@.-]+)+\.(?:ya?ml|json|toml|ini|conf|cfg|sh|bash|sql|py|[cm]?[jt]sx?|go|rb|md|"
    r"html|env\.example))(?::\d+(?:-\d+)?)?"
)
_BADGE = regex(
    r"github\.com/(?P<repository>[\w.-]{1,60}/[\w.-]{1,100})/(?:actions/)?workflows/(?P<name>[\w.-]{1,80}\.ya?ml)/badge\.svg"
)
_PATTERN = regex(r"Y{4}|(?:^|[/_.-])(?:MM|DD|HH|X{2,}|N{2,})(?=[/_.-])")
"""In a path that stands for many: where a date or a number goes."""
_NOT_THERE = regex(
    r"\b(?:creat|add|writ|generat|produc|output|sav|mak|put|copy|copied|renam|remov|delet|mov(?:e|ing)|drop|was|were|"
    r"previous|former|old|legacy|no longer|instead|optional|if |e\.g|example|such as|like|your|you |"
    r"would|will|should|plan|"
    r"todo|future|later|missing|lack|absent|not (?:exist|there|yet|in|part)|does not|doesn't|without|upload|download|"
    r"cria|crie|adicion|gera|erstell|anleg|erzeug|schreib|cré|crear|agreg|tạo|thêm|добав|созда|生成|创建|添加|新增)",
    re.I,
)
"""In a sentence that says that the file is to be made, or isn't there."""
_ASIDE = regex(
    r"(?:^|[/_.-])(?:change(?:log|s)|history|news|releases?|roadmap|todo|plans?|proposals?|rfcs?|adrs?|decisions?|design|"
    r"specs?|migrat\w*|upgrad\w*|tasks?|ideas?|notes?|prompts?|claude|agents|examples?|vendor|third_party|node_modules)"
    r"(?=[/_.-])",
    re.I,
)
"""Documents of what is planned, is gone, or is of others."""
_COMMENTS = ("#", "//", "*", "/*", "--", ";", "<!--")
_WORKFLOWS = ".github/workflows/"
_LINE_LIMIT = 2_000


def read(source: Source) -> Reading:
    """A record for each such place. It reports no coverage: the documents belong to another reader."""
    reading = Reading()
    documents = [file for file in source.matching(*PATTERNS) if not _ASIDE.search(file)]
    by_name = _by_name(source) if documents else {}
    found = [item for file in documents for item in _candidates(source, by_name, file)]
    if not found:
        return reading
    ignored = _ignored(source)
    named = _named_elsewhere(source, {posixpath.basename(item.path) for item in found})
    reading.records += [
        item for item in found if posixpath.basename(item.path) not in named and not ignored.match_file(item.path)
    ]
    return reading


def _by_name(source: Source) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in source.files:
        found[posixpath.basename(path)].append(path)
    return found


def _candidates(source: Source, by_name: Mapping[str, list[str]], file: str) -> Iterator[AbsentPath]:
    try:
        lines = source.lines(file)
    except Unreadable:
        return
    folder = posixpath.dirname(file)
    if any("──" in line for line in lines):
        trees = file_trees.absent(lines, source.exists, ("",) if not folder else (folder, ""))
        yield from (AbsentPath(path, Location(file, number)) for path, number in trees)
    fenced = False
    for number, line in enumerate(lines, start=1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and "/badge.svg" in line[:_LINE_LIMIT]:
            yield from (AbsentPath(path, Location(file, number)) for path in _badges(source, line[:_LINE_LIMIT]))
        elif not fenced and "`" in line[:_LINE_LIMIT] and not _NOT_THERE.search(line[:_LINE_LIMIT]):
            yield from (
                AbsentPath(path, Location(file, number)) for path in _paths(line[:_LINE_LIMIT])
                if not _is_elsewhere(by_name, path) and _is_missed(source, folder, path)
            )  # fmt: skip


def _badges(source: Source, line: str) -> Iterator[str]:
    """The workflows of whose state a picture tells, and that aren't there though others are."""
    for match in _BADGE.finditer(line):
        path = f"{_WORKFLOWS}{match['name']}"
        own = source.origin.rstrip("/").lower().endswith(match["repository"].lower()) if source.origin else True
        if own and not source.exists(path) and any(item.startswith(_WORKFLOWS) for item in source.files):
            yield path


def _paths(line: str) -> Iterator[str]:
    for code in _CODE.findall(line):
        match = _FILE.fullmatch(code)
        if match and not _PATTERN.search(match["path"]):
            yield match["path"]


def _is_elsewhere(by_name: Mapping[str, list[str]], path: str) -> bool:
    """Whether the path leads to a file as seen from some folder."""
    return any(item.endswith(f"/{path}") for item in by_name.get(posixpath.basename(path), ()))


def _is_missed(source: Source, folder: str, path: str) -> bool:
    """Whether a path is meant to be the repository's and leads to nothing, as seen from the root or the document."""
    if any(source.exists(item) for item in (path, posixpath.normpath(posixpath.join(folder, path)))):
        return False
    if path.startswith(_WORKFLOWS):
        return any(item.startswith(_WORKFLOWS) for item in source.files)
    first = path.partition("/")[0]
    return source.is_folder(first) or bool(folder and source.is_folder(posixpath.join(folder, first)))


def _ignored(source: Source) -> pathspec.GitIgnoreSpec:
    text = source.glance(".gitignore") if source.is_file(".gitignore") else ""
    try:
        return pathspec.GitIgnoreSpec.from_lines(text.splitlines())
    except ValueError:  # a malformed pattern
        return pathspec.GitIgnoreSpec.from_lines(())


def _named_elsewhere(source: Source, names: set[str]) -> set[str]:
    """Those of the names that a file which is no document holds: it may make them, or have a finding of its own."""
    search = ahocorasick_rs.AhoCorasick(sorted(names), matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    documents = set(source.matching(*PATTERNS))
    return {
        text[start:end]
        for path in source.files if path not in documents and is_text(path)
        for text in [source.glance(path)]
        for _, start, end in search.find_matches_as_indexes(text)
        if not (text[start:end].lower().endswith(".md") and _in_comment(text, start))
    }  # fmt: skip


def _in_comment(text: str, place: int) -> bool:
    """Whether a line is a comment up to this place: it sends to a document, and makes none."""
    return text[text.rfind("\n", 0, place) + 1 : place].lstrip().startswith(_COMMENTS)
