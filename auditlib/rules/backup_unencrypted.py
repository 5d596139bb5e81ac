"""Backups hold all data in the clear.

A dump is the whole database in one file, and it travels: to another host, a bucket, somebody's laptop. Whoever gets a
copy needs no password to read it, and where the environment file is packed along, has those of everything else too.

Anti-pattern:

    pg_dump -Fc -f "$BACKUP_DIR/shop.dump" shop
    cp .env "$BACKUP_DIR/"

Better:

    pg_dump -Fc shop | age -r "$BACKUP_RECIPIENT" > "$BACKUP_DIR/shop.dump.age"

Recommendation:

    Encrypt each dump before it is stored, with a key whose private half is kept elsewhere, and keep secrets apart.

References:

- https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
- https://github.com/FiloSottile/age
- https://restic.readthedocs.io/en/stable/070_encryption.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import backups, deployment, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_ENCRYPTS = regex(
    r"\b(?:gpg2?|age|rage|restic|borg\w*|kopia|duplicity|duplicati|pgbackrest|barman|wal-g|tarsnap|rclone|cryptsetup|"
    r"sops|ccrypt|mcrypt|velero|litestream)\b|\bopenssl\s+(?:enc|smime|cms|pkeyutl)\b|\b(?:7z|7za)\s[^\n]{0,200}-p|--sse\b|kms|"
    r"docker-volume-backup|postgres-backup-s3"
)
"""Programs and options that may encrypt a backup, or the place that it goes to."""
_SPOKEN = frozenset({"luks", "dm-crypt", "cryptsetup", "gpg", "veracrypt", "filevault", "encryption-at-rest"})
_SETTING = regex(r"ENCRYPT|CIPHER|GPG|PASSPHRASE|RECIPIENT|_AGE_|KMS")
_PACKS = frozenset({"gzip", "pigz", "bzip2", "xz", "zstd", "lz4"})
_COPIES = frozenset({"cp", "tar", "rsync", "zip", "install"})
_SECRETS = regex(r"(?:^|/)\.env(?:$|\.(?!example|sample|template|dist))|\.(?:pem|key)$")
_BACKUP = regex(r"back[-_]?up|dump", re.I)


class _Backup(Struct, frozen=True):
    """A script that dumps a database, with the command, and those that put secrets beside the dump."""

    script: Script
    dump: Command
    secrets: tuple[Command, ...]


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all scripts that keep dumps, where nothing of the repository encrypts anything."""
    found = list(_backups(inventory))
    if found and not _is_encrypted(inventory):
        yield _evidence(sorted(found, key=lambda item: not item.secrets))


def _backups(inventory: Inventory) -> Iterator[_Backup]:
    for script in inventory.scripts:
        if environments.is_for_development(script.path) or "restor" in script.path.lower():
            continue
        dumps = [item for item in script.commands if backups.dump(item)
                 and (backups.is_script(script) or _BACKUP.search(_file(item)))]  # fmt: skip
        if dumps:
            yield _Backup(script, dumps[0], tuple(filter(_takes_secrets, script.commands)))


def _file(dump: Command) -> str:
    """Where a dump is written to, as far as the command tells."""
    options = dump.words[_program(dump) :]  # `-f` before it is Compose's
    named = (after for word, after in itertools.pairwise(options) if word in ("-f", "--file", "-o"))
    archives = (word.partition("=")[2] for word in options if word.startswith("--archive="))  # mongodump's
    return next((name for name in (*dump.writes, *named, *archives) if name != "/dev/null"), "")


def _program(dump: Command) -> int:
    """Which of the words is the program that dumps."""
    return next((at for at, word in enumerate(dump.words) if backups.DATABASE_DUMP.search(word)), 0)


def _packed(backup: _Backup) -> Command | None:
    """The command that the dump goes through, if that one writes the file: `pg_dump … | gzip > dump.sql.gz`."""
    commands = backup.script.commands
    after = commands[commands.index(backup.dump) + 1 :] if backup.dump.caught else ()
    beside = [item for item in after if item.within == backup.dump.within][:1]  # none of a shell that it starts
    return next((item for item in beside if item.writes and item.words[0] in _PACKS), None)


def _takes_secrets(command: Command) -> bool:
    """Whether a command puts an environment file or a key where the backups are."""
    *sources, target = command.words or ("",)
    if not sources or sources[0] not in _COPIES:
        return False
    into = target if sources[0] != "tar" else " ".join(command.words)
    return bool(_BACKUP.search(into)) and any(_SECRETS.search(word) for word in sources[1:] or ())


def _is_encrypted(inventory: Inventory) -> bool:
    """Whether anything of the repository may encrypt backups, or a document says that the disk does."""
    texts = (" ".join(item.words) for item in deployment.commands(inventory))
    if any(_ENCRYPTS.search(text) for text in texts):
        return True
    if any(_ENCRYPTS.search(" ".join((item.image, *item.entrypoint, *item.command))) for item in inventory.services):
        return True
    names = {name for script in inventory.scripts for name in script.sets}
    names |= {entry.name for service in inventory.services for entry in service.environment}
    return any(_SETTING.search(name) and "BACKUP" in name for name in names) or any(
        document.words & _SPOKEN for document in inventory.documents
    )


def _evidence(found: list[_Backup]) -> Evidence:
    first, *others = found
    names = listed(item.script.path for item in found)
    along = f" and puts {listed(map(_secret, first.secrets))} beside it" if first.secrets else ""
    does = "does" if len(others) == 1 else "do"
    several = f"; so {does} {listed(item.script.path for item in others)}" if others else ""
    return Evidence(
        f"{first.script.path} keeps a dump of the database in the clear{along}{several}: whoever gets "
        "a copy reads it all, unless the disk and the way to it are encrypted.",
        first.secrets[0].location if first.secrets else first.dump.location,
        subject="backups/clear",
        related=(
            *((Related(first.dump.location, "the dump"),) if first.secrets else ()),
            *(Related((item.secrets[0] if item.secrets else item.dump).location, f"{item.script.path} does it too",
                      member=True) for item in others),
        ),
        recommendation=f"Encrypt each dump of {names} for a key whose private half is elsewhere"
        f"{f', and leave {listed(map(_secret, first.secrets))} out' if first.secrets else ''}.",
        severity=Severity.MEDIUM if first.secrets else None,
        example=files.into(first.script.path, _lines(first)),
    )  # fmt: skip


def _secret(command: Command) -> str:
    return next(word.rpartition("/")[2] for word in command.words[1:] if _SECRETS.search(word))


def _lines(backup: _Backup) -> str:
    packed = _packed(backup)
    name = packed.writes[0] if packed else _file(backup.dump)
    left = {"-f", "--file", "-o", name}
    before, own = backup.dump.words[: _program(backup.dump)], backup.dump.words[_program(backup.dump) :]
    terminal = ("-t", "-it") if backup.dump.words[:2] == ("docker", "exec") else ()
    words = [word for word in before if word not in terminal]
    words += [word.partition("=")[0] if word.startswith("--archive=") else word for word in own if word not in left]
    given = "".join(f"{name}=<as it is now> " for name in backup.dump.assignments)
    lines = [shell_lines.line(words, backup.dump.expands)]
    lines += [shell_lines.line(packed.words, packed.expands)] if packed else []
    dump = given + " | ".join(lines)
    return (
        f'set -o pipefail  # of Bash\n{dump} | age -r "$BACKUP_RECIPIENT" > "{name or "<the dump>"}.age"\n'
        "# and before it is restored: age -d -i <the file with the private key>"
    )
