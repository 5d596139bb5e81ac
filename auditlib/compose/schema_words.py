"""What a schema validator found, said for a person: which key, what was expected there and what was found.

Where a value may have several forms, the fault is looked for in the form that fits best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from auditlib.compose.errors import Path

KnownKeys = Callable[[Path], list[str]]
_NAMES = {
    "object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number", "number": "a number",
    "boolean": "true or false", "null": "nothing",
}  # fmt: skip
_FEW = 20
"""Of more unknown keys than this, none is compared with the known ones."""
_CHOICES = ("oneOf", "anyOf")
_PRIVATE = frozenset(
    ("environment", "args", "labels", "secrets", "configs", "command", "entrypoint", "test", "options")
)
"""Below these keys there may be passwords."""


def reasons(error: Any, known_keys: KnownKeys) -> Iterator[tuple[Path, str]]:
    """The key path and the sentence of each fault that one error of the validator stands for."""
    path: Path = tuple(error.instance_path)
    kind = error.kind.name
    if kind == "additionalProperties":
        few = len(error.kind.unexpected) <= _FEW
        for name in error.kind.unexpected:
            yield (*path, name), f"unknown key{_meant(name, tuple(known_keys(path))) if few else ''}"
    elif kind in _CHOICES and getattr(error.kind, "context", None):
        yield from _best_form(error, path, known_keys)
    else:
        yield path, _sentence(error)


@lru_cache(maxsize=256)
def _meant(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _best_form(error: Any, path: Path, known_keys: KnownKeys) -> Iterator[tuple[Path, str]]:
    """What is wrong inside the form that the value nearly has; if it has none, the forms that were expected."""
    forms = [form for form in error.kind.context if form]
    inside = [form for form in forms if all(_is_inside(e, path) for e in form)]
    if not inside:
        wanted = dict.fromkeys(word for form in forms for e in form for word in _types(e))
        found = _found(error)
        yield path, f"expected {' or '.join(wanted)}, found {found}" if wanted else _sentence(error)
        return
    for below in min(inside, key=len):
        yield from reasons(below, known_keys)


def _is_inside(error: Any, path: Path) -> bool:
    """Whether an error is about a part of the value, or about its keys, rather than about what it is."""
    return len(error.instance_path) > len(path) or error.kind.name in (
        "additionalProperties",
        "required",
        "uniqueItems",
    )


def _types(error: Any) -> list[str]:
    if error.kind.name == "type":
        return [_NAMES.get(str(t), str(t)) for t in error.kind.types]
    if error.kind.name in _CHOICES:
        return [word for form in error.kind.context for e in form for word in _types(e)]
    return []


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": lambda e: f"expected {' or '.join(_types(e))}, found {_found(e)}",
    "enum": lambda e: f"expected one of {', '.join(map(str, e.kind.options))}; found {_found(e)}",
    "minimum": lambda e: f"expected {e.kind.limit} or more, found {_found(e)}",
    "maximum": lambda e: f"expected {e.kind.limit} or less, found {_found(e)}",
    "required": lambda e: f"expected the key {e.kind.property}",
    "uniqueItems": lambda _: "expected each item only once",
    "pattern": lambda e: f"expected a text like {e.kind.pattern}, found {_found(e)}",
}


def _sentence(error: Any) -> str:
    say = _SENTENCES.get(error.kind.name)
    return say(error) if say else str(error.message)


def _found(error: Any) -> str:
    """What stands there, in a few words; a text that may be a secret is not repeated."""
    value = error.instance
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    if isinstance(value, str) and _PRIVATE.intersection(error.instance_path):
        return "a text"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"
