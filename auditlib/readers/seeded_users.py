"""Users that code creates with a password which stands in it.

Sources: https://docs.djangoproject.com/en/stable/ref/contrib/auth/#manager-methods for Django, and the pages of the
libraries that hash passwords (Spring Security, bcrypt, passlib, Werkzeug, argon2). Of a hashed word that stands in code
only that counts beside which the code speaks of an administrator: others are compared with to take up time.
"""

from __future__ import annotations

import ast
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator

from auditlib.inventory.configuration import SeededUser
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source, Unreadable

_ENDINGS = (".py", ".java", ".kt", ".js", ".ts", ".mjs", ".cjs", ".cs")
_TEST = regex(
    r"(?:^|/)(?:tests?|specs?|__tests__|e2e|fixtures|examples?|seeds?|seeders?|factories|load-?tests)/|"
    r"(?:^|/)(?:test_|conftest|seed)[\w.]*$|(?:[._-](?:test|spec|seed)s?|Tests?|IT)\.\w+$"
)
"""Tests, and what is run by hand to have something to look at."""
_HASHED = regex(
    r"(?:\b\w{0,40}(?:[eE]ncoder(?:\(\))?|[pP]assword\w{0,20}|[pP]wd\w{0,20})\.(?:encode|hash|encrypt)|\bbcrypt(?:js)?\.hash(?:Sync)?|\bargon2\.hash|\bgenerate_password_hash|"
    r"\b\w*(?:pwd_context|crypt_context)\.hash|\b(?:get_password_hash|hash_password|hashPassword))\(\s*"
    r"(?P<quote>[\"'])(?P<password>[^\"'\n]{3,60})(?P=quote)"
)
_HASH = regex(r"(?P<password>\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2id?\$[\w$,=+/.-]{30,200})")
"""A hash of bcrypt or Argon2 as it is kept."""
_INSERTS = regex(r"INSERT\s+(?:IGNORE\s+)?INTO\s+[\w.\"`]{0,60}(?:user|admin|account|member|staff|operator)", re.I)
_FAR = 4_000
"""How far below the head of a statement its values stand at most."""
_KEPT = regex(
    rf"[\"']?(?:hashed_?password|password_?hash|password)[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']{_HASH.pattern}[\"']", re.I
)
_COMPARES = regex(r"verify_password\(|\bverify\(|checkpw\(|\bcompare(?:Sync)?\(|check_password_hash\(")
_SEEDER = regex(r"(?:^|/)database/seed(?:er)?s/\w+\.php$")
_SEEDED = regex(
    r"'password'\s{0,5}=>\s{0,5}(?:(?:Hash::make|bcrypt)\(\s{0,5})?(?:'(?P<password>[^'\n]{1,60})'|config\('(?P<key>[\w.-]{3,80})'\))"
)
_HINTS = ("create_superuser(", "ncoder", "hash", "Hash", '.encode("', '.encrypt("')
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
_AFTER = 3
"""By how many lines what stands below a password is farther from it than what stands above."""
_MOST = 50
_OF_TABLE = regex(r"^[\"']\w*(?:password|hash)\w*[\"']\s*:\s*$")
"""The key of an entry, in a table that the code itself is."""


def read(source: Source) -> Reading:
    """A record for each such password. It reports no coverage: files belong to other readers."""
    reading = Reading()
    for path in source.files:
        if path.endswith(".sql") or _SEEDER.search(path):
            kind = "sql" if path.endswith(".sql") else "seeder"
            seeded = _inserted(path, source.glance(path)) if kind == "sql" else _of_laravel(source, path)
            reading.records += [
                SeededUser(source.vault.value("password", word), False, place, kind) for word, place in seeded
            ]
            continue
        text = source.glance(path) if path.endswith(_ENDINGS) else ""
        if any(hint in text for hint in _HINTS) and not _TEST.search(path):
            at_start = bool(_AT_START.search(text))
            called = ((word, place, "") for word, place in _of_django(source, path, text))
            found = [item for item in (*called, *_hashed(path, text)) if not _is_guarded(text, item[1].line)]
            reading.records += [
                SeededUser(source.vault.value("password", word), at_start, place, kind) for word, place, kind in found
            ]
            reading.records += [
                SeededUser(source.vault.value("password", word), False, place, "table")
                for word, place in (_kept(path, text) if not found else ())
                if not _is_guarded(text, place.line)
            ]
    return reading


def _inserted(path: str, text: str) -> Iterator[tuple[str, Location]]:
    """The first hash that a statement puts into a table of users, for an administrator."""
    for match in itertools.islice(_HASH.finditer(text), 20):
        start = max(text.rfind(word, max(match.start() - _FAR, 0), match.start()) for word in ("INSERT", "insert"))
        statement = text[start : match.end()] if start >= 0 else ""
        if _INSERTS.match(statement) and _ADMIN.search(statement):
            yield match["password"], location_at(path, text, match.start())
            return


def _kept(path: str, text: str) -> Iterator[tuple[str, Location]]:
    """The first hash of a table of users that the same file compares passwords with."""
    match = _KEPT.search(text) if "$2" in text or "$argon2" in text else None
    if match and _COMPARES.search(text) and _ADMIN.search(text[max(match.start() - 400, 0) : match.end()]):
        yield match["password"], location_at(path, text, match.start())


def _of_laravel(source: Source, path: str) -> Iterator[tuple[str, Location]]:
    """The first password that a seeder gives a user: a literal, or one that a file of `config/` holds."""
    text = source.glance(path)
    match = _SEEDED.search(text) if "User::" in text else None
    if match and not _is_guarded(text, location_at(path, text, match.start()).line):
        word = match["password"] or _configured(source, path, match["key"])
        if word:
            yield word, location_at(path, text, match.start())


def _configured(source: Source, path: str, key: str) -> str:
    """The literal that stands in Laravel's configuration under the last part of a key."""
    name, *_, last = key.split(".")
    config = f"{path.partition('database/')[0]}config/{name}.php"
    text = source.glance(config) if config in source.files else ""
    match = re.search(rf"'{re.escape(last)}'\s{{0,5}}=>\s{{0,5}}'([^'\n]{{1,60}})'", text)
    return match[1] if match else ""


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


def _hashed(path: str, text: str) -> Iterator[tuple[str, Location, str]]:
    """The word that is hashed nearest to where the code speaks of an administrator, and whether it is in a table."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))] if _HASHED.search(text) else []
    found: list[tuple[int, str, Location, str]] = []
    for match in itertools.islice(_HASHED.finditer(text), _MOST) if starts else ():
        line = bisect_right(starts, match.start())
        first = starts[max(line - _NEAR - 1, 0)]
        around = text[first : starts[min(line + _NEAR, len(starts)) - 1]]
        own = text[starts[line - 1] : match.start()].lstrip()
        named = [bisect_right(starts, first + item.start()) for item in _ADMIN.finditer(around)]
        if named and not _ASIDE.search(around) and not own.startswith(("//", "#", "*")):
            far = min(line - other if other <= line else other - line + _AFTER for other in named)
            kind = "words" if _OF_TABLE.search(own) and _COMPARES.search(text) else ""
            found.append((far, match["password"], Location(path, line), kind))
    if found:
        _, password, place, kind = min(found, key=lambda item: item[0])
        yield password, place, kind
