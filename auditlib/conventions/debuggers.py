"""Debuggers that wait for a connection from other hosts, by the options with which a program is started.

Sources: https://docs.oracle.com/en/java/javase/21/docs/specs/jpda/conninv.html,
https://nodejs.org/en/learn/getting-started/debugging#security-implications, https://github.com/microsoft/debugpy and
https://github.com/go-delve/delve/blob/master/Documentation/usage/dlv.md.
"""

from __future__ import annotations

from auditlib.patterns import regex

_EVERYWHERE = r"(?:\*|0\.0\.0\.0|\[::\])"
_OPEN = (
    ("Java", regex(rf"jdwp[=:]\S{{0,200}}?address={_EVERYWHERE}:(?P<port>\d{{2,5}})")),
    ("Node.js", regex(rf"--inspect(?:-brk|-wait)?={_EVERYWHERE}(?::(?P<port>\d{{2,5}}))?")),
    ("debugpy", regex(rf"\bdebugpy\b.{{0,100}}--listen[= ]{_EVERYWHERE}:(?P<port>\d{{2,5}})")),
    ("Delve", regex(rf"\bdlv\b.{{0,200}}--listen[= ]{_EVERYWHERE}?:(?P<port>\d{{2,5}})")),
)
_USUAL = "9229"
"""The port of Node.js, where none is named."""


def opened(text: str) -> tuple[str, str, str] | None:
    """What is debugged, the option that opens it to other hosts, and the port; None where nothing of a text does."""
    for name, pattern in _OPEN:
        if match := pattern.search(text):
            return name, match[0].split()[-1], match["port"] or _USUAL
    return None
