"""compose-lint: hardening of containers after OWASP and CIS (https://github.com/tmatens/compose-lint).

Each Compose file is linted with the override beside it, without the repository's `.compose-lint.yml`, which could
switch rules off, and without its `.env` files, which our own rules read.

Severity is one step below compose-lint's: its rules tell what an intruder gains who is inside of a container already,
and our scale multiplies impact with exposure. Literal credentials (CL-0020, CL-0021) keep theirs, since nobody has to
break in first to read them. A read-only file system (CL-0007) and a digest beside a tag (CL-0019) are information:
good practice whose absence breaks nothing. Of programs whose purpose is access to their host (`host_access`) a finding
asks for the least that works, and is milder where the access is as their vendor documents it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from auditlib import stages
from auditlib.compose.discovery import is_compose_file
from auditlib.model import Area, Confidence, Effort, Location, Severity
from auditlib.patterns import regex
from auditlib.scanners import _hardening
from auditlib.scanners._scanner import Issue, OutputError, Scanner
from auditlib.source import Source

_SEVERITY = {
    "critical": Severity.HIGH,
    "high": Severity.MEDIUM,
    "medium": Severity.LOW,
    "low": Severity.INFO,
}
_OURS = {
    "CL-0007": Severity.INFO,
    "CL-0019": Severity.INFO,
    "CL-0020": Severity.HIGH,
    "CL-0021": Severity.HIGH,
}
_TITLES = {
    "CL-0001": "A container can reach the container runtime's socket",
    "CL-0002": "A container runs privileged",
    "CL-0003": "Processes may gain privileges inside the container",
    "CL-0004": "An image is not pinned to a version",
    "CL-0005": "A port is published on all interfaces",
    "CL-0006": "A container keeps all default capabilities",
    "CL-0007": "A container's file system is writable",
    "CL-0008": "A container uses the host's network",
    "CL-0009": "A security profile is switched off",
    "CL-0010": "A container shares a namespace of the host",
    "CL-0011": "A strong capability is added",
    "CL-0013": "A sensitive path of the host is mounted",
    "CL-0014": "Logging is switched off",
    "CL-0016": "A dangerous device of the host is given to a container",
    "CL-0017": "A mount propagates to the host",
    "CL-0018": "A container runs as root by declaration",
    "CL-0019": "An image's tag has no digest",
    "CL-0020": "A credential is a literal in a Compose file",
    "CL-0021": "A connection string holds a literal credential",
    "CL-0022": "A tmpfs mount allows execution or setuid programs",
    "CL-0024": "A capability that runs code on the host is added",
    "CL-0025": "A path as good as the host's root is mounted writable",
    "CL-0026": "A container has no resource limits",
    "CL-0027": "A capability with a bounded effect is added",
    "CL-0028": "A capability that sets the host's clock or watches its processes is added",
    "CL-0029": "A capability over what all of the host share is added",
    "CL-0030": "A capability that reads the kernel's log is added",
}
_ADVICE = {
    "CL-0001": "Don't mount the socket of the container runtime; put a proxy that allows little before it.",
    "CL-0003": "Set `security_opt: [no-new-privileges:true]`.",
    "CL-0004": "Write the version that runs today.",
    "CL-0005": "Publish the port on 127.0.0.1 alone, unless other hosts are to reach it.",
    "CL-0008": "Remove `network_mode: host`, and publish the ports at which others than its own network ask it.",
    "CL-0013": "Remove the bind mount, or mount the one file that is read; an image would keep what is secret.",
    "CL-0019": "Write the digest behind the tag, as `name:tag@sha256:…`.",
    "CL-0026": "Measure what the service needs, and set `deploy.resources.limits` for memory and processors.",
}
"""Where compose-lint's own first sentence speaks of "your service" or shows the lines of one."""
_PUBLIC = "Leave the port to other hosts if this is the proxy or a web server, else publish it on 127.0.0.1 alone."
"""Of 80 and 443 instead of the advice to close the port."""
_KEY = regex(r"^(?P<key>\w+):", re.M)
_CONFIGURATION = frozenset({"CL-0020", "CL-0021"})
_HEURISTIC = frozenset({"CL-0013", "CL-0020", "CL-0021"})
"""Rules that judge by a name; the others read what the file declares."""


def _wanted(source: Source) -> list[str]:
    found = (file for file in source.files if is_compose_file(PurePosixPath(file).name))
    return [file for file in found if not stages.is_retired(file)]


def _parse(output: str) -> Iterator[Issue]:
    document = json.loads(output)
    if document["tool"]["name"] != "compose-lint":
        raise OutputError
    for item in document["findings"]:
        if not item["suppressed"]:
            yield _issue(item)


def _issue(item: dict[str, Any]) -> Issue:
    rule, fix = item["rule_id"], item["fix"]
    return Issue(
        rule=rule,
        title=_TITLES.get(rule, f"compose-lint {rule}"),
        message=item["message"],
        severity=_OURS.get(rule, _SEVERITY[item["severity"]]),
        confidence=Confidence.MEDIUM if rule in _HEURISTIC else Confidence.HIGH,
        area=Area.CONFIGURATION if rule in _CONFIGURATION else Area.ORCHESTRATION,
        location=Location(item["file"].removeprefix("./"), item["line"] or 1),
        recommendation=_PUBLIC if _hardening.is_public(rule, fix) else _ADVICE.get(rule) or _advice(fix),
        references=tuple(reference for reference in item["references"] if reference.startswith("https://")),
        service=item["service"],
        effort=Effort.MEDIUM if rule in ("CL-0006", "CL-0007") else Effort.SMALL,
        example=_hardening.example(rule, item["service"], item["message"], fix),
        change=_hardening.change(rule, fix),
    )


def _advice(fix: str) -> str:
    """The first sentence, with the keys that the lines of YAML below it write."""
    keys = [f"`{match['key']}`" for match in _KEY.finditer(_hardening.own_lines(fix))]
    first = fix.partition("\n")[0]
    return f"{first} {', '.join(keys)}." if keys else first


SCANNER = Scanner(
    name="compose-lint",
    wanted=_wanted,
    arguments=lambda files: [
        "check", "--format=json", "--fail-on=critical", "--no-env", "--allow-partial-coverage",
        *(f"./{file}" for file in files),
    ],
    parse=_parse,
    exits=frozenset({0, 1, 2}),
    adapted=_hardening.adapted,
    homepage="https://github.com/tmatens/compose-lint",
)  # fmt: skip
"""It ends with 1 for findings, and with 2 also where one of several files can't be parsed, which our reader reports."""
