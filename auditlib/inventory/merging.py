"""Records of what Compose files say and their resolution hides: entries that lose or are lost, and what it refuses."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class RepeatedEntry(Struct, frozen=True):
    """A variable that the list of a service's environment gives several times; the last place counts."""

    service: str
    name: str
    places: tuple[Location, ...]
    differ: bool
    """Whether the values differ."""


class ShadowedMount(Struct, frozen=True):
    """A volume that a service mounts where a later entry of the same list mounts something else, which alone holds."""

    service: str
    volume: str
    target: str
    location: Location
    by: Location


class QuotedEntry(Struct, frozen=True):
    """A variable that the list of a service's environment gives a value in quotes, which are a part of it there."""

    service: str
    name: str
    location: Location


class Override(Struct, frozen=True):
    """A value that won over others in a merge of files; `losers` are their places, oldest first."""

    location: Location
    losers: tuple[Location, ...]


class EmptyList(Struct, frozen=True):
    """A list or mapping without entries of a service in a file that is merged into others, which give it some."""

    service: str
    key: str
    """`ports`, `volumes` …, which a merge only adds to."""
    location: Location
    kept: Location
    """Where a file before has the entries that stay."""


class ResetValue(Struct, frozen=True):
    """A part of a service that `!reset` takes away, though a value is written behind it."""

    service: str
    key: str
    location: Location
    volumes: tuple[str, ...] = ()
    """Of `volumes` the sources that are written there."""


class Problem(Struct, frozen=True):
    """Something that Compose would refuse or warn about."""

    project: str
    kind: str
    """`error` or `warning`."""
    message: str
    location: Location
    code: str = ""
    """The loader's name of the fault: `missing-file`, `undefined-service`, `cycle`, `outside-root`, `unset` …"""
    variable: str = ""
    """The variable that it is about, if it is about one."""
