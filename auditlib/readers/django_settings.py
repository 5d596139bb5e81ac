"""Reads which settings modules of Django set by themselves, without asking the environment.

Follows https://docs.djangoproject.com/en/stable/ref/settings/.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from auditlib.inventory.configuration import DjangoSettings
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.python_code import Module
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

KIND = "settings code"
_APPS = "INSTALLED_APPS"
_AWAY = regex(r"\bstorages\.backends\.|\bcloudinary_storage\.|S3Boto|S3Storage|GoogleCloudStorage|AzureStorage")
"""Classes that write to an object store (https://django-storages.readthedocs.io)."""
_STORAGE = ("DEFAULT_FILE_STORAGE", "STORAGES")
_STATIC = ("STATIC_ROOT", "STATICFILES_STORAGE", "STORAGES", "django_heroku")


def read(source: Source) -> Reading:
    """Every module with `INSTALLED_APPS`, and those that say where static files are collected."""
    python = [path for path in source.files if path.endswith(".py") and not is_test(path)]
    main = [path for path in python if _holds(source, path, (_APPS,))]
    others = [path for path in python if _holds(source, path, (*_STATIC, *_STORAGE))] if main else []
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
    fixed = {name: value for name, value in module.constants.items() if _is_written_out(value)}
    yield DjangoSettings(
        fixed=tuple((name, module.location(value)) for name, value in fixed.items()),
        types=tuple((name, _type(value)) for name, value in fixed.items()),
        taken_over=max(_takeovers(module.tree), default=0),
        main=any(name == _APPS for name, _ in top),
        collects=_holds(source, path, _STATIC),
        location=Location(path),
        cache_of_broker=_cache_of_broker(module),
        stores_away=_stores_away(module),
    )


def _cache_of_broker(module: Module) -> Location | None:
    """Where the address of a cache in Redis is the expression that the address of the broker is."""
    broker, caches = (module.constants.get(name) for name in ("CELERY_BROKER_URL", "CACHES"))
    if broker is None or not isinstance(caches, ast.Dict):
        return None
    asked = ast.dump(module.resolved(broker))
    for cache in caches.values:
        given = {module.string(key): value for key, value in zip(cache.keys, cache.values, strict=True)} if isinstance(
            cache, ast.Dict) else {}  # fmt: skip
        address = given.get("LOCATION")
        in_redis = "redis" in (module.string(given.get("BACKEND")) or "").lower()
        if address is not None and in_redis and ast.dump(module.resolved(address)) == asked:
            return module.location(address)
    return None


def _stores_away(module: Module) -> str:
    """The setting that always gives users' files a storage which is an object store."""
    old, new = (module.constants.get(name) for name in _STORAGE)
    pairs = zip(new.keys, new.values, strict=True) if isinstance(new, ast.Dict) else ()
    default = next((value for key, value in pairs if key and module.string(key) == "default"), None)
    backends = default.values if isinstance(default, ast.Dict) else []
    if any(_AWAY.search(module.string(item) or "") for item in backends):
        return _STORAGE[1]
    return _STORAGE[0] if old is not None and _AWAY.search(module.string(old) or "") else ""


def _takeovers(tree: ast.Module) -> Iterator[int]:
    """The lines by which all names of another module are taken over."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(item.name == "*" for item in node.names):
            yield node.lineno


def _type(node: ast.expr) -> str:
    return type(node.value).__name__ if isinstance(node, ast.Constant) else "list"


def _is_written_out(node: ast.expr) -> bool:
    """Whether an expression is a constant, or a list of constants."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(isinstance(item, ast.Constant) for item in node.elts)
    return isinstance(node, ast.Constant)
