"""What the build of an image sees: the files of its context, less those that `.dockerignore` leaves out.

Follows https://docs.docker.com/build/concepts/context/ and
https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from functools import cache

from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, DockerIgnore, Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.paths import below
from auditlib.patterns import regex

PREDEFINED_ARGUMENTS = regex(
    r"(?:HTTPS?|FTP|NO|ALL)_PROXY|(?:https?|ftp|no|all)_proxy|BUILDKIT_\w+|SOURCE_DATE_EPOCH|"
    r"(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)"
)
"""Build arguments that Docker knows without a declaration."""

_LOOKED_AT = 300
"""Dockerfiles of a very large repository among which one that is meant is looked for."""


def folders(inventory: Inventory) -> frozenset[str]:
    """Every folder of the repository that holds a file, however deep; the root is `.`."""
    found = {"."}
    for path in inventory.files:
        while (path := posixpath.dirname(path)) and path not in found:
            found.add(path)
    return frozenset(found)


def files(inventory: Inventory, context: str) -> list[str]:
    """The files below a context, relative to it."""
    start = 0 if context in ("", ".") else len(context) + 1
    return [path[start:] for path in below(inventory.files, context)]


def ignore_file(inventory: Inventory, build: Build) -> DockerIgnore | None:
    """The `.dockerignore` that holds for a build: the one of its Dockerfile, or that of its context."""
    names = (f"{build.dockerfile}.dockerignore", posixpath.normpath(posixpath.join(build.context, ".dockerignore")))
    known = {item.path: item for item in inventory.docker_ignores}
    return next((known[name] for name in names if name in known), None)


def is_excluded(ignore: DockerIgnore | None, path: str) -> bool:
    """Whether a file of the context is left out; as in Docker the last pattern that matches decides."""
    for pattern, excludes in _last_first(ignore.patterns) if ignore else ():
        if pattern.fullmatch(path):
            return excludes
    return False


def may_let_in(ignore: DockerIgnore, source: str) -> bool:
    """Whether a pattern with `!` may let something of a folder, or of a wildcard, in again."""
    first = posixpath.normpath(f"/{source}").lstrip("/").partition("/")[0]
    again = (item.removeprefix("!").strip().lstrip("/") for item in ignore.patterns if item.startswith("!"))
    heads = (posixpath.normpath(item).partition("/")[0] for item in again)
    return any(head == first or any(sign in head + first for sign in "*?[") for head in heads)


@cache
def _last_first(patterns: tuple[str, ...]) -> list[tuple[re.Pattern[str], bool]]:
    """The patterns of a `.dockerignore`, each with whether it excludes and doesn't include again."""
    return [(_pattern(item.removeprefix("!").strip()), not item.startswith("!")) for item in reversed(patterns)]


def matches(pattern: str, path: str) -> bool:
    """Whether a source of COPY means a file: the file itself, one below the folder, or one of the wildcard.

    As in Docker the context is its own root, so that `..` of it is the context again.
    """
    source = posixpath.normpath(f"/{pattern}").lstrip("/")
    return not source or bool(_pattern(source).fullmatch(path))


def path_outside(build: Build, source: str) -> str:
    """The path in the repository of what an instruction copies from the context of its build."""
    return posixpath.normpath(posixpath.join(build.context, source.lstrip("/")))


def copies_everything(item: Instruction) -> bool:
    """Whether an instruction copies the whole context into the image."""
    return item.copies_context and bool({".", "./"} & set(item.words[:-1]))


def takes(inventory: Inventory, build: Build, item: Instruction, path: str) -> bool:
    """Whether an instruction takes a file of the repository along that it doesn't name itself."""
    context = posixpath.normpath(build.context or ".")
    inside = path if context == "." else posixpath.relpath(path, context)
    sources = [word for word in item.words[:-1] if not word.startswith("<<") and "$" not in word]
    named = any(posixpath.basename(word) == posixpath.basename(path) for word in sources)
    if inside.startswith("..") or named or not any(matches(word, inside) for word in sources):
        return False
    return not is_excluded(ignore_file(inventory, build), inside)


def takes_history(inventory: Inventory, build: Build, item: Instruction) -> bool:
    """Whether an instruction takes `.git` along, which lies in the root."""
    return posixpath.normpath(build.context or ".") == "." and takes(inventory, build, item, ".git/config")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """A pattern of Go's `filepath.Match` with `**`, which matches what lies below a folder too."""
    text = posixpath.normpath(text.lstrip("/")) if text else text
    parts: list[str] = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", text):
        parts.append({"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or _literal(part))
    return re.compile(("".join(parts) if text != "." else ".*") + r"(?:/.*)?")


def _literal(part: str) -> str:
    closed = part.startswith("[") and part.endswith("]") and len(part) > 2
    return f"[{part[1:-1].replace('[', '')}]" if closed and re.fullmatch(r"[\w\-^]+", part[1:-1]) else re.escape(part)


def meant(inventory: Inventory, service: Service) -> Dockerfile | None:
    """The only Dockerfile of a build context that lacks the one that the service names; None where nobody can tell."""
    build = service.build
    if build is None or build.outside or build.inline or "$" in build.context + build.dockerfile:
        return None
    inside = "" if build.context == "." else f"{build.context}/"
    some = itertools.islice(inventory.dockerfiles_by_path, _LOOKED_AT)
    known = [file for file in some if file.startswith(inside)]
    return inventory.dockerfiles_by_path[known[0]] if len(known) == 1 and build.dockerfile not in known else None
