"""Settings of Django that code asks for and that no settings module defines.

Sources: https://docs.djangoproject.com/en/stable/ref/settings/ and the module of Django's own defaults,
https://github.com/django/django/blob/main/django/conf/global_settings.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from auditlib.inventory.configuration import UndefinedSetting
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.reading import Reading
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

_OWN = regex(
    r"(?:CSRF|SESSION|EMAIL|SECURE|CACHE|CACHES|LANGUAGE|LANGUAGES|FILE|DATE|DATETIME|TIME|DATA|DATABASE|DATABASES|STATIC|"
    r"STATICFILES|MEDIA|LOGIN|LOGOUT|PASSWORD|TEMPLATE|TEMPLATES|TEST|DEFAULT|AUTH|AUTHENTICATION|SHORT|LOGGING|USE|"
    r"MESSAGE|NUMBER|DECIMAL|THOUSAND|ROOT|ALLOWED|INTERNAL|SERVER|X|COMPRESS)_\w+|ABSOLUTE_URL_OVERRIDES|ADMINS|"
    r"APPEND_SLASH|CACHES|DATABASES|DEBUG|DEBUG_PROPAGATE_EXCEPTIONS|DISALLOWED_USER_AGENTS|FIRST_DAY_OF_WEEK|"
    r"FIXTURE_DIRS|FORCE_SCRIPT_NAME|FORMAT_MODULE_PATH|FORM\w*|IGNORABLE_404_URLS|INSTALLED_APPS|LANGUAGES|LOCALE_PATHS|"
    r"LOGGING|MANAGERS|MIDDLEWARE|MIGRATION_MODULES|MONTH_DAY_FORMAT|PREPEND_WWW|SECRET_KEY\w*|SETTINGS_MODULE|"
    r"SIGNING_BACKEND|SILENCED_SYSTEM_CHECKS|SITE_ID|STORAGES|TASKS|TEMPLATES|WSGI_APPLICATION|ASGI_APPLICATION|"
    r"YEAR_MONTH_FORMAT"
)
"""What Django itself defines, or one of its applications takes for granted."""
_COMPUTED = regex(
    r"\bglobals\(\)|\blocals\(\)|\bvars\(\)|\bexec\(|\bsetattr\(|split_settings|dynaconf|django_heroku|\bappconf\b|"
    r"import Configuration\b|^\s*from\s+(?!\.)[\w.]+\s+import\s+\*",
    re.M,
)
"""Ways in which a settings module gets names that it doesn't spell."""
_EVERYTHING_OF = regex(r"^\s*from\s+(?P<dots>\.{1,5})(?P<module>[\w.]{1,200})\s+import\s+\*", re.M)
_ASSIGNED = regex(r"\bsettings\.([A-Z][A-Z\d_]{0,100})\s*(?::[^=\n]{1,100})?=(?!=)")
_WORD = regex(r"\b[A-Z][A-Z\d]*(?:_[A-Z\d]+)*\b")
_HOME = regex(r"(?:^|/)(?:\w*settings|config|conf|local)(?:/[\w/]+\.py|[\w-]*\.py)$")


def read(source: Source) -> Reading:
    """A record for each file and name. It reports no coverage: the files belong to other readers."""
    python = [path for path in source.files if path.endswith(".py") and not is_test(path)]
    main = {path for path in python if "INSTALLED_APPS =" in source.glance(path)}
    if not main:
        return Reading()
    defining = [path for path in python if path in main or _HOME.search(path)]
    texts = [source.glance(path) for path in defining]
    if any(_COMPUTED.search(text) for text in texts) or any(_takes_absent(source, path) for path in defining):
        return Reading()
    known = {word for text in texts for word in _WORD.findall(text)}
    known.update(name for path in python for name in _ASSIGNED.findall(source.glance(path)))
    found = (item for path in python if path not in defining for item in _undefined(source, path, known))
    return Reading(list(found))


def _takes_absent(source: Source, path: str) -> bool:
    """Whether a settings module takes all names of one that the repository lacks, as hosts have one of their own."""
    for match in _EVERYTHING_OF.finditer(source.glance(path)):
        folder = path.split("/")[: -len(match["dots"])]
        wanted = "/".join((*folder, *match["module"].split(".")))
        if not {f"{wanted}.py", f"{wanted}/__init__.py"} & set(source.files):
            return True
    return False


def _undefined(source: Source, path: str, known: set[str]) -> Iterator[UndefinedSetting]:
    """What a file asks `django.conf.settings` for as an attribute, with nothing to catch a failure."""
    text = source.glance(path)
    if "django.conf" not in text or "settings.configure(" in text:
        return
    try:
        module = python_code.parse(source, path)
    except Unreadable:
        return
    told: set[str] = set()
    guarded = {node.attr for item in module.nodes if isinstance(item, ast.Try) and _catches(item)
               for part in item.body for node in ast.walk(part) if isinstance(node, ast.Attribute)}  # fmt: skip
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and module.origin(node.value) == "django.conf.settings":
            name = node.attr
            known_by = name in known or name in told or name in guarded or _OWN.fullmatch(name)
            if _WORD.fullmatch(name) and not known_by and not _is_looked_up(text, name):
                told.add(name)
                yield UndefinedSetting(name, module.location(node))


def _is_looked_up(text: str, name: str) -> bool:
    """Whether the file asks first whether the setting is there."""
    return bool(re.search(rf"hasattr\(\s*\w+,\s*[\"']{name}[\"']", text))


def _catches(item: ast.Try) -> bool:
    """Whether a failing attribute is caught."""
    return any(
        handler.type is None or "AttributeError" in ast.dump(handler.type) or "'Exception'" in ast.dump(handler.type)
        for handler in item.handlers
    )
