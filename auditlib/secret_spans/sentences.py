"""Finds the bare word that a sentence tells of a password: `the default password is …`, `use … as the password`."""

from __future__ import annotations

import re

from auditlib.patterns import regex
from auditlib.secret_spans import literals

_END = r"[.,;!)]{0,3}(?:\s*$|[ \t]+(?:\*/|-->|by[ \t]default))|[.,;!)]{1,3}\s"
"""The sentence, or its clause, ends with the word, for what goes on says something of passwords."""
_IS = regex(
    r"""(?:[ \t](?:for|of)[ \t](?:the[ \t])?[\w.@"'`-]{1,40}(?:[ \t](?:user|account))?)?"""
    r"""[ \t]{1,9}(?:is|was|=)(?::|[ \t]by[ \t]default|[ \t]set[ \t]to)?[ \t]{1,9}"""
    rf"""[*_]{{0,3}}(?P<value>[^\s"'`<>*=|]{{3,200}}?)[*_]{{0,3}}(?={_END})""",
    re.M,
)
_NEXT = regex(
    rf"""[ \t]{{1,9}}(?P<value>[^\s"'`<>*=|:(]{{3,200}}?)(?={_END}|[ \t](?:to|and|at|on|for|when|if)[ \t])""", re.M
)
"""The word that follows at once, which only says a password where somebody is told to use it."""
_TOLD_TO_USE = regex(
    r"""\b(?:(?:use|using|enter|type|with|supply|give|provide)"""
    r"""|(?:user(?:name)?|login|account|as)[ ]["'`*]{0,3}[\w.@-]{1,40}["'`*]{0,3}(?:,|[ ]/|[ ]and|[ ]with))"""
    r"""[ ](?:(?:the|this|default|initial|admin|same|following)[ ]){0,3}\Z""",
    re.I,
)
_BRACKETED = regex(r"""[ ]\((?P<value>[^\s"'`<>*=|()]{3,100})\)""")
_DEFAULT = regex(r"\b(?:default|initial|admin|root|demo|temporary)[ ]\Z", re.I)
_DASHED = regex(r"""["'`*_]{0,3}[ \t]{1,9}(?:[-–—→]|->)[ \t]{1,9}(?P<value>[^\s"'`<>*=|]{3,100})[ \t]*$""", re.M)
_LABEL = regex(r"""[\s>*#-]*(?:["'`*_]{0,3})(?:\w{1,20}[ ])?""")
_AS_PASSWORD = regex(
    r"""\b(?:use|using|enter|type|set|with|give)[ ]["'`*]{0,3}(?P<value>[^\s"'`<>*=|]{3,100})["'`*]{0,3}[ ]as[ ]"""
    r"""(?:(?:the|your|a|an|default|initial|admin|its)[ ]){0,3}\Z""",
    re.I,
)
_ORDINARY = regex(
    r"[a-z]+(?:ed|en|ing|able|ible|ly|al|ory|ful|less|ous|ive|ent|ant|text|tion|sion|ment|ness)"
    r"|(?:in|un)?(?:valid|correct|secure|safe|known|set)|[a-z]*(?:short|long|weak|strong)|wrong|right|empty|blank|secret|unique"
    r"|random|false|true|reset|kept|sent|lost|put|here|there|below|above|hash|yours|ours|mine|same|new|old|okay|bad|good|fine"
    r"|gone|what|which|why|how|not|only|also|void|stale|out|off|static|public|private|default|both|one|two|this|that"
    r"|enough|null|none|nil|undefined|dynamic|plain|visible|invisible|it|them|these|those|for|from|you|your|again|stored?"
    r"|managers?|fields?|box|form|page|dialog|prompts?|polic(?:y|ies)|rules?|hash(?:es)?|files?|generator|vault|store|safe"
    r"|prefix|suffix|flow|grant|mode|type|value|variables?|option|flag|argument|parameter|input|output|link|button|screen|tab"
    r"|menu|helper|checker|validator|strength|length|history|rotation|recovery|changes?|updates?|auth|login|logins|lookup"
    r"|hint|hints|token|key|string|command|tool|section|setting|settings|entry|backend|provider|service|server|database"
    r"|column|table|header|cache|and|or|to|is|are|was|in|on|at|with|without|when|where|if|must|can|may|should|will",
    re.I,
)
"""What sentences say of any password."""
_COMMENT = regex(r"#|//|/\*|^\s*\*|--")


def told(text: str, begin: int, end: int, code: bool) -> re.Match[str] | None:
    """The match whose group `value` is the password, of a name from `begin` to `end`; in code only in a comment."""
    match = _after(text, begin, end) or _AS_PASSWORD.search(text, max(0, begin - 150), begin)
    if match is None or _ORDINARY.fullmatch(match["value"].rstrip(":")):
        return None
    commented = not code or _COMMENT.search(text[literals.line_start(text, begin) : begin])
    return match if commented else None


def _after(text: str, begin: int, end: int) -> re.Match[str] | None:
    """What stands after the name in a form that tells its value."""
    if match := _IS.match(text, end):
        return match
    if (match := _NEXT.match(text, end)) and _TOLD_TO_USE.search(text, max(0, begin - 120), begin):
        return match
    if (match := _BRACKETED.match(text, end)) and _DEFAULT.search(text, max(0, begin - 20), begin):
        return match
    match = _DASHED.match(text, end)
    return match if match and _LABEL.fullmatch(text, literals.line_start(text, begin), begin) else None
