"""What is known of the scanners' rules beside what they print; the texts are in `documentation.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from msgspec import Struct

from auditlib import nearest


class Documentation(Struct, frozen=True):
    """Why a rule of a scanner matters, and lines before and after, which are empty where there isn't one right way."""

    why: str
    before: str = ""
    after: str = ""


def documentation(rule: str) -> Documentation | None:
    """The documentation of a scanner's rule, such as `zizmor/unpinned-uses`; None for one that is described nowhere."""
    return _all().get(rule)


def documented() -> tuple[str, ...]:
    """The ids of the rules that are described here; the scanners have more."""
    return tuple(_all())


def hint(rule: str, otherwise: str) -> str:
    """What a complaint about a mistyped rule of a scanner ends with: the nearest of those that are described here."""
    scanner, _, name = rule.partition("/")
    beside = {known.partition("/")[2]: known for known in _all() if known.startswith(f"{scanner}/")}
    return nearest.hint(name, beside, otherwise)


@cache
def _all() -> dict[str, Documentation]:
    text = resources.files("auditlib.scanners").joinpath("documentation.toml").read_text(encoding="utf-8")
    return {rule: Documentation(**entry) for rule, entry in tomllib.loads(text).items()}
