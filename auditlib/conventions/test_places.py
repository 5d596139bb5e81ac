"""Where a command looks for the tests of its framework, and whether the repository has a file for one there.

Sources: https://pkg.go.dev/cmd/go#hdr-Package_lists_and_patterns,
https://docs.djangoproject.com/en/stable/topics/testing/overview/#running-tests, https://vitest.dev/guide/cli and
https://jestjs.io/docs/cli.
"""

from __future__ import annotations

import posixpath

from auditlib.inventory import Inventory
from auditlib.paths import below, normal
from auditlib.patterns import regex

_JAVASCRIPT = regex(r"\.(?:test|spec)\.[cm]?[jt]sx?$|(?:^|/)__tests__/")
_FILES = {
    "go": regex(r"_test\.go$"),
    "unittest": regex(r"(?:^|/)test[^/]*\.py$"),
    "jest": _JAVASCRIPT,
    "vitest": _JAVASCRIPT,
}
FRAMEWORKS = tuple(_FILES)
_ELSEWHERE = ("--root", "--dir", "--config", "-c", "--project", "--workspace", "--rootDir", "--roots", "--filter", "-C")
"""Options by which a command looks in another folder, or for files of other names."""
_DJANGO = regex(r"\bmanage\.py\s+test\b(?P<rest>.*)$")
_VALUED = frozenset({"--settings", "-k", "--tag", "--exclude-tag", "--parallel", "-v", "--verbosity", "-t"})


def empty(inventory: Inventory, framework: str, text: str, folder: str) -> tuple[str, ...]:
    """The folders in which a command looks for tests, if none of them holds a file for one; none if that isn't known.

    `folder` is where it runs.
    """
    places = () if "$" in text or framework not in _FILES else _places(framework, text)
    paths = tuple(normal(posixpath.join(folder, place)) for place in places)
    known = bool(paths) and all(not path or path in inventory.folder_set for path in paths)
    found = (_FILES[framework].search(file) for path in paths for file in below(inventory.files, path))
    return paths if known and not any(found) else ()


def is_nowhere(inventory: Inventory, framework: str) -> bool:
    """Whether the whole repository has no file for a test of the framework."""
    return not any(map(_FILES[framework].search, inventory.files))


def _places(framework: str, text: str) -> tuple[str, ...]:
    words = text.split()
    if any(word.partition("=")[0] in _ELSEWHERE for word in words):
        return ()
    if framework == "go":
        return _of_go(words)
    if framework == "unittest":
        return _of_django(text)
    return ("",)


def _of_go(words: list[str]) -> tuple[str, ...]:
    """The folders of the packages; nothing where one is named by its import path."""
    if "go" not in words or "test" not in words:
        return ()
    named = [word for word in words[words.index("go") + 2 :] if not word.startswith("-")]
    ours = tuple(word.removesuffix("...") for word in named if word.startswith("./"))
    return ours if len(ours) == len([word for word in named if "/" in word]) else ()


def _of_django(text: str) -> tuple[str, ...]:
    """The folders of the labels, or the one of manage.py; a module or a class is no folder."""
    match = _DJANGO.search(text)
    words = match["rest"].split() if match else []
    if match is None or _VALUED & {word for word in words if "=" not in word} or "-p" in words:
        return ()
    labels = [word for word in words if not word.startswith("-")]
    return tuple(label.replace(".", "/") for label in labels) or ("",)
