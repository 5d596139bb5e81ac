"""Values and variables that open an application: debugging, and the origins whose pages may call it.

Sources: the settings of Django, Flask, Laravel and Rails for debugging; django-cors-headers, Flask-CORS and FastAPI's
template for origins; https://www.rfc-editor.org/rfc/rfc2606 for domains that are reserved for examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditlib.inventory.configuration import SwitchComparison
from auditlib.patterns import regex

_DEBUG = regex(r"(?:^|_)(?:DEBUG|DEBUG_MODE)$")
_MODES = frozenset({"GIN_MODE"})
"""https://pkg.go.dev/github.com/gin-gonic/gin#SetMode"""
_ORIGINS = regex(r"CORS|(?:^|_)(?:ALLOWED|ALLOW|TRUSTED)_ORIGINS?$|(?:^|_)ORIGINS$")
_PLACEHOLDER_DOMAIN = regex(
    r"your[-_]?(?:\w+[-_]?)?(?:domain|site|app|company|frontend|host|url)|(?:^|[./@])example\.(?:com|org|net)|my[-_]?domain|"
    r"(?:^|[./])(?:domain|mysite|mydomain|yoursite)\.(?:com|org|net|tld)|placeholder|change[-_]?me|replace[-_]?me|<[^>]+>|todo",
    re.I,
)


def is_debug_switch(variable: str) -> bool:
    """Whether a variable of this name turns debugging on (`DEBUG`, `FLASK_DEBUG`)."""
    return bool(_DEBUG.search(variable.upper()))


def is_on(value: str) -> bool:
    """Whether a value means yes."""
    return value.strip().strip("\"'").lower() in ("true", "1", "yes", "on")


def is_debug_mode(variable: str, value: str) -> bool:
    """Whether a variable chooses a framework's mode for debugging (`GIN_MODE=debug`)."""
    return variable.upper() in _MODES and value.strip().strip("\"'").lower() == "debug"


def counts_as_off(value: str, compared: Iterable[SwitchComparison]) -> bool:
    """Whether a value means yes, in a spelling that none of the code that compares it takes."""
    taken = {item.value for item in compared}
    return bool(taken) and is_on(value) and value not in taken


def names_origins(variable: str) -> bool:
    """Whether a variable of this name holds the origins of CORS."""
    return bool(_ORIGINS.search(variable.upper()))


def origins(value: str) -> list[str]:
    """The origins of a list in any of its spellings: JSON, separated by commas or spaces."""
    return [part for part in re.split(r"[\s,\[\]\"';]+", value) if part]


def is_placeholder_domain(origin: str) -> bool:
    """Whether an origin is one that somebody was meant to replace (`https://your-domain.com`)."""
    return bool(_PLACEHOLDER_DOMAIN.search(origin))
