"""Test suites: which tests exist, and which framework runs them.

By the conventions of the frameworks: pytest's and unittest's file names (https://docs.pytest.org/en/stable/explanation/goodpractices.html),
and the configuration files and file names of Playwright, Cypress, Vitest and Jest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditlib.inventory.delivery import TestSuite
from auditlib.model import Location
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

KIND = "test"

_PYTHON = re.compile(r"(?:^|/)(?:test_[^/]+|[^/]+_test)\.py$")
_JAVASCRIPT = re.compile(r"(?:\.(?:test|spec|cy)|(?:^|/)__tests__/[^/]+)\.[cm]?[jt]sx?$")
_CONFIGURATION = re.compile(r"(?:^|/)(?P<framework>playwright|cypress|vitest|jest)\.config\.[cm]?[jt]s$")
_IMPORT = re.compile(
    r"""(?:from\s+|require\(\s*|import\s+)['"](?P<module>@playwright/test|playwright|vitest|@jest/globals|cypress)"""
)
_PACKAGE = re.compile(r'"(?P<name>@playwright/test|cypress|vitest|jest|react-scripts)"\s*:')
_FRAMEWORKS = {
    "@playwright/test": "playwright", "playwright": "playwright", "cypress": "cypress", "vitest": "vitest",
    "jest": "jest", "@jest/globals": "jest", "react-scripts": "jest",
}  # fmt: skip
_UNITTEST = re.compile(r"^\s*(?:import unittest|from unittest import|from django\.test import)", re.M)
_PYTEST = re.compile(r"^\s*(?:import pytest|from pytest import)|^(?:async )?def test_", re.M)
_PLAYWRIGHT = re.compile(r"^\s*(?:from playwright|import playwright)", re.M)


def read(source: Source) -> Reading:
    """A TestSuite for each framework in each package that has tests of it."""
    reading = Reading()
    grouped: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for file in source.files:
        if _PYTHON.search(file) or _JAVASCRIPT.search(file):
            try:
                framework = _framework(source, file)
            except Unreadable as error:
                reading.failed(file, KIND, error.reason, error.line)
                continue
            grouped[framework, _package(source, file, framework)].append(file)
            reading.parsed(file, KIND)
    reading.records += [_suite(source, *key, files) for key, files in sorted(grouped.items())]
    return reading


def _framework(source: Source, file: str) -> str:
    text = source.text(file)
    if file.endswith(".py"):
        if _PLAYWRIGHT.search(text):
            return "playwright"
        return "unittest" if _UNITTEST.search(text) and not _PYTEST.search(text) else "pytest"
    if match := _IMPORT.search(text):
        return _FRAMEWORKS[match["module"]]
    return _configured(source, file) or "jest"


def _configured(source: Source, file: str) -> str:
    """The framework that the nearest configuration or package.json above a test names."""
    for parent in PurePosixPath(file).parents:
        folder = "" if str(parent) == "." else f"{parent}/"
        for framework in ("playwright", "cypress", "vitest", "jest"):
            if any(
                source.is_file(f"{folder}{framework}.config.{ending}") for ending in ("ts", "js", "mjs", "cjs", "mts")
            ):
                return framework
        package = source.text(f"{folder}package.json") if source.is_file(f"{folder}package.json") else ""
        if match := _PACKAGE.search(package):
            return _FRAMEWORKS[match["name"]]
    return ""


_PYTHON_ROOTS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "setup.py", "manage.py", "requirements.txt")
_NODE_ROOTS = ("package.json",)


def _package(source: Source, file: str, framework: str) -> str:
    """The folder of the package that a test belongs to; empty for the root."""
    names = _PYTHON_ROOTS if file.endswith(".py") else _NODE_ROOTS
    for parent in PurePosixPath(file).parents:
        folder = "" if str(parent) == "." else str(parent)
        if any(source.is_file(f"{folder}/{name}" if folder else name) for name in names):
            return folder
    tests = re.match(r"(.*?)/?(?:tests?|e2e|specs?|__tests__)/", file)
    return tests[1] if tests else file.rpartition("/")[0]


def _suite(source: Source, framework: str, folder: str, files: list[str]) -> TestSuite:
    """Its place is its configuration, or its first file."""
    prefix = f"{folder}/" if folder else ""
    configuration = next(_configurations(source, framework, prefix), files[0])
    return TestSuite(framework, folder, tuple(files), Location(configuration))


def _configurations(source: Source, framework: str, prefix: str) -> Iterator[str]:
    for ending in ("ts", "js", "mjs", "cjs", "mts"):
        if source.is_file(f"{prefix}{framework}.config.{ending}"):
            yield f"{prefix}{framework}.config.{ending}"
