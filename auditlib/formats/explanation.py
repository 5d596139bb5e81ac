"""One finding in full: what was seen, every place with its lines, why it matters, what to do, how to live with it."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import edits, rule_texts
from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.formats import suppression, visible
from auditlib.model import Finding, Location, Status


def render(audit: Audit, fingerprint: str) -> str:
    """The explanation of the finding whose fingerprint begins so. Raises UsageError if there is not exactly one."""
    found = [finding for finding in audit.findings if finding.fingerprint.startswith(fingerprint)]
    if len(found) != 1 or not fingerprint:
        count = "more than one finding" if found else "no finding"
        raise UsageError(f"{count} has the fingerprint {fingerprint!r}; `auditlib check --format json` names them all")
    return "\n".join(_lines(audit, found[0])) + "\n"


def _lines(audit: Audit, finding: Finding) -> Iterator[str]:
    yield f"{finding.severity}[{finding.rule}] {visible(finding.title)}"
    yield f"area {finding.area}, confidence {finding.confidence}, effort {finding.effort}, found by {finding.source}"
    if finding.status is Status.SUPPRESSED:
        yield f"suppressed: {visible(suppression(finding))}"
    yield f"\n{visible(finding.message)}\n"
    yield from _place(audit, finding.location, "")
    for item in finding.related:
        yield from _place(audit, item.location, item.message)
    yield from _documentation(finding)
    yield f"What to do:\n  {visible(finding.recommendation)}\n"
    yield from _lines_to_write(audit, finding)
    yield "References:"
    yield from (f"  {reference}" for reference in finding.references)
    yield from _suppression(finding)


def _lines_to_write(audit: Audit, finding: Finding) -> Iterator[str]:
    """The first step as an edit of the lines at fault, or where none fits, as lines to write elsewhere."""
    fitting = edits.everywhere(finding, audit.excerpts)
    for place, lines in fitting:
        yield from [f"  # {visible(str(place))}"] if len(fitting) > 1 else []
        for sign, text in ((" ", lines.kept), ("-", lines.removed), ("+", lines.added)):
            yield from _signed(sign, text)
    if not fitting:
        yield from _signed(" ", finding.example)
    if fitting or finding.example:
        yield ""


def _signed(sign: str, text: str) -> Iterator[str]:
    yield from (f"  {sign} {visible(line)}" for line in text.split("\n") if text)


def _place(audit: Audit, place: Location, message: str) -> Iterator[str]:
    yield visible(f"{place}: {message}" if message else str(place))
    excerpt = audit.excerpts.get(place)
    for number, line, marked in excerpt.lines if excerpt else ():
        yield f"  {'>' if marked else ' '} {number:>4} | {visible(line)}".rstrip()
    yield ""


def _documentation(finding: Finding) -> Iterator[str]:
    text = rule_texts.of(finding.rule)
    if text:
        yield f"Why it matters:\n{_indented(text.why)}\n"
    if text and text.better:
        yield f"Better:\n{_indented(text.better)}\n"


def _suppression(finding: Finding) -> Iterator[str]:
    """What to write to live with a finding: a comment, or where the format has none, an entry of the configuration."""
    if not finding.location.file.endswith(".json"):
        yield f"\nTo live with it, write this as a comment at {visible(str(finding.location))}, or on the line above:"
        yield f"  auditlib: ignore[{finding.rule}] until=2027-01-31 the reason"
        return
    yield "\nTo live with it, write this into auditlib.toml, since JSON knows no comments:"
    yield "  [[ignore]]"
    yield f'  rule = "{finding.rule}"'
    yield f'  path = "{visible(finding.location.file)}"'
    yield '  reason = "the reason"'
    yield "  expires = 2027-01-31"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))
