"""A mirror is made of a disk that nobody knows to be mounted.

`rclone sync` and `rsync --delete` make the copy like the source. Where the disk isn't mounted, the script makes an
empty folder in its place, and the next call deletes everything in the copy, just when it may be needed.

Anti-pattern:

    ARCHIVE=/mnt/disk/backups
    mkdir -p "$ARCHIVE/weekly"
    rclone sync "$ARCHIVE" remote:backups

Better:

    ARCHIVE=/mnt/disk/backups
    mountpoint -q /mnt/disk || exit 1
    mkdir -p "$ARCHIVE/weekly"
    rclone copy "$ARCHIVE" remote:backups

Recommendation:

    Ask by `mountpoint -q` first, and copy instead of mirroring, or keep what is deleted (`--backup-dir`).

References:

- https://rclone.org/commands/rclone_sync/
- https://rclone.org/docs/#backup-dir-string
- https://man7.org/linux/man-pages/man1/mountpoint.1.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script that makes such mirrors."""
    for script in inventory.scripts:
        if script.unmounted_mirrors and not environments.is_for_development(script.path):
            yield _evidence(script)


def _evidence(script: Script) -> Evidence:
    first, *others = script.unmounted_mirrors
    disk = "/".join(first.value.split("/")[:3])
    return Evidence(
        f"{script.path} mirrors {first.value}, which it makes itself where it isn't there: if {disk} is a disk and not "
        "mounted, the empty folder is mirrored, and everything in the copy deleted.",
        first.location,
        subject=script.path,
        related=tuple(Related(item.location, f"mirrors {item.value}", member=True) for item in others),
        recommendation=f"Ask by `mountpoint -q {disk}` first, and keep what is deleted (`--backup-dir`).",
        example=files.into(script.path, f'mountpoint -q {disk} || {{ echo "{disk} is not mounted" >&2; exit 1; }}'),
    )
