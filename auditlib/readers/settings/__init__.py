"""Code that reads its settings from the environment: Python by its syntax tree, other languages by their lookups.

Records the variables (`Setting`), the secrets that ask for none (`FixedSecret`), the environment files that code loads
(`SettingsFile`), the places where it decides by the environment's name (`EnvironmentBranch`), the log files that it
names (`LogFile`), and what it allows to every caller: the origins of CORS (`AllowedOrigin`), debugging
(`DebugSwitch`), all hosts (`AnyHost`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.model import Coverage, Read
from auditlib.patterns import Words, regex
from auditlib.readers import python_code
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings import fixed_secrets, star_imports, uses
from auditlib.readers.settings.branches import read_branches
from auditlib.readers.settings.javascript import is_javascript, read_javascript
from auditlib.readers.settings.log_paths import read_log_files, read_unrotated_logs
from auditlib.readers.settings.lookups import read_lookups
from auditlib.readers.settings.other_languages import language, read_other
from auditlib.readers.settings.policies import read_policies
from auditlib.readers.settings.pydantic import read_pydantic
from auditlib.source import Source, Unreadable

KIND = "settings code"

_READ_WORDS = (
    "BaseSettings", "pydantic_settings", "dotenv", "read_env", "starlette.config", "dj_database_url", "dj_email_url",
    "django_cache_url", "dj_search_url", "dj_redis_url",
)  # fmt: skip
_READ_NAMES = {
    "environ": regex(r"environ(?<!\w.{7})s?\b"),
    "getenv": regex(r"getenv(?<!\w.{6})\b"),
    "decouple": regex(r"decouple(?<!\w.{8})\b"),
}
"""Whole words; each begins with its letters, which makes the search ten times as fast as one that begins with `\\b`."""
_HOME = regex(r"(?:.*/)?(?:(?:settings|config)\w*|settings/\w+)\.py")
"""Paths of code that by its name holds settings, whatever of it can be recognised."""
_FLAG = regex(r"is_?(?:prod|dev|stag|local|test)|in_(?:prod|dev|stag|local|test)")
"""In lower-cased code; one expression takes an eighth of the time of a search for each of the fifteen words."""
_AFTER = (
    r"(?:_?(?:name|type|mode))?(?:\.(?:value|lower|upper|strip))*\b(?:\(\)|[\"'][^=!\n]{0,80}?[\])])*"
    r"\s*(?:==|!=|(?:not\s+)?in\b|[,\])])"
)
_COMPARISONS = (
    regex("env(?:ironment)?" + _AFTER),
    regex("stage" + _AFTER),
    regex(r"=\s*[\w.]*(?:env|environment|stage)\b"),
    regex(r"match\s[^\n]{0,200}(?:env|stage)"),
)
"""Signs in lower-cased code that it compares the environment's name, or looks it up; each begins with a literal, which
makes the search five times as fast."""
_LOG_WORDS = ("FileHandler", ".log")
_LOGS = regex(r"FileHandler|\.log\b")
_POLICIES = (
    "ALLOWED_HOSTS",
    "CORS",
    "cors",
    "origins",
    "ORIGINS",
    "DEBUG = True",
    "debug=True",
    "DEBUG=True",
    "Flask(",
)
_WORDS = Words(*_READ_WORDS, *_READ_NAMES, *_LOG_WORDS, *_POLICIES, *fixed_secrets.HINTS)
"""Without any of them a file may only branch."""


def read(source: Source) -> Reading:
    """The settings of every file of code. A file that holds none is not parsed and not mentioned."""
    python = [path for path in source.files if path.endswith(".py") and _is_of_interest(source, path)]
    reading = each(source, python, KIND, _read_python)
    uses.mark(source, reading)
    javascript = each(source, [path for path in source.files if is_javascript(path)], KIND, read_javascript)
    others = each(source, [path for path in source.files if language(path)], KIND, read_other)
    for found in (javascript, others):
        reading.records += found.records
        told = {record.location.file for record in found.records}
        reading.coverage += [entry for entry in found.coverage if entry.reason or entry.file in told]
    return reading


def _is_of_interest(source: Source, path: str) -> bool:
    """Whether a file may hold anything for us, by its text alone; what can't be read is of interest, to say so."""
    try:
        text = source.text(path)
    except Unreadable:
        return True
    hinting = _WORDS.any_in(text) and (_may_read(text) or _may_log(text) or _may_allow(text) or _may_fix_secrets(text))
    continues = star_imports.are_in(text) and _HOME.fullmatch(path) is not None
    return hinting or continues or _may_branch(text) or _is_broken(source, path)


def _is_broken(source: Source, path: str) -> bool:
    """Whether a file is the place for settings and is no Python, so that nobody knows what it holds."""
    if is_test(path) or not _HOME.fullmatch(path):
        return False
    try:
        python_code.parse(source, path)
    except Unreadable:
        return True
    return False


def _may_read(text: str) -> bool:
    named = (name in text and pattern.search(text) for name, pattern in _READ_NAMES.items())
    return any(word in text for word in _READ_WORDS) or any(named)


def _may_log(text: str) -> bool:
    return any(word in text for word in _LOG_WORDS) and _LOGS.search(text) is not None


def _may_fix_secrets(text: str) -> bool:
    return any(word in text for word in fixed_secrets.HINTS)


def _may_allow(text: str) -> bool:
    return any(word in text for word in _POLICIES)


def _may_branch(text: str) -> bool:
    lower = text.lower()
    if _FLAG.search(lower):
        return True
    return ("env" in lower or "stage" in lower) and any(pattern.search(lower) for pattern in _COMPARISONS)


def is_test(path: str) -> bool:
    """Whether a Python file belongs to tests, whose log files and branches say nothing of the application."""
    *folders, name = path.split("/")
    return not {"tests", "test"}.isdisjoint(folders) or name.startswith(("test_", "conftest"))


def _read_python(source: Source, path: str) -> Iterator[Any]:
    text = source.text(path)
    module = python_code.parse(source, path)
    above = star_imports.modules(source, path) if star_imports.are_in(text) else []
    if above:
        module = star_imports.completed(module, above)
    if _may_read(text):
        yield from read_pydantic(module, source.vault)
    if above or _may_read(text):
        yield from _lookups(module, above, source, path)
    if not is_test(path) and _may_fix_secrets(text):
        yield from fixed_secrets.read_fixed_secrets(module, source.vault)
    if not is_test(path) and _may_branch(text):
        yield from read_branches(module)
    if _may_log(text) and not is_test(path):
        yield from read_log_files(module)
        yield from read_unrotated_logs(module)
    if _may_allow(text) and not is_test(path):
        yield from read_policies(module)


def _lookups(module: python_code.Module, above: list[python_code.Module], source: Source, path: str) -> Iterator[Any]:
    """What is asked for one by one; a name that a test computes says nothing of the application."""
    for found in read_lookups(module, source.vault, above):
        if not isinstance(found, int):
            yield found
        elif not is_test(path):
            yield Coverage(path, KIND, Read.PARTIAL, f"the name of a variable is computed (line {found})", found)
