"""Findings as runs remember them, made up for property tests."""

from hypothesis import strategies as st

from auditlib.entries import Entry, Place
from auditlib.model import Area, Severity, Status


def places(words):
    """The related places of a finding."""
    return st.lists(st.builds(Place, words, words, st.booleans()), max_size=4).map(tuple)


def entries(words, fingerprints):
    """Findings with these words, no two with the same fingerprint."""
    one = st.builds(
        Entry,
        fingerprint=fingerprints,
        rule=words,
        severity=st.sampled_from(Severity),
        area=st.sampled_from(Area),
        title=words,
        message=words,
        file=words,
        line=st.integers(1, 10**6),
        service=words,
        status=st.sampled_from(Status),
        places=places(words),
    )
    return st.lists(one, max_size=6, unique_by=lambda entry: entry.fingerprint)
