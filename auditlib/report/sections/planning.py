"""Gaps, risks, and the work that closes them."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence

from auditlib import backlog as planning
from auditlib import verdict
from auditlib.audit import Audit
from auditlib.formats import backlog_csv
from auditlib.model import Area, Effort, Severity, Status
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Panel, Prose, Table
from auditlib.report.charts import matrix, quadrant

_NOTHING = "No finding above `info`: there is nothing to plan."
_EFFORTS = tuple(reversed(Effort))


def risk_matrix(audit: Audit) -> Blocks:
    """The areas against the severities: where the risk is."""
    opened = [finding for finding in audit.findings if finding.status is Status.OPEN]
    counts = Counter((finding.area, finding.severity) for finding in opened)
    shown = [severity for severity in Severity if severity is not Severity.INFO]
    marks = {
        (list(Area).index(area), shown.index(severity)): matrix.Mark(
            "", str(severity), str(number), f"{area}-{severity}"
        )
        for (area, severity), number in counts.items()
        if severity in shown
    }
    if not marks:
        return Blocks(Prose(_NOTHING))
    worst = max(Area, key=lambda area: sum(planning.WEIGHT[severity] * counts[area, severity] for severity in shown))
    words = f"Most of the risk is in {worst.title.lower()}: " + ", ".join(
        f"{counts[worst, severity]} {severity}" for severity in shown if counts[worst, severity]
    ) + "."  # fmt: skip
    table = Table(
        "Findings by area and severity",
        (Column("Area"), *(Column(str(severity).capitalize(), "number") for severity in shown)),
        tuple((area.title, *(counts[area, severity] for severity in shown)) for area in Area),
    )
    canvas = matrix.draw([area.title for area in Area], [str(severity) for severity in shown], marks)
    places = [str(finding.location) for finding in opened if finding.severity in shown]
    return Blocks(canvas.picture(words, words, table, places))


def risk_against_effort(audit: Audit) -> Blocks:
    """Each item of the backlog by the risk that it takes away and the effort that it takes."""
    items = planning.derive(audit.findings)
    if not items:
        return Blocks(Prose(_NOTHING))
    entries = [(item.rank, _EFFORTS.index(item.effort), item.risk, item.severity) for item in items]
    words = "The numbers are the ranks of the backlog; first comes much risk for little effort, at the upper left."
    found = {item.severity for item in items}
    legend = [(palette.SEVERITY[severity], str(severity)) for severity in Severity if severity in found]
    canvas = quadrant.draw(entries, [f"{effort} effort" for effort in _EFFORTS], legend)
    rows = tuple((item.rank, item.title, item.severity, item.risk, str(item.effort)) for item in items)
    columns = (
        Column("Rank", "number"),
        Column("Item"),
        Column("Severity", "severity"),
        Column("Risk", "number"),
        Column("Effort"),
    )
    alternative = f"{wording.count(len(items), 'item')} by risk and effort; first: {items[0].title}."
    return Blocks(canvas.picture(words, alternative, Table("Items by rank", columns, rows)))


def backlog(audit: Audit) -> Blocks:
    """The work in themes, each item with what it closes and its first step."""
    items = planning.derive(audit.findings)
    if not items:
        return Blocks(Prose(_NOTHING))
    themes = [
        (theme, [item for item in items if item.theme == theme]) for theme in dict.fromkeys(planning.THEMES.values())
    ]
    effects = verdict.effects(audit.findings, items, audit.unknown_areas)
    table = base64.b64encode(backlog_csv.render(items, effects).encode()).decode()
    away = {"markdown": _as_markdown(items, effects), "csv": table, "effects": _effects(items, effects)}
    return Blocks(
        Panel("backlog", [(theme, members) for theme, members in themes if members]),
        Panel("takeaway", away),
    )


def _effects(items: Sequence[planning.Item], effects: Mapping[str, verdict.Effect]) -> Table:
    """What each item does to the scores, in the order of the work, each on its own and all so far together."""
    rows = tuple(
        (item.id, item.title, str(effect), ", ".join(item.waits_for), _lowest(effect))
        for item, effect in zip(items, effects.values(), strict=True)
    )
    columns = (Column("Id", "code"), Column("Item"), Column("Alone it changes"), Column("After"),
               Column("Lowest score when all so far are done", "number"))  # fmt: skip
    return Table("What each item does to the scores", columns, rows, folded=True)


def _lowest(effect: verdict.Effect) -> int | str:
    return "–" if effect.lowest is None else effect.lowest


def _as_markdown(items: Sequence[planning.Item], effects: Mapping[str, verdict.Effect]) -> str:
    """The backlog as a task list, for an issue or a pull request."""
    lines = []
    for item in items:
        after = f", after {wording.listing(item.waits_for)}" if item.after else ""
        lines.append(f"- [ ] {item.id} **{item.title}** ({item.severity}, {item.effort} effort{after})  ")
        lines.append(f"  {item.first_step} `{item.places[0]}`  ")
        lines.append(f"  Alone it changes {effects[item.rule]}.")
    return "\n".join(lines) + "\n"
