"""From issues to findings: what a rule of ours says too is one finding with both sources; what repeats is one finding.

Issues of the same kind are one finding with related places: over the whole repository up to medium, where the same
habit is mended everywhere at once, and per file from high on, where each file needs somebody's attention.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from auditlib.model import Finding, Related, Severity
from auditlib.redaction import Vault
from auditlib.scanners._scanner import Issue

EQUIVALENT: dict[str, frozenset[str]] = {
    "credential-default": frozenset({"compose-lint/CL-0020", "compose-lint/CL-0021"}),
    "credential-in-url": frozenset({"compose-lint/CL-0021"}),
    "datastore-port-published": frozenset({"compose-lint/CL-0005"}),
    "image-unpinned": frozenset({"compose-lint/CL-0004", "compose-lint/CL-0019", "hadolint/DL3006", "hadolint/DL3007"}),
    "monitoring-exposed-unauthenticated": frozenset({"compose-lint/CL-0005"}),
    "resource-limit-missing": frozenset({"compose-lint/CL-0026"}),
    "secret-committed": frozenset({
        "compose-lint/CL-0020", "compose-lint/CL-0021", "zizmor/hardcoded-container-credentials",
    }),
    "alert-expression-invalid": frozenset({"promtool/invalid-rules"}),
    "needs-unknown": frozenset({"actionlint/job-needs"}),
    "receiver-undefined": frozenset({"amtool/invalid-configuration"}),
}  # fmt: skip
"""Which rules of ours say the same as which of a scanner; ours, which has read the other files too, wins."""
_LONGEST = 1_000
"""Characters of a scanner's text that are shown."""
_NAMED = 3
Reported = tuple[str, Issue]
"""A scanner's name, and what it reports."""


def merge(findings: Sequence[Finding], reported: Sequence[Reported], vault: Vault) -> list[Finding]:
    """Our findings, now with the scanners that agree among their sources, and those that only a scanner has."""
    sources: defaultdict[str, set[str]] = defaultdict(set)
    remaining = []
    places = _places(findings)
    for scanner, issue in reported:
        ours = places.get((f"{scanner}/{issue.rule}", issue.location.file, _spot(issue)), ())
        by_line = places.get((f"{scanner}/{issue.rule}", issue.location.file, issue.location.line), ())
        for fingerprint in {*ours, *by_line}:
            sources[fingerprint].add(scanner)
        if not ours and not by_line:
            remaining.append((scanner, issue))
    agreed = [
        replace(finding, source=", ".join([finding.source, *sorted(sources[finding.fingerprint])]))
        if finding.fingerprint in sources
        else finding
        for finding in findings
    ]
    return [*agreed, *_grouped(remaining, vault)]


def _spot(issue: Issue) -> str | int:
    return issue.service or issue.location.line


def _places(findings: Iterable[Finding]) -> dict[tuple[str, str, str | int], list[str]]:
    """By scanner rule, file, and service or line: the fingerprints of our findings that say the same of it."""
    places: defaultdict[tuple[str, str, str | int], list[str]] = defaultdict(list)
    for finding in findings:
        for rule in EQUIVALENT.get(finding.rule, ()):
            if finding.service:
                places[rule, finding.location.file, finding.service].append(finding.fingerprint)
            for place in (finding.location, *(related.location for related in finding.related)):
                places[rule, place.file, place.line].append(finding.fingerprint)
    return places


def _grouped(reported: Iterable[Reported], vault: Vault) -> Iterator[Finding]:
    groups: defaultdict[tuple[str, str, Severity, str], list[Issue]] = defaultdict(list)
    for scanner, issue in reported:
        apart = issue.location.file if issue.severity >= Severity.HIGH else ""
        groups[scanner, issue.rule, issue.severity, apart].append(issue)
    for (scanner, rule, severity, apart), issues in sorted(groups.items(), key=lambda group: group[0][:2]):
        distinct = sorted(dict.fromkeys(issues), key=lambda issue: (issue.location, issue.message))
        yield _finding(scanner, distinct, _fingerprint(scanner, rule, str(severity), apart), vault)


def _finding(scanner: str, issues: Sequence[Issue], fingerprint: str, vault: Vault) -> Finding:
    first = issues[0]
    return Finding(
        rule=f"{scanner}/{first.rule}",
        title=_shown(first.title, vault),
        message=_shown(_message(issues), vault),
        severity=first.severity,
        confidence=max(issue.confidence for issue in issues),
        area=first.area,
        effort=max(issue.effort for issue in issues),
        location=first.location,
        recommendation=_shown(first.recommendation, vault),
        example="\n".join(vault.mask_lines(first.example)),
        service=first.service,
        related=tuple(Related(issue.location, _shown(_note(issue), vault), member=True) for issue in issues[1:]),
        references=first.references,
        source=scanner,
        fingerprint=fingerprint,
    )


def _shown(text: str, vault: Vault) -> str:
    """A text of a scanner without secrets, and cut where it quotes more of a file than anybody reads."""
    masked = vault.mask(text)
    return masked if len(masked) <= _LONGEST else f"{masked[:_LONGEST]} …"


def _message(issues: Sequence[Issue]) -> str:
    first = issues[0]
    if len(issues) == 1:
        return f"{first.service}: {first.message}" if first.service else first.message
    names = list(dict.fromkeys(issue.service or issue.location.file for issue in issues))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{first.title}, in {len(issues)} places: {', '.join(names[:_NAMED])}{more}. {first.message}"


def _note(issue: Issue) -> str:
    return f"{issue.service}: {issue.message}" if issue.service else issue.message


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
