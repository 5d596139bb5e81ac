"""The content security policy of what we write: it may use what it brings, and fetch nothing."""

from __future__ import annotations

import base64
import hashlib


def of_scripts(*scripts: str) -> str:
    """The policy of a page that brings these scripts."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'unsafe-inline'",
            "img-src data:",
            f"script-src {allowed}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
