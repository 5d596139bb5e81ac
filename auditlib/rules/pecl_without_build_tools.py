"""An extension of PHP is compiled in an image that has no compiler.

The Alpine images of PHP take `autoconf`, `gcc` and `make` away again when they are made, and `docker-php-ext-install`
does the same after each use. `pecl install` brings none of them along: it ends with "Cannot find autoconf", and the
image can't be built.

Anti-pattern:

    FROM php:8.3-fpm-alpine
    RUN pecl install redis && docker-php-ext-enable redis

Better:

    FROM php:8.3-fpm-alpine
    RUN apk add --no-cache --virtual .build $PHPIZE_DEPS \\
     && pecl install redis && docker-php-ext-enable redis \\
     && apk del .build

Recommendation:

    Install `$PHPIZE_DEPS` for the time of the compilation.

References:

- https://hub.docker.com/_/php
- https://github.com/docker-library/php/blob/master/Dockerfile-linux.template
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Instruction
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TOOLS = regex(r"PHPIZE_DEPS|\bautoconf\b|install-php-extensions|\.sh\b|\bmake\s")
"""What brings the tools, or may."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first `pecl install` of each stage of an Alpine image of PHP in which nothing installs `autoconf`."""
    for file in inventory.dockerfiles:
        for stage in file.stages:
            alpine = images.repository(stage.base) in ("php", "library/php") and "alpine" in images.tag(stage.base)
            steps = [item for item in file.instructions if item.stage == stage.name and item.keyword == "RUN"]
            command = _compiling(steps) if alpine else None
            if command is not None:
                yield _evidence(command, stage.base)


def _compiling(steps: list[Instruction]) -> Command | None:
    for step in steps:
        if _TOOLS.search(step.argument):
            return None
        for command in step.commands:
            if command.words[:2] == ("pecl", "install") and not command.cannot_fail:
                return command
    return None


def _evidence(command: Command, base: str) -> Evidence:
    call = " ".join(command.words)
    return Evidence(
        f"`{call}` compiles an extension, and {base} has neither autoconf nor a compiler: the image can't be built.",
        command.location,
        subject=f"{command.location.file}/{call}",
        recommendation=f"Install `$PHPIZE_DEPS` before `{call}`, and remove it afterwards.",
        example=files.into(
            command.location.file,
            f"RUN apk add --no-cache --virtual .build $PHPIZE_DEPS \\\n && {call} \\\n && apk del .build",
        ),
    )
