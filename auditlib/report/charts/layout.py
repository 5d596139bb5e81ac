"""Where boxes in columns stand, so that the lines between them cross as little as possible (Sugiyama's method)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Slot = tuple[int, float]
"""A column and a row; rows may lie between each other."""

_LANE = 0.45
"""The share of a row that a line takes where it passes a column without stopping there."""

_MOST_EDGES = 3_000
"""Steps of links for which crossings are avoided; with more the boxes keep their order, as nobody could follow them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A slot for each box, and for each link the slots that it leads through, ends included."""

    slots: Mapping[str, Slot]
    routes: Mapping[tuple[str, str], tuple[Slot, ...]]
    rows: float


def arrange(
    columns: Mapping[str, int], links: Iterable[tuple[str, str]], heights: Mapping[str, float] | None = None
) -> Layout:
    """Arrange boxes, whose columns are given, by their links. The same input gives the same layout.

    `heights` has the boxes that take more than a row.
    """
    pairs = sorted(set(links))
    chains = {pair: _chain(pair, columns) for pair in pairs if columns[pair[0]] != columns[pair[1]]}
    passing = {stop: column for chain in chains.values() for stop, column in chain if stop not in columns}
    order = _order({**columns, **passing}, [[stop for stop, _ in chain] for chain in chains.values()])
    slots, rows = _slots(order, columns, passing, heights or {})
    routes = {pair: tuple(slots[stop] for stop, _ in chain) for pair, chain in chains.items()}
    straight = {pair: (slots[pair[0]], slots[pair[1]]) for pair in pairs if pair not in chains}
    return Layout({name: slots[name] for name in columns}, {**straight, **routes}, rows)


def _chain(pair: tuple[str, str], columns: Mapping[str, int]) -> list[tuple[str, int]]:
    """The stops of a link: its ends, and one in each column that it passes."""
    source, target = pair
    step = 1 if columns[source] < columns[target] else -1
    between = range(columns[source] + step, columns[target], step)
    return [
        (source, columns[source]),
        *((f"{source}\0{target}\0{at}", at) for at in between),
        (target, columns[target]),
    ]


def _order(columns: Mapping[str, int], chains: list[list[str]]) -> dict[str, tuple[int, float]]:
    """For each stop a key by which to sort its column: its connected part, and its position there."""
    from fast_sugiyama import from_edges

    names = list(columns)
    numbers = {name: number for number, name in enumerate(names)}
    edges = set()
    for chain in chains:
        forward = chain if columns[chain[0]] < columns[chain[-1]] else chain[::-1]
        edges |= {(numbers[left], numbers[right]) for left, right in itertools.pairwise(forward)}
    few = 0 < len(edges) <= _MOST_EDGES
    parts = from_edges(sorted(edges), minimum_length=1, vertex_spacing=1, dummy_vertices=False) if few else []
    placed = sorted((sorted(part[0]) for part in parts), key=lambda part: (-len(part), part))
    keys = {names[int(number)]: (rank, x) for rank, part in enumerate(placed) for number, (x, _) in part}
    return {name: keys.get(name, (len(placed), float(number))) for name, number in numbers.items()}


def _slots(
    order: Mapping[str, tuple[int, float]],
    columns: Mapping[str, int],
    passing: Mapping[str, int],
    heights: Mapping[str, float],
) -> tuple[dict[str, Slot], float]:
    members: defaultdict[int, list[str]] = defaultdict(list)
    for name in sorted(order, key=lambda name: (*order[name], name)):
        members[columns[name] if name in columns else passing[name]].append(name)
    sizes = {name: heights.get(name, 1.0) if name in columns else _LANE for name in order}
    rows = max(sum(sizes[name] for name in names) for names in members.values()) if members else 0.0
    slots: dict[str, Slot] = {}
    for column, names in members.items():
        row = (rows - sum(sizes[name] for name in names)) / 2
        for name in names:
            slots[name] = (column, row + sizes[name] / 2)
            row += sizes[name]
    return slots, rows
