"""Requirements as Python writes them: PEP 508 strings, and the files that pip reads.

Follows https://packaging.python.org/en/latest/specifications/dependency-specifiers/ and
https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditlib.inventory.delivery import Manifest, Requirement
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.redaction import Vault
from auditlib.source import Source, Unreadable

KIND = "requirements"

_FILE = regex(r"(?:[\w.-]*requirements[\w.-]*\.(?:txt|in|pip))|requirements", re.I)
_REQUIREMENT = regex(r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?P<constraint>[^;#]*)")
_EGG = regex(r"[#&]egg=(?P<name>[\w.-]+)")
_INCLUDE = regex(r"(?:-r|--requirement)[\s=]*(?P<path>\S+)")
_CONSTRAINT = regex(r"^[ \t]*(?:-c|--constraint)[\s=]", re.M)
_COMMENT = regex(r"(?:^|\s)#.*$")
_HASHES = regex(r"\s--(?:hash|config-settings|global-option)\b.*$")
_GROUP = regex(r"dev|test|doc|lint|ci|prod|local|build|type", re.I)
_NESTING = 10


def read(source: Source) -> Reading:
    """Every requirements file of the repository, each with what it includes."""
    files = [path for path in source.files if _is_requirements(path)]
    return each(source, files, KIND, _read)


def _is_requirements(path: str) -> bool:
    in_folder = f"/{path}".rpartition("/")[0].endswith("/requirements") and path.endswith((".txt", ".in"))
    return in_folder or bool(_FILE.fullmatch(posixpath.basename(path)))


def requirement(text: str, group: str, location: Location, vault: Vault) -> Requirement | None:
    """One requirement, its name normalised; None for what is none. An address may hold a token, so it is masked."""
    match = _REQUIREMENT.match(text.strip())
    if match is None or "://" in text.partition("@")[0]:
        match = _EGG.search(text)
        return Requirement(normalised(match["name"]), vault.mask(text.strip()), group, location) if match else None
    return Requirement(normalised(match["name"]), vault.mask(match["constraint"].strip()), group, location)


def normalised(name: str) -> str:
    """A project's name as https://packaging.python.org/en/latest/specifications/name-normalization/ has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(source: Source, path: str) -> Iterator[Manifest | Coverage]:
    found = list(_requirements(source, path, (path,)))
    yield from (item for item in found if isinstance(item, Coverage))
    needed = tuple(dict.fromkeys(item for item in found if isinstance(item, Requirement)))
    constrained = bool(_CONSTRAINT.search(source.text(path)))
    yield Manifest(path, "python", "", (), needed, "", (), Location(path), constrained=constrained)


def _requirements(source: Source, path: str, chain: tuple[str, ...]) -> Iterator[Requirement | Coverage]:
    group = _group(path)
    for number, line in _logical_lines(source.text(path)):
        if include := _INCLUDE.match(line):
            yield from _included(source, path, include["path"], number, chain)
        elif not line.startswith("-"):
            found = requirement(line, group, Location(path, number), source.vault)
            if found:
                yield found
            elif "/" not in line and not line.startswith("."):  # a path or an address names no project
                yield Coverage(path, KIND, Read.PARTIAL, f"line {number} is no requirement", number)


def _included(
    source: Source, path: str, name: str, number: int, chain: tuple[str, ...]
) -> Iterator[Requirement | Coverage]:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    if target in chain or len(chain) > _NESTING:
        return
    if not source.is_file(target):
        yield Coverage(path, KIND, Read.PARTIAL, f"line {number} includes {name}, which is no file here", number)
        return
    try:
        yield from _requirements(source, target, (*chain, target))
    except Unreadable as error:
        yield Coverage(path, KIND, Read.PARTIAL, f"line {number} includes {name}, which {error.reason}", number)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines without comments, those that a backslash continues joined, each with its first line's number."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.split("\n"), start=1):
        start = start if parts else number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        whole = _HASHES.sub("", _COMMENT.sub("", "".join([*parts, line]))).strip()
        parts = []
        if whole:
            yield start, whole


def _group(path: str) -> str:
    """The group that a file's name tells: `requirements-dev.txt` is `dev`."""
    name = PurePosixPath(path).name.lower()
    if re.fullmatch(r"requirements\.(?:txt|in|pip)|requirements", name):
        return "main"
    match = _GROUP.search(name.replace("requirements", ""))
    return match[0] if match else "main"
