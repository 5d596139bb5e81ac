"""Releases on GitHub, and what makes one.

Sources: https://cli.github.com/manual/gh_release_create and the pages of the actions named here.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory.delivery import Step
from auditlib.model import Location
from auditlib.patterns import regex

_ACTION = regex(r"^(?:softprops/action-gh-release|ncipollo/release-action|actions/create-release)@")
_COMMAND = regex(r"^gh\s+release\s+create\b")


class Release(Struct, frozen=True):
    """A place that makes a release; nobody but the repository's own people sees a `draft`."""

    location: Location
    draft: bool
    tag: str = ""
    """Its tag as it is written; empty where it isn't."""


def of_step(step: Step) -> Iterator[Release]:
    """The releases that a step makes, by an action or by commands."""
    if _ACTION.search(step.uses):
        inputs = {pair.name: pair.value for pair in step.inputs}
        tag = inputs.get("tag_name") or inputs.get("tag", "")
        yield Release(step.location, inputs.get("draft") == "true", tag)
    for command in step.commands:
        if _COMMAND.search(" ".join(command.words)):
            given = [word for word in command.words[3:4] if not word.startswith("-")]
            yield Release(command.location, "--draft" in command.words, "".join(given))
