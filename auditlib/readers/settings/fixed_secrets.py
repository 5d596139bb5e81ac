"""Secrets that code sets to a literal, without asking the environment: `SECRET_KEY = "…"`, `app.config["SECRET_KEY"]`.

Follows https://docs.djangoproject.com/en/stable/ref/settings/#secret-key, the same page's DATABASES, and
https://flask.palletsprojects.com/en/stable/config/. What stands in a branch or in a function is left out, since it may
hold for development only; but Flask's configuration is mostly made in a function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from auditlib.inventory.configuration import FixedSecret
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.python_code import Module, assigned
from auditlib.redaction import Vault

HINTS = ("SECRET", "SIGNING_KEY", "ENCRYPTION_KEY", "PASSWORD", "secret_key")
"""One of these is in every file that sets such a secret."""

_NAME = regex(r"(?:[A-Z0-9]+_)*(?:SECRET(?:_KEY)?(?:_BASE)?|SIGNING_KEY|ENCRYPTION_KEY|FERNET_KEY|PASSWORD(?:_SALT)?)")
_ASIDE = regex(r"test|default|dummy|fake|mock|example|sample|enum|dev(?!ice)|local", re.I)
_CONFIG = regex(r"(?:^|\.)config$")


def read_fixed_secrets(module: Module, vault: Vault) -> Iterator[FixedSecret]:
    """The secrets of a file that no environment can replace."""
    found: dict[Location, FixedSecret] = {}
    for name, node in _literals(module):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        value = vault.value(name.rpartition(".")[2], text) if _may_be(name, text) else None
        if value and value.secret:
            place = module.location(node)
            found.setdefault(place, FixedSecret(name, value, place))
    yield from (found[place] for place in sorted(found))


def _literals(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """Every string that is assigned to a secret's name, with that name."""
    classes = [item for item in module.classes.values() if not _is_aside(item)]
    for body in (module.tree.body, *(item.body for item in classes)):
        for statement in body:
            plain = isinstance(statement, ast.Assign) or body is module.tree.body
            for name, value in assigned(statement) if plain else ():
                yield from _of_name(name, value)
    for node in module.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _of_flask(module, target, node.value)


def _is_aside(item: ast.ClassDef) -> bool:
    return bool(_ASIDE.search(" ".join((item.name, *map(ast.unparse, item.bases)))))


def _of_name(name: str, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if _NAME.fullmatch(name) and not _ASIDE.search(name):
        yield name, value
    elif name == "DATABASES":
        pairs = ((key, item) for node in ast.walk(value) if isinstance(node, ast.Dict)
                 for key, item in zip(node.keys, node.values, strict=True))  # fmt: skip
        yield from (("DATABASES.PASSWORD", item) for key, item in pairs
                    if isinstance(key, ast.Constant) and key.value == "PASSWORD")  # fmt: skip


def _of_flask(module: Module, target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Subscript) and _CONFIG.search(module.origin(target.value)):
        name = module.string(target.slice) or ""
        if _NAME.fullmatch(name):
            yield name, value
    elif isinstance(target, ast.Attribute) and target.attr == "secret_key":
        yield "SECRET_KEY", value


def _may_be(name: str, text: str) -> bool:
    """Whether a literal may be a secret, and no word of a list (`PASSWORD = "password"` is a grant type)."""
    return len(text) > 3 and not re.search(r"\s", text) and text.lower() != name.lower()
