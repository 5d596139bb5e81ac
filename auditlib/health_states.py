"""Tests of a container's health that take "unhealthy" for "healthy", as the one word holds the other.

Docker's states are `starting`, `healthy` and `unhealthy` (https://docs.docker.com/reference/dockerfile/#healthcheck).
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.patterns import regex

_ASKS = (
    r"(?:\b(?:docker|podman)|(?<![\w.-])(?:d?compose|dc)[ \t]+ps|"
    r"\$\{?\w{0,40}(?:COMPOSE|DOCKER)\w{0,40}\}?[\"']?[ \t]+ps)\b"
)
"""What asks Docker for its containers, by a function or a variable too."""
_TAKES = regex(
    rf"{_ASKS}[^|\n]{{0,400}}\|\s{{0,9}}e?grep\s+(?:-[a-uyzA-Z]+\s+){{0,4}}(?P<quote>[\"']?)healthy(?P=quote)(?=[\s;)&|>]|$)|"
    r"\s==?\s\*(?P<inner>[\"']?)healthy(?P=inner)\*|-match\s+(?P<said>[\"'])healthy(?P=said)|"
    r"-like\s+(?P<like>[\"'])\*healthy\*(?P=like)"
)
_LINE = 2_000
_BEFORE = 4
"""Lines before a test in which the other state may have been asked for first."""


def taken(text: str) -> Iterator[int]:
    """The lines of a script, from 1, that test so, and before which nothing asks for the other state."""
    lines = text.splitlines() if "healthy" in text else []
    for number, line in enumerate(lines):
        near = lines[max(0, number - _BEFORE) : number + 1]
        if not line.lstrip().startswith("#") and _TAKES.search(line[:_LINE]) and "unhealthy" not in "".join(near):
            yield number + 1
