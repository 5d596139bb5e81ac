"""Mirrors of a folder that is on a disk of its own, made by a script that would make the folder where the disk isn't.

Follows https://rclone.org/commands/rclone_sync/ and the manual of rsync (https://download.samba.org/pub/rsync/rsync.1).
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.delivery import Pair
from auditlib.model import Location
from auditlib.patterns import regex

_ON_DISK = regex(
    r"^[ \t]*(?:(?:export|readonly|local|declare)[ \t]+)?(?P<name>[A-Za-z_]\w{0,80})=[\"']?"
    r"(?P<path>/(?:mnt|media|run/media|Volumes)/[\w.@/-]{1,300})[\"']?[ \t]*(?:#.*)?$"
)
_MIRROR = regex(
    r"(?:^|[;&|\s])(?:rclone\s+sync\s+(?:-\S+\s+){0,9}|rsync\s(?=[^|;&]{0,400}--delete)(?:-\S+\s+){1,20})"
    r"[\"']?\$\{?(?P<name>[A-Za-z_]\w{0,80})\b"
)
_MAKES = regex(r"(?:^|[;&|\s])mkdir\s[^;&|]{0,300}\$\{?(?P<name>[A-Za-z_]\w{0,80})\b")
_LOOKS = regex(
    r"\bmountpoint\b|\bfindmnt\b|/proc/(?:self/)?mounts|\bmount\s|\bis_mounted|\blsblk\b|\bdf\s|--backup-dir|"
    r"--max-delete|\.mounted\b|RequiresMountsFor"
)
_LINE = 2_000


def of_unmounted(file: str, text: str) -> Iterator[Pair]:
    """The calls that mirror a folder below `/mnt` or the like, which the script makes and never looks whether it is a
    mounted disk: each with the name of the variable, and its value.
    """
    if "sync" not in text or _LOOKS.search(text):
        return
    numbered = enumerate((line[:_LINE] for line in text.splitlines()), start=1)
    lines = [(number, line) for number, line in numbered if not line.lstrip().startswith("#")]
    paths = {found["name"]: found["path"] for _, line in lines if (found := _ON_DISK.match(line))}
    made = {found["name"] for _, line in lines for found in _MAKES.finditer(line)}
    for number, line in lines if made & set(paths) else ():
        found = _MIRROR.search(line)
        if found and found["name"] in made and found["name"] in paths:
            yield Pair(found["name"], paths[found["name"]], Location(file, number))
