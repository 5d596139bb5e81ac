"""Users that code creates with a password which stands in it.

Sources: https://docs.djangoproject.com/en/stable/ref/contrib/auth/#manager-methods for Django, and the pages of the
libraries that hash passwords (Spring Security, bcrypt, passlib, Werkzeug, argon2). Of a hashed word that stands in code
only that counts beside which the code speaks of an administrator: others are compared with to take up time.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator

from auditlib.inventory.configuration import SeededUser
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

_ENDINGS = (".py", ".java", ".kt", ".js", ".ts", ".mjs", ".cjs", ".cs")
_TEST = regex(
    r"(?:^|/)(?:tests?|specs?|__tests__|e2e|fixtures|examples?|seeds?|seeders?|factories|load-?tests)/|"
    r"(?:^|/)(?:test_|conftest|seed)[\w.]*$|(?:[._-](?:test|spec|seed)s?|Tests?|IT)\.\w+$"
)
"""Tests, and what is run by hand to have something to look at."""
_HASHED = regex(
    r"(?:\b\w*[eE]ncoder(?:\(\))?\.encode|\bbcrypt(?:js)?\.hash(?:Sync)?|\bargon2\.hash|\bgenerate_password_hash|"
    r"\b\w*(?:pwd_context|crypt_context)\.hash|\b(?:get_password_hash|hash_password|hashPassword))\(\s*"
    r"(?P<quote>[\"'])(?P<password>[^\"'\n]{3,60})(?P=quote)"
)
_HINTS = ("create_superuser(", "ncoder", "hash", "Hash")
_ADMIN = regex(r"admin|superuser|root@", re.I)
_ASIDE = regex(r"dummy|fake|timing|constant.time", re.I)
_AT_START = regex(
    r"\b(?:CommandLineRunner|ApplicationRunner|PostConstruct|ApplicationReadyEvent|ContextRefreshedEvent|"
    r"on_event\(\s*[\"']startup|lifespan)\b"
)
_OF_PROFILE = regex(
    r"@Profile\(\s*(?:value\s*=\s*)?\{?\s*\"(?:dev\w*|local|test|demo|!\s*prod\w*)\"|"
    r"@ConditionalOn(?:Property|Expression)\b"
)
"""What keeps a class of Spring out of production, or leaves it to a setting."""
_GUARD = regex(
    r"\bif\b[^\n]*(?:NODE_ENV|\bAPP_ENV|\bENVIRONMENT\b|\bDEBUG\b|IsDevelopment\(|isDev\w*|SEED|CREATE_ADMIN)", re.I
)
"""A condition by which code asks where it runs, or whether it is told to make users."""
_BEFORE = 25
"""Lines before a password in which such a condition counts."""
_NEAR = 8
"""Lines before and after in which the code says whose password it is."""


def read(source: Source) -> Reading:
    """A record for each such password. It reports no coverage: files belong to other readers."""
    reading = Reading()
    for path in source.files:
        text = source.glance(path) if path.endswith(_ENDINGS) else ""
        if any(hint in text for hint in _HINTS) and not _TEST.search(path):
            at_start = bool(_AT_START.search(text))
            found = [item for item in (*_of_django(source, path, text), *_hashed(path, text))
                     if not _is_guarded(text, item[1].line)]  # fmt: skip
            reading.records += [
                SeededUser(source.vault.value("password", word), at_start, place) for word, place in found
            ]
    return reading


def _is_guarded(text: str, line: int) -> bool:
    """Whether the code runs only in development, or where somebody asks for it."""
    before = "\n".join(text.split("\n")[max(line - _BEFORE, 0) : line])
    return bool(_OF_PROFILE.search(text) or _GUARD.search(before))


def _of_django(source: Source, path: str, text: str) -> Iterator[tuple[str, Location]]:
    """The first call in a file that creates a superuser with a literal, or with a name that is set to one."""
    if "create_superuser(" not in text or not path.endswith(".py"):
        return
    try:
        module = python_code.parse(source, path)
    except Unreadable:
        return
    words = {
        name: value.value
        for node in module.nodes if isinstance(node, ast.Assign)
        for name, value in python_code.assigned(node) if isinstance(value, ast.Constant)
    }  # fmt: skip
    for node in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "create_superuser":
            given = python_code.argument(node, 2, "password")
            word = given.value if isinstance(given, ast.Constant) else words.get(getattr(given, "id", ""))
            if isinstance(word, str) and word:
                yield word, module.location(node)
                return


def _hashed(path: str, text: str) -> Iterator[tuple[str, Location]]:
    """The first word that is hashed where the code speaks of an administrator."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))] if _HASHED.search(text) else []
    for match in _HASHED.finditer(text) if starts else ():
        line = bisect_right(starts, match.start())
        around = text[starts[max(line - _NEAR - 1, 0)] : starts[min(line + _NEAR, len(starts)) - 1]]
        own = text[starts[line - 1] : match.start()].lstrip()
        if _ADMIN.search(around) and not _ASIDE.search(around) and not own.startswith(("//", "#", "*")):
            yield match["password"], Location(path, line)
            return
