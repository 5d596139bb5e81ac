"""detect-secrets: committed secrets (https://github.com/Yelp/detect-secrets); used where it is installed.

Only formats of providers count: its detectors by entropy and by keyword are right too seldom, and our own rules read
the names. It is told to verify nothing, as that would send what it finds to the provider. It reports no value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source

_UNSURE = frozenset(
    {"Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword", "Basic Auth Credentials"}
)
_CONFIGURATION = ("*.yml", "*.yaml", "*.toml", "*.json", "*.ini", "*.cfg", "*.conf", "*.env", ".env*", "*.sh", "*.py")


def _parse(output: str) -> Iterator[Issue]:
    for file, items in json.loads(output)["results"].items():
        for item in items:
            if item["type"] not in _UNSURE:
                yield Issue(
                    rule=item["type"].lower().replace(" ", "-"),
                    title="A secret is committed",
                    message=f"This line holds what looks like a secret of the kind “{item['type']}”.",
                    severity=Severity.HIGH,
                    confidence=Confidence.MEDIUM,
                    area=Area.CONFIGURATION,
                    location=Location(file.removeprefix("./"), item["line_number"]),
                    recommendation="Revoke the secret, then pass its successor by environment or secret store.",
                    references=("https://github.com/Yelp/detect-secrets",),
                )


def _wanted(source: Source) -> list[str]:
    return source.matching(*_CONFIGURATION)


SCANNER = Scanner(
    name="detect-secrets",
    wanted=_wanted,
    arguments=lambda _: ["scan", "--no-verify", "--all-files", "."],
    parse=_parse,
    homepage="https://github.com/Yelp/detect-secrets",
)
