"""Executed notebooks as one self-contained page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

import auditlib
from auditlib.audit import Audit
from auditlib.model import Area, Status
from auditlib.patterns import regex
from auditlib.report import policy, rendering
from auditlib.report.blocks import PAGE_MIME
from auditlib.report.settings import Settings

_AREAS = {
    "container-orchestration": Area.ORCHESTRATION,
    "configuration-secrets": Area.CONFIGURATION,
    "monitoring-logging": Area.MONITORING,
    "cicd-testing": Area.CICD,
    "gaps-risks": Area.RESILIENCE,
}
"""The notebooks whose entry in the table of contents counts the findings of an area."""


_SCRIPTS = ("page.js", "tables.js", "copying.js", "explorer.js", "maps.js")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a section: `prose` and `blocks` hold HTML, `text` and `trouble` plain text."""

    kind: str
    content: Markup | str


@dataclass(frozen=True, slots=True)
class Section:
    """A notebook as a section of the page."""

    id: str
    title: str
    question: str
    parts: tuple[Part, ...]
    failures: tuple[str, ...]


def section(name: str, notebook: Mapping[str, Any]) -> Section:
    """The section that an executed notebook makes; `name` is its file's name without the ending."""
    markdown = MarkdownIt("commonmark", {"html": False})
    title, question = name, ""
    parts: list[Part] = []
    for number, cell in enumerate(cell for cell in notebook["cells"] if not _is_marker(cell)):
        source = "".join(cell["source"])
        if number == 0 and source.startswith("# "):
            title, _, question = source.removeprefix("# ").partition("\n")
        elif cell["cell_type"] == "markdown":
            parts.append(Part("prose", _below_the_title(markdown.render(source), _anchor(name))))
        elif cell["cell_type"] == "code":
            parts += [_part(output) for output in cell["outputs"]]
    failures = tuple(part.content for part in parts if part.kind == "trouble")
    return Section(_anchor(name), title.strip(), " ".join(question.split()), tuple(parts), failures)


def missing(name: str, reason: str) -> Section:
    """The section in the place of a notebook that could not be run at all."""
    return Section(_anchor(name), name, "", (Part("trouble", reason),), (reason,))


def _below_the_title(html: str, section: str) -> Markup:
    """A notebook's second level of headings is the page's third; each has an address."""

    def heading(match: re.Match[str]) -> str:
        words = re.sub(r"<[^>]*>|&\w+;", "", match[1]).lower()
        name = "-".join([section, *re.findall(r"\w+", words)])
        return f'<h3 id="{name}">{match[1]}<a class="anchor" href="#{name}" aria-label="Link to this part"></a></h3>'

    return Markup(_HEADING.sub(heading, html))  # noqa: S704 - raw HTML is off, and a name has letters and digits


_HEADING = regex(r"<h2>(.*?)</h2>", re.S)


def _anchor(name: str) -> str:
    """The name without its number, which only orders the files."""
    number, _, rest = name.partition("-")
    return rest if number.isdigit() and rest else name


def _is_marker(cell: Mapping[str, Any]) -> bool:
    """Papermill puts cells of its own before those that failed."""
    return "papermill-error-cell-tag" in cell["metadata"].get("tags", [])


def _part(output: Mapping[str, Any]) -> Part:
    if output["output_type"] == "error":
        return Part("trouble", f"{output['ename']}: {output['evalue']}" if output["evalue"] else output["ename"])
    data = output.get("data", {})
    for mime in (PAGE_MIME, "text/html"):
        if mime in data:
            return Part("blocks", Markup("".join(data[mime])))  # noqa: S704 - made by a section, which escapes
    return Part("text", "".join(data.get("text/plain", output.get("text", ""))))


def render(audit: Audit, sections: Sequence[Section], settings: Settings | None = None) -> str:
    """The page, in the look of the settings."""
    script = Markup("\n").join(rendering.style(name) for name in _SCRIPTS)
    counts = Counter(finding.area for finding in audit.findings if finding.status is Status.OPEN)
    shown = [_shown(item, counts, opening=number == 0) for number, item in enumerate(sections)]
    return rendering.environment().get_template("page.html.j2").render(
        project=audit.inventory.name,
        commit=audit.inventory.commit,
        as_of=audit.as_of,
        version=auditlib.__version__,
        settings=settings or Settings(),
        policy=policy.of_scripts(script),
        blocks_css=rendering.style("blocks.css"),
        page_css=rendering.style("page.css"),
        script=script,
        sections=shown,
    )  # fmt: skip


def _shown(item: Section, counts: Counter[Area], *, opening: bool) -> dict[str, Any]:
    area = _AREAS.get(item.id)
    return {
        "id": item.id,
        "title": item.title,
        "question": item.question,
        "parts": item.parts,
        "findings": counts[area] if area else 0,
        "opening": opening,
    }
