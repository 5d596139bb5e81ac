"""hadolint: Dockerfiles (https://github.com/hadolint/hadolint); used where it is installed.

Its errors are medium and its warnings low, as they cost build time or reproducibility; notes on style are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source

_CHANGES = {
    "DL3004": ("sudo ", ""),
    "DL3014": ("apt-get install", "apt-get install -y"),
    "DL3015": ("apt-get install", "apt-get install --no-install-recommends"),
    "DL3019": ("apk add", "apk add --no-cache"),
    "DL3020": ("ADD ", "COPY "),
    "DL3027": ("apt ", "apt-get "),
    "DL3042": ("pip install", "pip install --no-cache-dir"),
}
"""The rules whose advice is the same in every line."""
_SEVERITY = {"error": Severity.MEDIUM, "warning": Severity.LOW}


def _wanted(source: Source) -> list[str]:
    return source.matching("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile")


def _parse(output: str) -> Iterator[Issue]:
    for item in json.loads(output):
        if item["level"] in _SEVERITY:
            code = item["code"]
            yield Issue(
                rule=code,
                title=f"hadolint {code}",
                message=item["message"],
                severity=_SEVERITY[item["level"]],
                confidence=Confidence.HIGH,
                area=Area.ORCHESTRATION,
                location=Location(item["file"], item["line"], item["column"]),
                recommendation=item["message"],
                references=(f"https://github.com/hadolint/hadolint/wiki/{code}",) if code.startswith("DL") else (),
                change=_CHANGES.get(code, ("", "")),
            )


SCANNER = Scanner(
    name="hadolint",
    wanted=_wanted,
    arguments=lambda files: ["--no-fail", "--format", "json", "--", *files],
    parse=_parse,
    homepage="https://github.com/hadolint/hadolint",
)
