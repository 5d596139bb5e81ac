"""Test suites: which tests exist, and which framework runs them.

By the conventions of the frameworks: pytest's and unittest's file names (https://docs.pytest.org/en/stable/explanation/goodpractices.html),
and the configuration files and file names of Playwright, Cypress, Vitest and Jest.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

from auditlib.inventory.code import TestSuite
from auditlib.model import Location
from auditlib.paths import below
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

KIND = "test"

_PYTHON = regex(r"(?:^|/)(?:test_[^/]+|[^/]+_test)\.py$")
_DJANGO = regex(r"(?:^|/)tests\.py$")
"""What Django makes for each application, empty at first."""
_JAVASCRIPT = regex(r"(?:\.(?:test|spec|cy)|(?:^|/)__tests__/[^/]+)\.[cm]?[jt]sx?$")
_IMPORT = regex(
    r"""(?:from\s+|require\(\s*|import\s+)['"](?P<module>@playwright/test|playwright|vitest|@jest/globals|cypress|"""
    r"""node:test|bun:test|mocha)['"]"""
)
_PACKAGE = regex(r'"(?P<name>@playwright/test|cypress|vitest|jest|react-scripts|mocha)"\s*:')
_FRAMEWORKS = {
    "vitest": "vitest", "jest": "jest", "@jest/globals": "jest", "react-scripts": "jest", "mocha": "mocha",
    "node:test": "node", "bun:test": "bun", "@playwright/test": "playwright", "playwright": "playwright",
    "cypress": "cypress",
}  # fmt: skip
"""By module or package, those of unit tests first: where a package has several, a plain test file is one of theirs."""
_ENDINGS = ("ts", "js", "mjs", "cjs", "mts")
_UNITTEST = regex(r"^class \w+\([^)\n]*TestCase\b|^from django\.test import|\bunittest\.main\(", re.M)
_PYTEST = regex(r"^\s*(?:import pytest|from pytest import)|^(?:async )?def test_", re.M)
_PLAYWRIGHT = regex(r"^\s*(?:from playwright|import playwright)", re.M)
_CASES = regex(
    r"""^[ \t]*(?:async )?def (?:test|should)|^[ \t]*class \w*Test|\b(?:test|it|specify)\b[\w.]*[ \t]*[(`<]|"""
    r"""\bscenarios\(|\b(?:ruleTester|testCases?)\b""",
    re.M,
)
_NAME = regex(r"\b[A-Z][A-Z0-9_]{2,60}\b")
_NAME_LIMIT = 2_000


_PYTHON_IMPORT = regex(r"^[ \t]*(?:from|import)[ \t]+(\.|\w+)", re.M)
_BY_NAME = regex(
    r"\b(?:DJANGO_SETTINGS_MODULE|pytest_plugins|__import__|import_module|exec)\b|^[ \t]*import[^\n]*,", re.M
)
_HARMLESS = (sys.stdlib_module_names | {"pytest"}) - {"importlib", "runpy", "subprocess", "os", "pkgutil"}


def read(source: Source) -> Reading:
    """A TestSuite for each framework in each package that has tests of it."""
    reading = Reading()
    grouped: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    by_folder: dict[str, str] = {}
    for file in source.files:
        if _PYTHON.search(file) or _JAVASCRIPT.search(file) or _DJANGO.search(file):
            try:
                if _DJANGO.search(file) and not _CASES.search(source.text(file)):
                    continue
                framework = _framework(source, file, by_folder)
            except Unreadable as error:
                reading.failed(file, KIND, error.reason, error.line)
                continue
            grouped[framework, _package(source, file, framework)].append(file)
            reading.parsed(file, KIND)
    reading.records += [_suite(source, *key, files) for key, files in sorted(grouped.items())]
    return reading


def _framework(source: Source, file: str, by_folder: dict[str, str]) -> str:
    text = source.text(file)
    if file.endswith(".py"):
        if _PLAYWRIGHT.search(text):
            return "playwright"
        return "unittest" if _UNITTEST.search(text) and not _PYTEST.search(text) else "pytest"
    if match := _IMPORT.search(text):
        return _FRAMEWORKS[match["module"]]
    if re.search(r"\.cy\.\w+$", file):
        return "cypress"
    folder = file.rpartition("/")[0]
    if folder not in by_folder:
        by_folder[folder] = _configured(source, file) or "jest"
    return by_folder[folder]


def _configured(source: Source, file: str) -> str:
    """The framework that the nearest configuration or package.json above a test names."""
    apart = not _END_TO_END_FOLDERS.isdisjoint(file.split("/"))
    for parent in PurePosixPath(file).parents:
        folder = "" if str(parent) == "." else f"{parent}/"
        configured = [
            framework for framework in ("playwright", "cypress", "vitest", "jest")
            if any(source.is_file(f"{folder}{framework}.config.{ending}") for ending in _ENDINGS)
        ]  # fmt: skip
        named = set(_PACKAGE.findall(_text(source, f"{folder}package.json")))
        packages = [framework for name, framework in _FRAMEWORKS.items() if name in named]
        units = [name for name in (*configured, *packages) if name not in ("playwright", "cypress")]
        if found := next(iter((units if not apart else []) + configured + packages), ""):
            return found
    return ""


def _text(source: Source, path: str) -> str:
    """The text of a file; empty if there is none, or if it can't be read, which its own reader reports."""
    try:
        return source.text(path) if source.is_file(path) else ""
    except Unreadable:
        return ""


_PYTHON_ROOTS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "setup.py", "manage.py", "requirements.txt")
_NODE_ROOTS = ("package.json",)
_END_TO_END_FOLDERS = frozenset({"e2e", "playwright", "cypress", "integration", "specs", "acceptance"})
"""Where a test that imports no framework is one of a browser, if the package has such tests."""
_TEST_FOLDERS = frozenset({"test", "tests", "e2e", "spec", "specs", "__tests__"})


