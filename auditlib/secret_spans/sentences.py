"""Finds the bare word that a sentence tells of a password: `the default password is …`."""

from __future__ import annotations

import re

from auditlib.patterns import regex
from auditlib.secret_spans import literals

_TOLD = regex(
    r"""[ \t]{1,9}(?:is|was|=)(?::|[ \t]by[ \t]default|[ \t]set[ \t]to)?[ \t]{1,9}"""
    r"""[*_]{0,3}(?P<value>[^\s"'`<>*=|]{3,200}?)[*_]{0,3}"""
    r"""(?=[.,;!)]{0,3}(?:\s*$|[ \t]+(?:\*/|-->|by[ \t]default))|[.,;!)]{1,3}\s)""",
    re.M,
)
"""The sentence, or its clause, ends with the word, for what goes on says something of passwords."""
_ORDINARY = regex(
    r"[a-z]+(?:ed|en|ing|able|ible|ly|al|ory|ful|less|ous|ive|ent|ant|text)"
    r"|(?:in|un)?(?:valid|correct|secure|safe|known|set)|[a-z]*(?:short|long|weak|strong)|wrong|right|empty|blank|secret|unique"
    r"|random|false|true|reset|kept|sent|lost|put|here|there|below|above|hash|yours|ours|mine|same|new|old|okay|bad|good|fine"
    r"|gone|what|which|why|how|not|only|also|void|stale|out|off|static|public|private|default|both|one|two|this|that"
    r"|enough|null|none|nil|undefined|dynamic|plain|visible|invisible",
    re.I,
)
"""What sentences say of any password."""
_COMMENT = regex(r"#|//|/\*|^\s*\*|--")


def told(text: str, begin: int, end: int, code: bool) -> re.Match[str] | None:
    """The match whose group `value` is the password, of a name from `begin` to `end`; in code only in a comment."""
    match = _TOLD.match(text, end)
    if match is None or _ORDINARY.fullmatch(match["value"].rstrip(":")):
        return None
    commented = not code or _COMMENT.search(text[literals.line_start(text, begin) : begin])
    return match if commented else None
