"""What the graph answers: small records of plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from auditlib.model import Location


class Node(Struct, frozen=True):
    """A node: its `id` in the graph, its kind, what people call it, and where it is declared."""

    id: str
    kind: str
    name: str
    location: Location | None


class Edge(Struct, frozen=True):
    """An edge between two node ids, with its verb, the place that says so, and the attributes of its verb."""

    source: str
    target: str
    verb: str
    location: Location
    attributes: Mapping[str, Any]


class Link(Struct, frozen=True):
    """One step of a chain of failures: `dependent` needs `needed`, by `verb`, as `location` says."""

    dependent: str
    verb: str
    needed: str
    location: Location


class Breakage(Struct, frozen=True):
    """A node that suffers when another dies.

    `hard` means that it can't start or do its work: every link of the chain is a required one. Otherwise it runs on
    without something, or is `unreachable`: it runs, and nobody outside gets to it, since every proxy that passes
    requests to it is down, and no port of its own is published. `path` leads from the dead node to this one, a link
    each.
    """

    node: str
    kind: str
    name: str
    hard: bool
    path: tuple[Link, ...]
    unreachable: bool = False

    @property
    def why(self) -> str:
        """The chain in words: `nginx depends_on api depends_on redis`."""
        words = [bare(self.node)]
        for link in reversed(self.path):
            words += [link.verb, bare(link.needed)]
        return " ".join(words)


class SinglePoint(Struct, frozen=True):
    """A node that there is one of, and what its failure takes along: node ids, sorted, each in one of the three."""

    node: str
    kind: str
    name: str
    location: Location | None
    hard: tuple[str, ...]
    soft: tuple[str, ...]
    unreachable: tuple[str, ...] = ()


class Cycle(Struct, frozen=True):
    """Nodes that wait for each other: each for the next, the last for the first; `links` are the places that say so."""

    nodes: tuple[str, ...]
    links: tuple[Link, ...]
    further: tuple[Link, ...] = ()
    """What leads from and to nodes of longer circles through some of these."""


class Origin(Struct, frozen=True):
    """Where a credential's value comes from.

    `kind` is `default` (after `:-` in a Compose file), `literal` (in an `environment`), `env_file`, `template`,
    `setting` (a default in code) or `required` (from outside, `:?`) or `unset` (from outside, blank if missing);
    `shown` is the masked value, empty where there is none.
    """

    kind: str
    shown: str
    weak: bool
    placeholder: bool
    identity: int
    location: Location


class Use(Struct, frozen=True):
    """A place where a service gets a credential: `target` is the key of the service that it goes into."""

    service: str
    target: str
    location: Location


class Flow(Struct, frozen=True):
    """The way of one credential: from its origins to the services that get it, their images, and what it opens.

    `services`, `images` and `opens` are node ids, sorted. A service is opened by a credential that stands in an address
    of it, or that an image which nobody builds here is started with (`POSTGRES_PASSWORD` of `postgres:15`).
    """

    variable: str
    origins: tuple[Origin, ...]
    uses: tuple[Use, ...]
    services: tuple[str, ...]
    images: tuple[str, ...]
    opens: tuple[str, ...]


def bare(node: str) -> str:
    """A node's id without its kind."""
    return node.partition(":")[2]
