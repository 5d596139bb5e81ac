"""Files that Git tracks although a `.gitignore` leaves them out, where Git's index tells which it tracks."""

from __future__ import annotations

from auditlib.inventory.delivery import KeptFile
from auditlib.model import Location
from auditlib.readers.reading import Reading
from auditlib.source import Source


def read(source: Source) -> Reading:
    """A record for each. It reports no coverage: the files belong to other readers."""
    return Reading([KeptFile(path, by, Location(path)) for path, by in source.tracked_though_ignored])
