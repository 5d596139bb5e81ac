"""What Git leaves out of the repository, by each `.gitignore` (https://git-scm.com/docs/gitignore)."""

from __future__ import annotations

from auditlib.inventory.delivery import GitIgnore
from auditlib.model import Location
from auditlib.readers.reading import Reading
from auditlib.source import Source


def read(source: Source) -> Reading:
    """A record for each. It reports no coverage: the listing of the files has read them already."""
    files = [file for file in source.files if file.rpartition("/")[2] == ".gitignore"]
    return Reading([GitIgnore(file, tuple(source.glance(file).splitlines()), Location(file)) for file in files])
