"""Findings as JUnit XML, for CI systems that show tests: a suite an area, a failed test a finding."""

from __future__ import annotations

from xml.etree import ElementTree

from auditlib.audit import Audit
from auditlib.formats import suppression, visible
from auditlib.model import Area, Finding, Status


def render(audit: Audit) -> str:
    """The document. A suppressed finding is a skipped test; an area without findings a test that passed."""
    root = ElementTree.Element("testsuites", name="auditlib")
    for area in Area:
        findings = [finding for finding in audit.findings if finding.area is area]
        suppressed = sum(finding.status is Status.SUPPRESSED for finding in findings)
        suite = ElementTree.SubElement(
            root, "testsuite", name=str(area), tests=str(len(findings) or 1), failures=str(len(findings) - suppressed),
            errors="0", skipped=str(suppressed), time="0",
        )  # fmt: skip
        for finding in findings:
            _case(suite, finding)
        if not findings:
            ElementTree.SubElement(suite, "testcase", classname=str(area), name="no findings", time="0")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, finding: Finding) -> None:
    place = finding.location
    case = ElementTree.SubElement(
        suite, "testcase", classname=finding.rule, name=_text(f"{finding.title} ({place}, {finding.fingerprint})"),
        file=_text(place.file), line=str(place.line), time="0",
    )  # fmt: skip
    if finding.status is Status.SUPPRESSED:
        ElementTree.SubElement(case, "skipped", message=_text(suppression(finding)))
        return
    failure = ElementTree.SubElement(case, "failure", type=str(finding.severity), message=_text(finding.message))
    related = [f"{item.location}: {item.message}" for item in finding.related]
    failure.text = "\n".join(_text(line) for line in (f"{place}: {finding.message}", *related, finding.recommendation))


def _text(text: str) -> str:
    """XML has no form at all for control characters, so they are spelled out."""
    return visible(text).replace("\ufffe", "").replace("\uffff", "")
