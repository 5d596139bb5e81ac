"""When two names of variables mean the same thing.

Sources: the spellings that official images, frameworks and hosting platforms use for the same setting.
"""

from __future__ import annotations

import difflib

from auditlib.patterns import regex

_SPELLINGS = {
    "pass": "password", "passwd": "password", "pwd": "password", "pw": "password", "username": "user", "usr": "user",
    "database": "db", "uri": "url", "addr": "host", "address": "host", "hostname": "host", "server": "host",
    "apikey": "api_key", "environment": "env", "dir": "path", "directory": "path", "folder": "path", "seconds": "sec",
    "secs": "sec", "minutes": "min", "mins": "min", "minute": "min",
    "second": "sec", "postgresql": "postgres", "pg": "postgres", "psql": "postgres",
    "origin": "origins", "hosts": "host", "svc": "service", "cfg": "config", "conf": "config",
    "conn": "connection", "lvl": "level", "loglevel": "log_level", "num": "count", "maximum": "max",
}  # fmt: skip
_FILLERS = frozenset({"key", "url", "name", "value", "app", "my", "the", "default", "id"})
_EXPIRY = regex(r"(?<![a-z])(?:expir(?:y|ation|es?)(?:_(?:in|time|after))?)(?![a-z])")
_PERMITTED = frozenset({"allowed", "allow"})
_LONG, _LONG_WORD = 9, 4


def is_near(one: str, other: str) -> bool:
    """Whether two different names are likely meant to be the same: another spelling, a typing error, a filler word."""
    first, second = _words(one), _words(other)
    if one.lower() == other.lower():
        return False
    if "".join(first) == "".join(second) or sorted(first) == sorted(second):
        return True
    if first[: len(second)] == second or second[: len(first)] == first:
        extra = first[len(second) :] or second[len(first) :]
        return min(len(first), len(second)) > 1 and len(extra) == 1 and extra[0] in _FILLERS
    return _has_one_more(first, second) or _has_one_more(second, first) or _is_mistyped(one.upper(), other.upper())


def _has_one_more(long: list[str], short: list[str]) -> bool:
    """Whether a name has the word more in its midst that addresses have or lack (`API_BASE_URL`, `API_URL`)."""
    return len(short) > 1 and any(
        word == "base" and long[:at] + long[at + 1 :] == short for at, word in enumerate(long)
    )


def _words(name: str) -> list[str]:
    words = [_SPELLINGS.get(word, word) for word in name.lower().replace("-", "_").split("_") if word]
    found = _EXPIRY.sub("expiry", "_".join(words)).split("_")
    shorter = [word for word in found if word not in _PERMITTED]
    return shorter if len(shorter) > 1 else found


def _is_mistyped(one: str, other: str) -> bool:
    """Whether one letter is missing, doubled or wrong, or two are exchanged; numbers tell names apart on purpose."""
    if min(len(one), len(other)) < _LONG or abs(len(one) - len(other)) > 1:
        return False
    if any(len(word) < _LONG_WORD for word in {*one.split("_")} ^ {*other.split("_")}) and f"{one}S" != other:
        return False  # `A` and `B`, `MIN` and `MAX` are other words, no mistyped ones
    steps = difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    touched = "".join(one[a:b] + other[c:d] for kind, a, b, c, d in steps if kind != "equal")
    return len(touched) <= 2 and not any(map(str.isdigit, touched))
