"""From issues to findings: what two of us say of one place is one finding with both sources; what repeats is one too.

Issues of the same kind are one finding with related places: over the whole repository up to medium, where the same
habit is mended everywhere at once, and per file from high on, where each file needs somebody's attention.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from auditlib.model import Finding, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.redaction import Vault
from auditlib.scanners._equivalents import ANOTHERS_WORDS, EQUIVALENT
from auditlib.scanners._scanner import Issue

_LONGEST = 1_000
"""Characters of a scanner's text that are shown."""
_NAMED = 4
Reported = tuple[str, Issue]
"""A scanner's name, and what it reports."""
Seconded = defaultdict[tuple[str, str, int], set[str]]
"""By rule, file and line: the scanners that say the same in words of their own."""


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
    kept, seconded = _told_once(remaining)
    return [*agreed, *_grouped(kept, seconded, vault)]


def _told_once(reported: Sequence[Reported]) -> tuple[list[Reported], Seconded]:
    """What is left if each fault of a line is told by one scanner, and the others that say it of a line."""
    said = {(f"{scanner}/{issue.rule}", issue.location.file, issue.location.line) for scanner, issue in reported}
    kept: list[Reported] = []
    seconded: Seconded = defaultdict(set)
    for scanner, issue in reported:
        other = (ANOTHERS_WORDS.get(f"{scanner}/{issue.rule}", ""), issue.location.file, issue.location.line)
        if other in said:
            seconded[other].add(scanner)
        else:
            kept.append((scanner, issue))
    return kept, seconded


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


def _grouped(reported: Iterable[Reported], seconded: Seconded, vault: Vault) -> Iterator[Finding]:
    groups: defaultdict[tuple[str, str, Severity, tuple[str, ...]], list[Issue]] = defaultdict(list)
    for scanner, issue in reported:
        file = issue.location.file if issue.severity >= Severity.HIGH else ""
        groups[scanner, issue.rule, issue.severity, (file, *filter(None, [issue.program]))].append(issue)
    for (scanner, rule, severity, apart), issues in sorted(groups.items(), key=lambda group: group[0][:2]):
        distinct = sorted(dict.fromkeys(issues), key=_importance)
        places = {(f"{scanner}/{rule}", item.location.file, item.location.line) for item in distinct}
        source = ", ".join((scanner, *sorted({other for place in places for other in seconded.get(place, ())})))
        name, fingerprint = f"{scanner}/{rule}", _fingerprint(scanner, rule, str(severity), *apart)
        yield _finding(name, distinct, source, fingerprint, vault)


def _importance(issue: Issue) -> tuple[object, ...]:
    """The order of the places of a finding: the main file first."""
    from auditlib.conventions import environments  # when the scanners have been started

    return *environments.prominence(issue.location.file), issue.location, issue.message


def _finding(rule: str, issues: Sequence[Issue], source: str, fingerprint: str, vault: Vault) -> Finding:
    first = issues[0]
    told = next((issue for issue in issues if issue.example), first)
    advised = [issue for issue in issues if issue.example or issue.recommendation == told.recommendation]
    return Finding(
        rule=rule,
        title=_shown(first.title, vault),
        message=_shown(_message(issues), vault),
        severity=first.severity,
        confidence=max(issue.confidence for issue in issues),
        area=first.area,
        effort=max(issue.effort for issue in issues),
        location=first.location,
        recommendation=f"{_shown(told.recommendation, vault).rstrip('.')}.",
        example="\n".join(vault.mask_lines(_examples(issues))),
        change=_change(first, vault),
        service=first.service,
        subjects=tuple(dict.fromkeys(vault.mask(issue.service) for issue in advised if issue.service)),
        related=tuple(
            Related(issue.location, _shown(_note(issue), vault), member=True, change=_change(issue, vault))
            for issue in issues[1:]
        ),
        references=first.references,
        source=source,
        fingerprint=fingerprint,
    )


def _change(issue: Issue, vault: Vault) -> tuple[str, str]:
    old, new = issue.change
    return vault.mask(old), vault.mask(new)


def _examples(issues: Sequence[Issue]) -> str:
    """What to write for each of the services; of many for the first ones, and for how many more it is alike."""
    lines = list(dict.fromkeys(issue.example for issue in issues if issue.example))
    more = len(lines) - _NAMED
    return "\n".join(lines[:_NAMED]) + (f"\n# likewise in {counted(more, 'more place')}" if more > 0 else "")


def _shown(text: str, vault: Vault) -> str:
    """A text of a scanner without secrets, and cut where it quotes more of a file than anybody reads."""
    masked = vault.mask_quoted(text)
    return masked if len(masked) <= _LONGEST else f"{masked[:_LONGEST]} …"


def _message(issues: Sequence[Issue]) -> str:
    first = issues[0]
    said = _beyond_title(first)
    if len(issues) == 1:
        return f"{first.service}: {said}" if first.service else said
    places = f"{len(issues)} places of {listed((issue.location.file for issue in issues), _NAMED)}"
    names = listed((issue.service for issue in issues if issue.service), _NAMED)
    return f"{names} ({places}): {said}" if names else f"{places}: {said}"


def _beyond_title(issue: Issue) -> str:
    """The message without a first sentence that is the title again, unless it has no other."""
    first, _, rest = issue.message.partition(". ")
    return rest if rest and first.casefold() == issue.title.rstrip(".").casefold() else issue.message


def _note(issue: Issue) -> str:
    """What is to be seen at a further place; what follows the first sentence is said of all of them already."""
    said = issue.message.partition(". ")[0].rstrip(".")
    return f"{issue.service}: {said}" if issue.service else said


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
