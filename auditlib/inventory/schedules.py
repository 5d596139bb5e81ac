"""Records of what a host starts by itself: lines for cron, units of systemd."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.delivery import Pair
from auditlib.model import Location


class CronLine(Struct, frozen=True):
    """A line of a table for cron, in a file of its own, a document, a script that installs it, or a script's comment.

    `kind` is `file`, `document`, `script` or `comment`.
    """

    schedule: str
    command: str
    user: str
    """The user of a system's table (`/etc/cron.d`); empty where the line names none."""
    kind: str
    location: Location
    shell: str = ""
    """The shell that its file sets by `SHELL=`; empty for `/bin/sh`."""


class Unit(Struct, frozen=True):
    """A unit of systemd, in a file of its own, or as a document or a script has it written.

    `settings` are its lines, each by section and name (`Service.ExecStart`), values masked.
    """

    name: str
    """`shop.service`; empty where nothing tells it."""
    kind: str
    settings: tuple[Pair, ...]
    location: Location

    def values(self, name: str) -> list[Pair]:
        """The settings of one name, in their order."""
        return [item for item in self.settings if item.name == name]

    def value(self, name: str) -> str:
        """What counts of a setting that has one value: the last."""
        found = self.values(name)
        return found[-1].value if found else ""
