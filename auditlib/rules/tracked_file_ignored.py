"""Git tracks a file that `.gitignore` leaves out.

A line in `.gitignore` doesn't take a file out that was committed before. Who trusts the line writes a secret into the
file, and commits it; and whoever moves the file or adds it anew loses it without notice, and with it what builds on it.

Anti-pattern:

    # .gitignore, and the file is committed
    src/main/resources/application-prod.properties

Better:

    git rm --cached src/main/resources/application-prod.properties   # or take the line out of .gitignore

Recommendation:

    Decide whether the file belongs into the repository: take the line out, or the file.

References:

- https://git-scm.com/docs/gitignore#_notes
- https://git-scm.com/docs/git-rm
"""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import KeptFile
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_ON_PURPOSE = regex(
    r"(?:^|/)(?:\.gitkeep|\.keep|\.gitignore|\.gitattributes|\.vscode|\.idea|\.editorconfig|vendor|third_party)(?:/|$)"
)
"""What people add in spite of a pattern for the folder: what keeps it, and what an editor is to know."""
_AWAY = "Take the private keys out of Git, and replace those that open something, as the history keeps them."
_SECRET = regex(
    r"\.(?:pem|key|p12|pfx|jks|keystore|tfstate|tfvars|sqlite3?|db|kdbx)$|(?:^|/)id_(?:rsa|dsa|ed25519|ecdsa)$"
)
_KEY = regex(r"(?:^|/)(?:private[-_]?key|id_(?:rsa|dsa|ed25519|ecdsa))$|\.(?:p12|pfx|jks|keystore|kdbx|ppk)$")
"""What by its name holds a private key, and nothing else."""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each `.gitignore` one finding for all tracked files that it leaves out, environment files apart."""
    of_environment = {file.path for file in inventory.env_files}
    found: defaultdict[str, list[KeptFile]] = defaultdict(list)
    for item in inventory.kept_files:
        if item.path not in of_environment and not _ON_PURPOSE.search(item.path):
            found[item.ignored_by].append(item)
    for ignored_by, items in found.items():
        yield _evidence(inventory, ignored_by, sorted(items, key=lambda item: _rank(item.path)))


def _rank(path: str) -> int:
    """What comes first: private keys, then what may be a secret or hold one."""
    return 0 if _KEY.search(path) else (1 if _SECRET.search(path) else 2)


def _is_needed(inventory: Inventory, path: str) -> bool:
    """Whether a program reads the file, or a container is given it, so that a checkout without it lacks something."""
    read = (item.location.file for item in inventory.settings)
    given = (mount.source for service in inventory.services for mount in service.mounts)
    return path in {*read, *given}


def _evidence(inventory: Inventory, ignored_by: str, items: list[KeptFile]) -> Evidence:
    first, *others = items
    needed = _is_needed(inventory, first.path)
    them = "it" if not others else "them"
    folder = posixpath.dirname(ignored_by)
    named = listed(item.path for item in items)
    keys = [item for item in items if _KEY.search(item.path)]
    paths = " ".join(shlex.quote(item.path) for item in (keys or items[:10]))
    secret = f" {counted(len(keys), 'of them is a private key', 'of them are private keys')}." if keys else ""
    return Evidence(
        f"Git tracks {counted(len(items), 'file')} that {ignored_by} leaves out: {named}. "
        f"What is written into {them} is committed all the same, and who moves or adds {them} anew loses {them}."
        f"{secret}",
        first.location,
        subject=f"{folder}/tracked",
        related=tuple(Related(item.location, "is tracked too", member=True) for item in others[:20]),
        recommendation=_AWAY
        if keys
        else f"Take the pattern of {posixpath.basename(first.path)} out of {ignored_by}"
        f"{', as programs read it' if needed else ', or it out of Git'}.",
        severity=Severity.MEDIUM if any(_rank(item.path) < 2 for item in items) else None,
        example=f"git rm --cached {paths}"
        if keys
        else f"git check-ignore --no-index -v {paths}  # which pattern"
        + ("" if needed else f"\ngit rm --cached {paths}  # if it is right"),
    )
