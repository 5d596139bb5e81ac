"""Packages that only tests, linters and developers need, by the names under which they are installed.

Sources: the packages' pages on https://pypi.org and https://www.npmjs.com. What programs also use when they run (a
formatter of a code generator, a browser that is driven, made-up data for a demonstration) is left out.
"""

from __future__ import annotations

from auditlib.patterns import regex

_PYTHON = regex(
    r"pytest|pytest-.+|flake8|flake8-.+|mypy|pylint|pylint-.+|black|isort|autopep8|ruff|pyright|basedpyright|"
    r"pycodestyle|pyflakes|pydocstyle|bandit|tox|tox-.+|nox|nose|nose2|coverage|pre-commit|ipdb|pdbpp|pudb|locust|"
    r"hypothesis|freezegun|responses|respx|requests-mock|httpretty|vcrpy|testcontainers|behave|django-stubs|"
    r"djangorestframework-stubs|types-.+|mutmut|vulture|djlint"
)
_JAVASCRIPT = regex(
    r"jest|jest-.+|ts-jest|babel-jest|@jest/.+|mocha|mocha-.+|chai|chai-.+|vitest|@vitest/.+|cypress|@cypress/.+|"
    r"@playwright/test|supertest|sinon|nyc|c8|ava|karma|karma-.+|jasmine|jasmine-.+|enzyme|nock|@testing-library/.+|"
    r"nodemon|ts-node-dev|eslint|eslint-.+|@eslint/.+|@typescript-eslint/.+|prettier|stylelint|stylelint-.+|husky|"
    r"lint-staged|@commitlint/.+|commitlint|@types/(?:jest|mocha|chai|supertest|sinon)"
)


def is_test_tool(kind: str, name: str) -> bool:
    """Whether a package of a manifest of this kind (`python` or `npm`) is for tests, linting or development alone."""
    pattern = {"python": _PYTHON, "npm": _JAVASCRIPT}.get(kind)
    return bool(pattern and pattern.fullmatch(name))
