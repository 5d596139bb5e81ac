"""The inventory as one dependency graph that answers questions.

`build(inventory)` gives a `DependencyGraph` that is a `networkx.MultiDiGraph`; `assemble(inventory)` gives one for the
rules, which is none, so that they run without importing networkx. Nodes are strings such as `service:api` or
`volume:postgres_data`. Where several projects of a repository have a thing of the same name, the project stands in
between: `service:monitoring/redis`. Every question takes a plain name too: `graph.what_breaks("redis")`.

| a node has | |
|---|---|
| `kind` | one of `KINDS` |
| `name` | what people call it |
| `location` | where it is declared; None for what is only named, such as an image |
| more | by kind: `project` of a service, volume or network; `file` of a job, a setting or an alert |

| an edge has | |
|---|---|
| `verb` | one of `VERBS` |
| `location` | the place that says so |
| `overlay` | the overlay project that brings it; empty for a base |
| more | by verb: `condition`, `required`, `declared`, `inferred` of `depends_on`; `read_only` of `mounts`; `ports` |

A `depends_on` edge with `inferred` comes from a host name in an environment value or a command; `declared` tells
whether the Compose file says `depends_on` as well, `shared` whether several services take the name from one place, so
that nothing tells who of them asks there.

What breaks with a node either fails too, or runs and can't be reached from outside, or goes on without something. A
`forwards_to` edge leads from a proxy, with those of its `ports` that are known, to what it passes requests to: without
its upstream a proxy goes on; without its last proxy a service that publishes no port can't be reached.

A service that an overlay changes is the node of its base; what the overlay brings are further edges.
"""

from __future__ import annotations

from auditlib.graph._answer import Answer
from auditlib.graph._answers import Breakage, Cycle, Edge, Flow, Link, Node, Origin, SinglePoint, Use
from auditlib.graph._build import assemble, build
from auditlib.graph._dependency_graph import DependencyGraph
from auditlib.graph._vocabulary import KINDS, VERBS

__all__ = [
    "KINDS",
    "VERBS",
    "Answer",
    "Breakage",
    "Cycle",
    "DependencyGraph",
    "Edge",
    "Flow",
    "Link",
    "Node",
    "Origin",
    "SinglePoint",
    "Use",
    "assemble",
    "build",
]
