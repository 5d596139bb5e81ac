"""hadolint: Dockerfiles (https://github.com/hadolint/hadolint); used where it is installed.

Its errors are medium where the build fails or does something else than what is meant, and else as low as its warnings,
which cost build time or reproducibility; notes on style are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditlib import stages
from auditlib.model import Area, Confidence, Location, Severity
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source

if TYPE_CHECKING:
    from auditlib.inventory import Inventory

_CHANGES = {
    "DL3004": ("sudo ", ""),
    "DL3014": ("apt-get install", "apt-get install -y"),
    "DL3020": ("ADD ", "COPY "),
    "DL3027": ("apt ", "apt-get "),
    "DL3042": ("pip install", "pip install --no-cache-dir"),
}
"""The rules whose advice is the same in every line."""
_SEVERITY = {"error": Severity.MEDIUM, "warning": Severity.LOW}
_HARMLESS = frozenset({"DL3000", "DL3004", "DL3012", "DL3020", "DL4000"})
"""Errors by hadolint's reckoning with which the image is built as it is meant to be."""
_NEWEST = "Packages are installed in the version that is newest on the day of the build"
_WAITS = "A package manager waits for an answer during the build"
_CACHED = "The cache of a package manager stays in the image"
_WORDS = {
    "DL1000": ("A Dockerfile can't be parsed", "Correct the line, at which the build stops."),
    "DL3000": ("A working directory is relative", "Begin the path of `WORKDIR` with a slash."),
    "DL3002": ("The last user of an image is root", "Name another `USER` after the last step that needs root."),
    "DL3003": ("A build step changes its folder by cd", "Set the folder by `WORKDIR` before the step."),
    "DL3004": ("A build step uses sudo", "Remove `sudo`, as a build is root until `USER`."),
    "DL3006": ("A base image names no version", "Write the version that is built with today."),
    "DL3007": ("A base image has a tag that moves", "Write the version that is built with today."),
    "DL3008": (_NEWEST, "Write the versions that are installed today, as `<package>=<version>`."),
    "DL3011": ("A port that doesn't exist is exposed", "Write a port from 0 to 65535."),
    "DL3012": ("A stage has several health checks", "Keep one `HEALTHCHECK`, as only the last one counts."),
    "DL3013": (_NEWEST, "Write the versions that are installed today, or install from a file that has them."),
    "DL3014": (_WAITS, "Add `-y` to `apt-get install`."),
    "DL3016": (_NEWEST, "Write the versions that are installed today, as `<package>@<version>`."),
    "DL3018": (_NEWEST, "Write the versions that are installed today, as `<package>=~<version>`."),
    "DL3020": ("ADD copies plain files", "Use `COPY`."),
    "DL3021": ("Several files are copied to what is no folder", "End the target of `COPY` with a slash."),
    "DL3022": ("COPY takes from a stage that isn't there", "Name a stage above, or an image with its version."),
    "DL3025": ("A command has the shell form", "Write the command as a JSON array."),
    "DL3027": ("A build step uses apt, which is made for people", "Use `apt-get`."),
    "DL3028": (_NEWEST, "Write the versions that are installed today, as `<gem>:<version>`."),
    "DL3029": ("A base image is tied to one platform", "Remove `--platform`, and leave it to whoever builds."),
    "DL3030": (_WAITS, "Add `-y` to `yum install`."),
    "DL3032": (_CACHED, "End the step with `yum clean all`."),
    "DL3033": (_NEWEST, "Write the versions that are installed today, as `<package>-<version>`."),
    "DL3034": (_WAITS, "Add `-y` to `zypper install`."),
    "DL3036": (_CACHED, "End the step with `zypper clean`."),
    "DL3037": (_NEWEST, "Write the versions that are installed today, as `<package>=<version>`."),
    "DL3038": (_WAITS, "Add `-y` to `dnf install`."),
    "DL3040": (_CACHED, "End the step with `dnf clean all`."),
    "DL3041": (_NEWEST, "Write the versions that are installed today, as `<package>-<version>`."),
    "DL3042": (_CACHED, "Add `--no-cache-dir` to `pip install`."),
    "DL3043": ("ONBUILD triggers an instruction that it can't", "Write the instruction without `ONBUILD`."),
    "DL3044": ("A variable is used in the line that sets it", "Set the variable by an `ENV` of its own before."),
    "DL4000": ("MAINTAINER is deprecated", "Use the label `org.opencontainers.image.authors`."),
    "DL4001": ("An image uses both wget and curl", "Use one of them for all downloads."),
    "DL4006": ("A pipe hides the failure of a build step", "Switch `pipefail` on by `SHELL` before the step."),
}
"""By rule a title that names the fault, and the advice; hadolint has one text for both."""
_MANUALS = {"DL": "https://github.com/hadolint/hadolint/wiki/{}", "SC": "https://www.shellcheck.net/wiki/{}"}


def _wanted(source: Source) -> list[str]:
    found = source.matching("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile")
    return [file for file in found if not stages.is_retired(file)]


def _parse(output: str) -> Iterator[Issue]:
    return (_issue(item) for item in json.loads(output) if item["level"] in _SEVERITY)


def _issue(item: dict[str, Any]) -> Issue:
    code, message = item["code"], item["message"]
    title, advice = _WORDS.get(code, (message.partition(". ")[0].rstrip("."), message))
    manual = _MANUALS.get(code[:2], "").format(code)
    return Issue(
        rule=code,
        title=title,
        message=message,
        severity=Severity.LOW if code in _HARMLESS else _SEVERITY[item["level"]],
        confidence=Confidence.HIGH,
        area=Area.ORCHESTRATION,
        location=Location(item["file"], item["line"], item["column"]),
        recommendation=advice,
        references=(manual,) if manual else (),
        change=_CHANGES.get(code, ("", "")),
    )


def _without_probes(issues: list[Issue], inventory: Inventory, source: Source) -> list[Issue]:
    """The issues without the shell form of health checks, which hadolint takes for that of the image's command."""
    probes = {
        (file.path, item.location.line)
        for file in inventory.dockerfiles
        for item in file.instructions
        if item.keyword == "HEALTHCHECK"
    }
    return [item for item in issues if item.rule != "DL3025" or (item.location.file, item.location.line) not in probes]


SCANNER = Scanner(
    name="hadolint",
    wanted=_wanted,
    arguments=lambda files: ["--no-fail", "--format", "json", "--", *files],
    parse=_parse,
    adapted=_without_probes,
    homepage="https://github.com/hadolint/hadolint",
)