def _package(source: Source, file: str, framework: str) -> str:
    """The folder of the package that a test belongs to; empty for the root."""
    own = tuple(f"{framework}.config.{ending}" for ending in _ENDINGS)
    names = _PYTHON_ROOTS if file.endswith(".py") else (*_NODE_ROOTS, *own)
    parents = PurePosixPath(file).parents
    for parent in parents:
        folder = "" if str(parent) == "." else str(parent)
        if any(source.is_file(f"{folder}/{name}" if folder else name) for name in names):
            return folder
    above = next((str(item.parent) for item in reversed(parents) if item.name in _TEST_FOLDERS), str(parents[0]))
    return "" if above == "." else above


def _suite(source: Source, framework: str, folder: str, files: list[str]) -> TestSuite:
    """Its place is its configuration, or its first file."""
    prefix = f"{folder}/" if folder else ""
    text = partial(_text, source)
    variables: set[str] = set()
    texts = [text(path) for path in (*files, *_loaded_with(source, prefix))]
    for each in texts:
        variables.update(_NAME.findall(each))
    return TestSuite(
        framework=framework,
        folder=folder,
        files=tuple(files),
        location=Location(next(_configurations(source, framework, prefix), files[0])),
        cases=sum(len(_CASES.findall(text(path))) for path in files),
        variables=frozenset(sorted(variables)[:_NAME_LIMIT]),
        self_contained=all(path.endswith(".py") for path in files) and not any(map(_loads, texts)),
    )


def _loads(text: str) -> bool:
    """Whether a file may load the application: by an import, or by what loads it without one."""
    roots = {match[1] for match in _PYTHON_IMPORT.finditer(text)}
    return bool(_BY_NAME.search(text)) or not roots <= _HARMLESS


def _loaded_with(source: Source, prefix: str) -> Iterator[str]:
    """The files that pytest loads besides the tests, which may set variables."""
    for path in below(source.files, prefix.removesuffix("/")):
        if path.rpartition("/")[2] in ("conftest.py", "pytest.ini", "tox.ini", "setup.cfg"):
            yield path
    if source.is_file(f"{prefix}pyproject.toml"):
        yield f"{prefix}pyproject.toml"


def _configurations(source: Source, framework: str, prefix: str) -> Iterator[str]:
    for ending in _ENDINGS:
        if source.is_file(f"{prefix}{framework}.config.{ending}"):
            yield f"{prefix}{framework}.config.{ending}"
