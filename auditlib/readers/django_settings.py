"""Reads which settings modules of Django set by themselves, without asking the environment.

Follows https://docs.djangoproject.com/en/stable/ref/settings/.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from auditlib.inventory.configuration import DjangoSettings
from auditlib.model import Location
from auditlib.readers import python_code
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

KIND = "settings code"
_APPS = "INSTALLED_APPS"
_STATIC = ("STATIC_ROOT", "STATICFILES_STORAGE", "STORAGES", "django_heroku")


def read(source: Source) -> Reading:
    """Every module with `INSTALLED_APPS`, and those that say where static files are collected."""
    python = [path for path in source.files if path.endswith(".py") and not is_test(path)]
    main = [path for path in python if _holds(source, path, (_APPS,))]
    others = [path for path in python if _holds(source, path, _STATIC)] if main else []
    return Reading(each(source, dict.fromkeys((*main, *others)), KIND, _read).records, [])


def _holds(source: Source, path: str, words: tuple[str, ...]) -> bool:
    try:
        text = source.text(path)
    except Unreadable:
        return False
    return any(word in text for word in words)


def _read(source: Source, path: str) -> Iterator[DjangoSettings]:
    module = python_code.parse(source, path)
    top = [pair for statement in module.tree.body for pair in python_code.assigned(statement)]
    yield DjangoSettings(
        fixed=tuple(
            (name, module.location(value)) for name, value in module.constants.items() if _is_written_out(value)
        ),
        main=any(name == _APPS for name, _ in top),
        collects=_holds(source, path, _STATIC),
        location=Location(path),
    )


def _is_written_out(node: ast.expr) -> bool:
    """Whether an expression is a constant, or a list of constants."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(isinstance(item, ast.Constant) for item in node.elts)
    return isinstance(node, ast.Constant)
