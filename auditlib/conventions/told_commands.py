"""The commands of a repository, whether programs call them or documents tell people to."""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.model import Location


class Told(Struct, frozen=True):
    """A command in its words; `by_document` where only a reader calls it."""

    words: tuple[str, ...]
    location: Location
    by_document: bool = False

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(self.words)

    @property
    def caller(self) -> str:
        """Who calls it, as the subject of a sentence."""
        return f"{self.location.file} has its readers call" if self.by_document else f"{self.location.file} calls"


@answered_once
def everywhere(inventory: Inventory) -> tuple[Told, ...]:
    """Those of programs first, then those of documents, each in the order of the files; what is only printed apart."""
    called = [item for item in deployment.commands(inventory) if not deployment.prints(item)]
    remote = [item for step in inventory.steps for item in step.remote]
    return (
        *(Told(item.words, item.location) for item in (*called, *remote)),
        *(Told(tuple(item.text.split()), item.location, True) for document in inventory.documents
          for item in document.mentions if item.kind in ("command", "call")),
    )  # fmt: skip
