"""Reads which profiles the files and the code of Spring applications know, where data is kept in memory, and whether
metrics are published with their buckets.

Follows https://docs.spring.io/spring-boot/reference/features/profiles.html and
https://docs.spring.io/spring-boot/reference/features/external-config.html#features.external-config.files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from auditlib.inventory.configuration import CommentInValue, MemoryDatabase, SpringProfile, SpringSettings
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.source import Source, Unreadable

KIND = "Spring configuration"
_FILE = regex(r"(?:application|bootstrap)(?:-(?P<profile>[\w-]+))?\.(?:ya?ml|properties)")
_PART = regex(r"(?:on-profile|spring\.profiles|^\s*profiles)\s*[:=]\s*[\"']?(?P<names>[\w, |&!()-]+)")
_GROUP = regex(r"^\s*spring\.profiles\.group\.(?P<name>[\w-]+)|^\s*(?P<key>[\w-]+):\s*[\"']?[\w-]+,")
_IN_CODE = regex(r"@Profile\(\s*(?:\{\s*)?(?P<names>\"[^)]{1,200})\)")
_ASKED_BY = r"acceptsProfiles|matchesProfiles|Profiles\.of|[aA]ctiveProfiles\b|springProfile\b"
_ASKED = regex(_ASKED_BY)
_SPEAKS = regex(rf"@Profile\b|{_ASKED_BY}")
_TEXT = regex(r"\"([^\"]{1,200})\"")
_CODE = (".java", ".kt", ".groovy", ".scala", ".xml")
_WORD = regex(r"[\w-]+")
_HISTOGRAM = regex(r"percentiles-?histogram|publishPercentileHistogram|\bslo\b|serviceLevelObjectives", re.I)
_ELSEWHERE = regex(
    r"configserver:|spring\.config\.import|config:\s*\n\s+import:|cloud:\s*\n\s+config:|spring\.cloud\.config"
)
_COMMENTED = regex(
    r"\s*(?P<name>[A-Za-z][\w.-]{1,100})\s*[=:]\s*(?:(?![A-Z]?[a-z]+\s+#\s*\w+\s)[^\s#]{1,300}|[\d*/?,-]+(?:\s[\d*/?,A-Z-]+){4,6})\s+"
    r"(?P<comment>(?!#[\dA-Fa-f]{3,8}$)#\s*[A-Za-z].{0,200})$"
)
"""A value of one word, or a schedule, with a comment after it; in a sentence the sign may be a part of it."""
_MEMORY = regex(r"(?<![:\w{])jdbc:(?:h2:mem|hsqldb:mem|derby:memory)")
"""An address itself, and no default of a variable (`${DB_URL:jdbc:h2:mem:shop}`)."""
_BORDER = regex(r"#?---[ \t]*")
_ON_PROFILE = regex(
    r"(?:on-profile|spring\.profiles|^[ \t]+profiles)[ \t]*[:=][ \t]*[\"']?(?P<name>[\w-]+)[\"']?[ \t]*$"
)
_ACTIVATES = regex(
    r"profiles\.(?:active|include|default)\b|profiles:[ \t]*\n(?:[ \t]+[^\n]*\n){0,5}?[ \t]+(?:active|include|default):"
)


def read(source: Source) -> Reading:
    """Every profile and every database in memory, tests left out; nothing where no Spring application is."""
    mine = [path for path in source.files if "src/test/" not in path]
    files = [path for path in mine if _FILE.fullmatch(posixpath.basename(path))]
    code = [path for path in mine if path.endswith(_CODE) and _says(source, path, _SPEAKS)] if files else []
    found = each(source, [*files, *code], KIND, _read)
    in_code = any(_says(source, path, _HISTOGRAM) for path in mine if files and path.endswith((".java", ".kt")))
    settings = (
        SpringSettings(in_code or _says(source, path, _HISTOGRAM), _says(source, path, _ELSEWHERE), Location(path))
        for path in files
    )
    tests = [
        path for path in source.files if "src/test/resources/" in path and _FILE.fullmatch(posixpath.basename(path))
    ]
    return Reading([*found.records, *settings, *(item for path in tests for item in _of_tests(source, path))], [])


def _of_tests(source: Source, path: str) -> Iterator[MemoryDatabase]:
    """The databases in memory that the tests' own configuration names."""
    match = _FILE.fullmatch(posixpath.basename(path))
    try:
        lines = source.lines(path)
    except Unreadable:
        return
    for number, line in enumerate(lines, 1):
        if match and not line.lstrip().startswith("#") and _MEMORY.search(line[:1_000]):
            yield MemoryDatabase(match["profile"] or "", Location(path, number), True)


def _says(source: Source, path: str, pattern: re.Pattern[str]) -> bool:
    try:
        return pattern.search(source.text(path)) is not None
    except Unreadable:
        return False


def _read(source: Source, path: str) -> Iterator[Any]:
    match = _FILE.fullmatch(posixpath.basename(path))
    profile = (match["profile"] or "") if match else ""
    if profile:
        yield SpringProfile(profile, Location(path))
    for number, line in enumerate(source.lines(path), 1):
        place = Location(path, number)
        if match and path.endswith(".properties") and (noted := _COMMENTED.match(line.rstrip()[:1_000])):
            yield CommentInValue(noted["name"], source.vault.mask(noted["comment"]), place)
        yield from (SpringProfile(name, place) for name in _named(line[:1_000], in_code=match is None))
    if match and (profile or not _ACTIVATES.search(source.text(path))):
        yield from _in_memory(source.lines(path), path, profile)


def _in_memory(lines: list[str], path: str, profile: str) -> Iterator[MemoryDatabase]:
    """The databases in memory, each with the profile of its file or of its part of the file."""
    parts: list[list[tuple[int, str]]] = [[]]
    for number, line in enumerate(lines, 1):
        if _BORDER.fullmatch(line.rstrip()):
            parts.append([])
        elif not line.lstrip().startswith("#"):
            parts[-1].append((number, line[:1_000]))
    for part in parts:
        told = next((match["name"] for _, line in part if (match := _ON_PROFILE.search(line))), "")
        yield from (
            MemoryDatabase(profile or told, Location(path, number)) for number, line in part if _MEMORY.search(line)
        )


def _named(line: str, in_code: bool) -> list[str]:
    """The profiles that a line names."""
    if in_code:
        return list(_named_in_code(line))
    part, group = _PART.search(line), _GROUP.match(line)
    names = _WORD.findall(part["names"]) if part else []
    return names + [name for name in ((group["name"], group["key"]) if group else ()) if name]


def _named_in_code(line: str) -> Iterator[str]:
    """The profiles that a line of code, or of the configuration of logs, asks for."""
    found = _IN_CODE.search(line) if "@Profile" in line else None
    texts = [found["names"]] if found else _TEXT.findall(line) if _ASKED.search(line) else []
    for text in texts:
        yield from _WORD.findall(text)
    if ("@Profile(" in line and not found) or any("!" in text for text in texts) or (not texts and _ASKED.search(line)):
        yield "*"
