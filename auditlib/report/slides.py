"""A deck of slides from the cells of executed notebooks that are tagged `slide`, in one file that needs no network.

Steps, keys, scaling and the overview are those of reveal.js, which is read from the package that ships it.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

import auditlib
from auditlib import verdict
from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.model import Area, Finding, Status
from auditlib.patterns import regex
from auditlib.report import policy, rendering
from auditlib.report.blocks import SLIDE_MIME
from auditlib.report.settings import Settings

TAG = "slide"
"""The tag of a cell that is a slide as well."""

_AREAS = {
    "02-container-orchestration": Area.ORCHESTRATION,
    "03-configuration-secrets": Area.CONFIGURATION,
    "04-monitoring-logging": Area.MONITORING,
    "05-cicd-testing": Area.CICD,
    "06-gaps-risks": Area.RESILIENCE,
}
"""The notebooks whose slides have the worst findings of an area in their notes."""
_CLOSING = "08-confidence"
_NAMED = 3
_ALONE = regex(r'^\s*<p class="lead alone">(.*?)</p>', re.S)
_TONES = {
    verdict.Readiness.NOT_READY: "bad",
    verdict.Readiness.CONDITIONS: "warn",
    verdict.Readiness.READY: "good",
    verdict.Readiness.NOT_KNOWN: "warn",
}


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide: `body` holds HTML, everything else plain text."""

    section: str
    title: str
    body: Markup
    trouble: str
    say: str
    """What the notebook says of it, for whoever speaks."""
    findings: tuple[Finding, ...]
    """The worst of the section's area, if this is its last slide: shown where there is room, and in the notes."""
    notebook: str = ""
    absent: tuple[Slide, ...] = ()
    """The slides that would hold a sentence and hardly more; this one says what they say."""

    @property
    def sentence(self) -> Markup:
        """All that it says, if that is one sentence."""
        match = _ALONE.search(self.body)
        return Markup(match[1]) if match else Markup()  # noqa: S704 - a part of what was escaped before


def check() -> None:
    """Raise UsageError if reveal.js is not installed."""
    _home()


def render(audit: Audit, notebooks: Mapping[str, Mapping[str, Any]], settings: Settings) -> str:
    """The deck of executed notebooks, given by the names of their files without the ending."""
    reveal, script = _shipped("reveal.js"), rendering.style("slides.js")
    judgement = verdict.judge(audit.findings, audit.unknown_areas)
    slides = _gathered([slide for name, notebook in notebooks.items() for slide in _slides(audit, name, notebook)])
    return rendering.environment().get_template("slides.html.j2").render(
        project=audit.inventory.name,
        commit=audit.inventory.commit,
        as_of=audit.as_of,
        version=auditlib.__version__,
        settings=settings,
        policy=policy.of_scripts(reveal, script),
        reveal_css=_shipped("reveal.css"),
        styles=[rendering.style("blocks.css"), rendering.style("slides.css"), settings.style],
        scripts=[reveal, script],
        readiness=judgement.readiness,
        tone=_TONES[judgement.readiness],
        slides=slides,
    )  # fmt: skip


def _slides(audit: Audit, name: str, notebook: Mapping[str, Any]) -> Iterator[Slide]:
    section, heading, say = name, "", ""
    cells = notebook["cells"]
    last = max((number for number, cell in enumerate(cells) if _is_slide(cell)), default=-1)
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and source.startswith("#"):
            heading, _, say = source.lstrip("# ").partition("\n")
            section = heading if number == 0 else section
        elif _is_slide(cell):
            body, trouble = _content(cell["outputs"])
            findings = _worst(audit, _AREAS.get(name)) if number == last else ()
            yield Slide(section, heading, body, trouble, " ".join(say.split()), findings, name)


def _gathered(slides: Sequence[Slide]) -> list[Slide]:
    """The slides without those that are nearly empty; what they say is on that of the confidence, or on the last."""
    empty = tuple(slide for slide in slides if slide.sentence and len(slide.findings) < _NAMED)
    kept = [slide for slide in slides if slide not in empty]
    if not empty or not kept:
        return list(slides)
    place = max((at for at, slide in enumerate(kept) if slide.notebook == _CLOSING), default=len(kept) - 1)
    kept[place] = replace(kept[place], absent=empty)
    return kept


def _is_slide(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "code" and TAG in cell["metadata"].get("tags", [])


def _content(outputs: Iterable[Mapping[str, Any]]) -> tuple[Markup, str]:
    """What a cell shows, as HTML, and what went wrong instead."""
    html, trouble = Markup(), ""
    for output in outputs:
        data = output.get("data", {})
        if output["output_type"] == "error":
            trouble = output["ename"]
        elif SLIDE_MIME in data or "text/html" in data:
            html += Markup("".join(data.get(SLIDE_MIME) or data["text/html"]))  # noqa: S704 - escaped by its section
        else:
            html += Markup("<pre>{}</pre>").format("".join(data.get("text/plain", output.get("text", ""))))
    return html, trouble


def _worst(audit: Audit, area: Area | None) -> tuple[Finding, ...]:
    """The worst open findings of an area, one of each kind."""
    kinds: dict[str, Finding] = {}
    for finding in audit.findings:
        if finding.area is area and finding.status is Status.OPEN:
            kinds.setdefault(finding.rule, finding)
    return tuple(kinds.values())[:_NAMED]


def _shipped(name: str) -> Markup:
    """A file of reveal.js, ready to stand in a `<script>` or `<style>` element."""
    try:
        text = (_home() / name).read_text(encoding="utf-8")
    except OSError:
        raise UsageError(f"the installed sphinx-revealjs has no {name}; {_INSTALL}") from None
    return Markup(_END.sub(r"<\\/", text))  # noqa: S704 - a library's own file


_END = regex("</(?=script|style)", re.I)
"""What would end the element; none of it is in a script except within a text."""
_INSTALL = "install what slides need with `pip install 'auditlib[slides]'`"


def _home() -> Path:
    """Where reveal.js is; the package that ships it is found, but not imported."""
    spec = importlib.util.find_spec("sphinx_revealjs")
    places: Sequence[str] = (spec.submodule_search_locations or ()) if spec else ()
    for place in places:
        return Path(place) / "_static/revealjs/dist"
    raise UsageError(f"reveal.js is not installed; {_INSTALL}")
