"""The forms in which findings leave: one module each, with `render(audit) -> str`."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING

from auditlib.patterns import regex

if TYPE_CHECKING:
    from auditlib.audit import Audit
    from auditlib.model import Finding

MODULES = {
    "text": "plain_text",
    "json": "json_document",
    "csv": "csv_table",
    "markdown": "markdown",
    "sarif": "sarif",
    "junit": "junit",
    "github": "github",
}


def render(audit: Audit, name: str) -> str:
    """The findings of an audit in the form of this name (a key of `MODULES`)."""
    rendered: str = importlib.import_module(f"{__name__}.{MODULES[name]}").render(audit)
    return rendered


def visible(text: str) -> str:
    """`text` with control characters spelled out, so that a repository can't steer a terminal."""
    return "".join(
        character if character.isprintable() or character == "\t" else character.encode("unicode_escape").decode()
        for character in text
    )


_HIGH_CONTROLS = regex(r"[\x7f-\x9f]")


def json_text(document: object) -> str:
    """A document as JSON for people and programs: in UTF-8, but no control character as it is."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _HIGH_CONTROLS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text) + "\n"


def suppression(finding: Finding) -> str:
    """Why a suppressed finding is, and until when."""
    until = f" (until {finding.expires})" if finding.expires else ""
    return f"{finding.reason}{until}"


def no_findings(read: int, suppressed: str = "") -> str:
    """That nothing was found, and in how many files; no file that was read tells nothing."""
    if not read:
        return f"No findings{suppressed}, as no file was read."
    return f"No findings{suppressed} in the {f'{read} files that were' if read > 1 else 'one file that was'} read."
