"""The environments that Laravel's Horizon has workers for: in any other one it starts none, and jobs wait for ever.

Follows https://laravel.com/docs/horizon#environments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.model import Location
from auditlib.patterns import regex

FILE = regex(r"(?:^|/)config/horizon\.php$")
_ENVIRONMENTS = regex(r"^[ \t]*['\"]environments['\"]\s*=>\s*\[", re.M)
_PART = regex(
    r"//[^\n]*|#[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/|(?P<open>[\[(])|(?P<close>[\])])|"
    r"['\"](?P<name>[^'\"\n]{1,60})['\"](?P<key>\s*=>)?"
)
_LENGTH = 20_000


def read_horizon(path: str, text: str) -> Iterator[EnvironmentBranch]:
    """The environments by name; none where one entry stands for all (`*`), or is of several (`staging-*`)."""
    if (start := _ENVIRONMENTS.search(text)) is None:
        return
    names: list[str] = []
    depth = 0
    for part in _PART.finditer(text, start.end(), min(len(text), start.end() + _LENGTH)):
        depth += bool(part["open"]) - bool(part["close"])
        if depth < 0:
            break
        if depth == 0 and part["key"]:
            names.append(part["name"])
    if names and not any("*" in name for name in names):
        yield EnvironmentBranch("APP_ENV", tuple(names), (), Location(path, text.count("\n", 0, start.end()) + 1))
