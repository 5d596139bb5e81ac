"""A Dockerfile fetches a Go program with `go get`, which installs none any more.

Since Go 1.18 `go get` changes go.mod alone; the program that the container calls later isn't there.

Anti-pattern:

    FROM golang:1.23
    RUN go get github.com/air-verse/air
    CMD ["air"]

Better:

    RUN go install github.com/air-verse/air@v1.61.7

Recommendation:

    Install the program with `go install` and a version.

References:

- https://go.dev/doc/go1.18#go-get
- https://go.dev/doc/go-get-install-deprecation
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_VERSION = regex(r"1\.(\d+)")
_LAST_TO_INSTALL = 17
_MAJOR = regex(r"/v\d+$")
_CALLS = frozenset({"RUN", "CMD", "ENTRYPOINT"})


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every program that a stage fetches in this way and calls, where nothing else installs it."""
    for file in inventory.dockerfiles:
        recent = {stage.name for stage in file.stages if _is_recent(stage.base)}
        for item in file.instructions:
            for command in item.commands if item.keyword == "RUN" and item.stage in recent else ():
                for package in _fetched(command):
                    yield from _uses(file, item, package)


def _is_recent(base: str) -> bool:
    """Whether a stage starts from an image of Go 1.18 or later; one without a version is the newest."""
    if images.repository(base) not in ("golang", "library/golang") or "$" in base:
        return False
    version = _VERSION.match(images.tag(base))
    return int(version[1]) > _LAST_TO_INSTALL if version else not images.tag(base)[:1].isdigit()


def _fetched(command: Command) -> Iterator[str]:
    if command.words[:2] == ("go", "get") and not {"-d", "-t"} & set(command.words):
        yield from (word for word in command.words[2:] if "/" in word and not word.startswith(("-", ".")))


def _uses(file: Dockerfile, fetch: Instruction, package: str) -> Iterator[Evidence]:
    """The first call of the program in the same stage."""
    name = _MAJOR.sub("", package.partition("@")[0]).rpartition("/")[2]
    stage = [item for item in file.instructions if item.stage == fetch.stage]
    text = " ".join(item.argument for item in stage)
    others = re.search(rf"go install\b[^&;|]*/{re.escape(name)}\b|GO111MODULE|/bin/{re.escape(name)}\b", text)
    calls = [item for item in stage if item.keyword in _CALLS and any(_is_called(name, c) for c in item.commands)]
    if calls and not others:
        yield Evidence(
            f"{file.path} fetches {name} with `go get`, which installs no program since Go 1.18: {name}, which "
            f"{calls[0].keyword} calls, isn't there.",
            fetch.location,
            subject=f"{file.path}/{name}",
            related=(Related(calls[0].location, f"calls {name}"),),
            recommendation=f"Write `go install {package.partition('@')[0]}@VERSION` in place of `go get`.",
            example=files.into(file.path, f"RUN go install {package.partition('@')[0]}@<version>"),
        )


def _is_called(name: str, command: Command) -> bool:
    return command.words[:1] == (name,) or command.words[:2] == ("exec", name)
