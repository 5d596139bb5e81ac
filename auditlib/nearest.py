"""The hint that a complaint about a mistyped name ends with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def names(name: str, known: Iterable[str]) -> list[str]:
    """The known names that are nearest, three at most, the nearest first."""
    import difflib  # only where a name was mistyped

    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)


def hint(name: str, known: Iterable[str] | Mapping[str, str], otherwise: str) -> str:
    """`did you mean …?`, or what to say where no known name is near. A mapping says what to call each known name."""
    near = [known[close] if isinstance(known, Mapping) else close for close in names(name, known)]
    return f"did you mean {' or '.join(near)}?" if near else otherwise
