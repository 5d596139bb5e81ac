"""What was read against what: the kinds of things that the files hold, and the references that were followed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from auditlib.audit import Audit
from auditlib.graph import VERBS, Edge
from auditlib.phrases import counted
from auditlib.report.blocks import Blocks, Column, Prose, Table
from auditlib.report.charts import layered

_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("document", "dashboard", "alert_rule"),
    ("workflow", "datasource", "scrape_job", "receiver"),
    ("job", "service", "setting"),
    ("script", "env_file", "image", "host_port", "network", "volume", "bind_path", "profile", "secret", "config"),
    ("env_var",),
)
"""Where a kind is drawn: what starts things or tells of them on the left, what they are made of on the right."""
_COLUMN = {kind: number for number, kinds in enumerate(_COLUMNS) for kind in kinds}
_NAMES = {
    "alert_rule": "alert",
    "bind_path": "mounted path",
    "datasource": "data source",
    "env_file": "env file",
    "env_var": "variable",
    "host_port": "host port",
    "scrape_job": "scrape job",
}

_Pairs = Mapping[tuple[str, str, str], list[Edge]]
"""The edges by the kind that they leave, their verb, and the kind that they lead to."""


def joined(audit: Audit) -> Blocks:
    """Each kind of thing with a line to every kind that it was read against."""
    nodes = audit.dependencies.nodes
    pairs: defaultdict[tuple[str, str, str], list[Edge]] = defaultdict(list)
    for edge in (edge for verb in VERBS for edge in audit.dependencies.edges_of(verb)):
        pairs[nodes[edge.source]["kind"], edge.verb, nodes[edge.target]["kind"]].append(edge)
    if not pairs:
        return Blocks(Prose("Nothing that was read refers to anything else."))
    words = _words(audit, [edge for edges in pairs.values() for edge in edges])
    canvas = layered.draw(_boxes(audit, pairs), _links(pairs))
    return Blocks(canvas.picture(words, words, _table(pairs)))


def _words(audit: Audit, edges: list[Edge]) -> str:
    """How many references there are, and how many of them one file alone doesn't show."""
    files: defaultdict[str, set[str]] = defaultdict(set)
    for edge in edges:
        for place in (edge.location, audit.dependencies.nodes[edge.target]["location"]):
            files[edge.target] |= {place.file} if place else set()
    shared = sum(len(files[edge.target]) > 1 for edge in edges)
    return f"{counted(len(edges), 'reference')} followed, {shared} of them to what another file names too."


def _boxes(audit: Audit, pairs: _Pairs) -> list[layered.Box]:
    ends = {kind for source, _, target in pairs for kind in (source, target)}
    numbers = Counter(data["kind"] for data in audit.dependencies.nodes.values())
    among = Counter({(source, target): 0 for source, _, target in pairs})
    for (source, _, target), edges in pairs.items():
        among[source, target] += len(edges)
    return [
        layered.Box(kind, _COLUMN[kind], counted(numbers[kind], _name(kind)), _among(among[kind, kind]), "accent")
        for kind in _COLUMN
        if kind in ends
    ]


def _among(number: int) -> tuple[str, ...]:
    return (f"{number} among them",) if number else ()


def _links(pairs: _Pairs) -> list[layered.Link]:
    """A line for each two kinds, from left to right."""
    ends = {tuple(sorted((source, target), key=list(_COLUMN).index)) for source, _, target in pairs if source != target}
    return [layered.Link(left, right, "accent") for left, right in sorted(ends)]


def _table(pairs: _Pairs) -> Table:
    columns = (Column("From"), Column("Reference", "code"), Column("To"), Column("Number", "number"),
               Column("First place", "code"))  # fmt: skip
    rows = tuple(
        (_name(source), verb, _name(target), len(edges), _first(edges))
        for (source, verb, target), edges in sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    return Table("References by what they lead from and to", columns, rows)


def _first(edges: Iterable[Edge]) -> str:
    return next((str(edge.location) for edge in edges if edge.location), "")


def _name(kind: str) -> str:
    return _NAMES.get(kind, kind)
