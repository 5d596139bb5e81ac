"""The runs that the matrix of a job makes of it, each with its own values.

Follows https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial

from msgspec.structs import replace

from auditlib.inventory.delivery import Job
from auditlib.patterns import regex

_VALUE = regex(r"\$\{\{\s*matrix\.(?P<key>[\w.-]+)\s*\}\}")
_LEGS = 50
"""More are no list of images: of a larger matrix the first count."""


def legs(job: Job) -> list[Job]:
    """A job once for each case of its matrix, with one value for each key; a job without a matrix is its only one."""
    by_axis: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for key, values in job.matrix:
        by_axis[key.partition(".")[0]].append((key, values))
    axes = [_rows(axis) for axis in by_axis.values()]
    chosen = itertools.islice(itertools.product(*axes), _LEGS) if all(axes) else ()
    cases = [{key: value for row in rows for key, value in row.items()} for rows in chosen]
    if not job.matrix and job.included:
        cases = []
    for row in _rows(job.included):
        _include(cases, row, {key for key, _ in job.matrix})
    return [replace(job, matrix=tuple((key, (value,)) for key, value in case.items()), included=()) for case in cases]


def filled(text: str, job: Job) -> list[str]:
    """What a text with values of the matrix becomes in the job's runs; itself where it has none."""
    if not _VALUE.search(text):
        return [text]
    return list(dict.fromkeys(_VALUE.sub(partial(_only, dict(leg.matrix)), text) for leg in legs(job)))


def _only(values: Mapping[str, tuple[str, ...]], match: re.Match[str]) -> str:
    found = values.get(match["key"], ())
    return found[0] if len(found) == 1 else match[0]


def _rows(columns: Iterable[tuple[str, tuple[str, ...]]]) -> list[dict[str, str]]:
    """Cases by the values of their keys; a key that some lack belongs to nobody knows which."""
    found = list(columns)
    length = max((len(values) for _, values in found), default=0)
    return [{key: values[index] for key, values in found if len(values) == length} for index in range(length)]


def _include(cases: list[dict[str, str]], row: dict[str, str], axes: set[str]) -> None:
    """Add a case of `include` to those whose values it repeats, or as one of its own."""
    mine = axes & set(row)
    fitting = [case for case in cases if axes and all(case.get(key) == row[key] for key in mine)]
    for case in fitting:
        case.update(row)
    if not fitting:
        cases.append(dict(row))
