"""Living with findings: those that somebody decided not to mend are kept and marked, with the reason.

A suppression excuses a finding at the finding's own line, not at the places related to it. One that has expired, that
matches nothing, or that can't be understood is a finding itself; these three judge findings and not the repository,
so they stand here and not among the rules, whose form of documentation they share.
"""

from __future__ import annotations

import hashlib
import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache

import pathspec
from msgspec.structs import replace

from auditlib import rules
from auditlib.configuration import Ignore
from auditlib.model import Area, Confidence, Effort, Finding, Location, Severity, Status
from auditlib.rules import Rule
from auditlib.source import Source
from auditlib.suppressions import _comments
from auditlib.suppressions._comments import Comment, Malformed

__all__ = ["apply", "catalogue"]

_SEVERITIES = {
    "suppression-expired": Severity.LOW,
    "suppression-malformed": Severity.LOW,
    "suppression-unused": Severity.INFO,
}


@cache
def catalogue() -> dict[str, Rule]:
    """The rules that judge suppressions, by id."""
    return {name: _rule(name, severity) for name, severity in _SEVERITIES.items()}


def _rule(name: str, severity: Severity) -> Rule:
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    text = module.__doc__ or ""
    return Rule(name, Area.CONFIGURATION, severity, Confidence.HIGH, Effort.SMALL, text, lambda *_: iter(()))


def apply(
    findings: Sequence[Finding],
    ignores: Iterable[Ignore],
    source: Source,
    today: date,
    checked: Callable[[str], bool],
) -> list[Finding]:
    """The findings with those marked that are suppressed, and what is wrong with the suppressions.

    `checked` says whether a rule was looked at in this audit; only then is a suppression without a finding unused.
    """
    known = [*rules.catalogue(), *catalogue()]
    comments = list(_comments.read(source, source.opened, known))
    inline = [comment for comment in comments if isinstance(comment, Comment)]
    matchers: list[_Comments | _Entries] = [_Comments(inline), _Entries(tuple(ignores))]
    used: set[Ignore] = set()
    judged = []
    for finding in findings:
        matching = [ignore for matcher in matchers for ignore in matcher.matching(finding)]
        used.update(matching)
        valid = [ignore for ignore in matching if not _is_over(ignore, today)]
        judged.append(_suppressed(finding, valid[0], source) if valid else finding)
    everything = [*(comment.ignore for comment in inline), *ignores]
    problems = [*_problems(everything, used, today, checked), *_malformed(comments)]
    return [*judged, *_findings(problems, source)]


def _is_over(ignore: Ignore, today: date) -> bool:
    return ignore.expires is not None and ignore.expires < today


def _suppressed(finding: Finding, ignore: Ignore, source: Source) -> Finding:
    reason = source.vault.mask(ignore.reason)
    return replace(finding, status=Status.SUPPRESSED, reason=reason, expires=str(ignore.expires or ""))


class _Comments:
    """Finds the comments that hold for a finding."""

    def __init__(self, comments: Iterable[Comment]) -> None:
        self._by_place: dict[tuple[str, str, int], list[Ignore]] = {}
        for comment in comments:
            ignore = comment.ignore
            for line in comment.lines:
                self._by_place.setdefault((ignore.rule, ignore.location.file, line), []).append(ignore)

    def matching(self, finding: Finding) -> list[Ignore]:
        place = finding.location
        return self._by_place.get((finding.rule, place.file, place.line), [])


class _Entries:
    """Finds the entries of the configuration that hold for a finding."""

    def __init__(self, ignores: tuple[Ignore, ...]) -> None:
        self._entries = [(ignore, pathspec.GitIgnoreSpec.from_lines([ignore.path])) for ignore in ignores]

    def matching(self, finding: Finding) -> list[Ignore]:
        return [
            ignore
            for ignore, paths in self._entries
            if ignore.rule == finding.rule
            and (not ignore.service or ignore.service == finding.service)
            and (not ignore.path or paths.match_file(finding.location.file))
        ]


_Problem = tuple[str, Location, str, str]
"""The rule, the place, the message, and what tells it from others of the file."""


def _problems(
    ignores: Iterable[Ignore], used: set[Ignore], today: date, checked: Callable[[str], bool]
) -> Iterator[_Problem]:
    for ignore in ignores:
        subject = f"{ignore.rule}/{ignore.path}/{ignore.service}/{ignore.reason}"
        if _is_over(ignore, today):
            yield (
                "suppression-expired",
                ignore.location,
                f"The suppression of {ignore.rule} ended {ignore.expires}.",
                subject,
            )
        elif ignore not in used and checked(ignore.rule):
            message = f"The suppression of {ignore.rule} matches no finding at this place."
            yield "suppression-unused", ignore.location, message, subject


def _malformed(comments: Iterable[Comment | Malformed]) -> Iterator[_Problem]:
    for comment in comments:
        if isinstance(comment, Malformed):
            message = f"This suppression holds for nothing: {comment.problem}."
            yield "suppression-malformed", comment.location, message, comment.problem


def _findings(problems: Iterable[_Problem], source: Source) -> Iterator[Finding]:
    seen: Counter[tuple[str, ...]] = Counter()
    for name, place, message, subject in problems:
        key = (name, place.file, subject)
        rule = catalogue()[name]
        yield Finding(
            rule=name,
            title=rule.title,
            message=source.vault.mask(message),
            severity=rule.severity,
            confidence=rule.confidence,
            area=rule.area,
            effort=rule.effort,
            location=place,
            recommendation=rule.documentation.recommendation,
            references=rule.documentation.references,
            fingerprint=hashlib.sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:16],
        )
        seen[key] += 1
