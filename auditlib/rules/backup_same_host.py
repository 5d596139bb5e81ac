"""The backups stay on the host whose data they copy.

They help against a mistaken `DELETE`. Against a dead disk, a lost host or ransomware they are no backup at all: both
copies are gone together.

Anti-pattern:

    backup:
      image: prodrigestivill/postgres-backup-local:16
      volumes: ["./backups:/backups"]      # and nothing copies ./backups away

Better:

    backup:
      image: offen/docker-volume-backup:v2
      environment: {AWS_S3_BUCKET_NAME: acme-backups}

Recommendation:

    Copy the backups to another place as the last step: a bucket, another host, with credentials that can't delete.

References:

- https://www.cisa.gov/sites/default/files/publications/data_backup_options.pdf
- https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import backups, deployment, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_AWAY = regex(
    r"\b(?:rclone|restic|borg\w*|kopia|duplicity|rsync|scp|sftp|ssh|lftp|ftp|s3cmd|s5cmd|aws|gsutil|gcloud|azcopy|az|mc|"
    r"b2|wal-g|wal-e|pgbackrest|barman|litestream|velero|duplicati|curl|tarsnap|git)\b"
)
_TAKES_AWAY = regex(
    r"(?:sudo )?(?:rclone|restic|borg\w*|kopia|duplicity|rsync|scp|s3cmd|s5cmd|aws s3|gsutil|gcloud storage|azcopy|"
    r"az storage|b2|wal-g|pgbackrest)\b"
)
"""What a document may tell to run beside the script."""
_NAMES_BACKUPS = regex(r"back[-_]?up|dump|snapshot|archive|offsite", re.I)
_AWAY_SETTING = regex(
    r"S3|BUCKET|RESTIC_REPOSITORY|B2_|AZURE|GCS|GOOGLE|WEBDAV|SSH_|SFTP|DROPBOX|REMOTE|RCLONE|WALG_|FTP_|ENDPOINT", re.I
)

_HOST = regex(r"\s(?:-h|--host)[= ]?(?P<host>\d{1,3}(?:\.\d{1,3}){3}|[\w-]+(?:\.[\w-]+)+\.[a-z]{2,})(?=\s|$)")
"""Another host that a dump is told of by its address or full name; a short name may be a container's."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service and script that dumps into a volume or folder, where nothing of the repository copies that away."""
    if _is_copied_away(inventory):
        return
    yield from _of_services(inventory)
    yield from _of_scripts(inventory)


def _is_copied_away(inventory: Inventory) -> bool:
    """Whether a command takes away what its own words, or the script that it stands in, call a backup."""
    for command in deployment.commands(inventory):
        speaks_of_it = _NAMES_BACKUPS.search(f"{' '.join(command.words)} {command.location.file}")
        if speaks_of_it and any(_AWAY.search(word) for word in command.words[:3]):
            return True
    said = (item.text for document in inventory.documents for item in document.mentions if item.kind == "command")
    return any(_TAKES_AWAY.match(text) and _NAMES_BACKUPS.search(text) for text in said)


def _of_services(inventory: Inventory) -> Iterator[Evidence]:
    for service in inventory.distinct_services:
        text = f"{service.image} {backups.told(service)}"
        target = _local_target(service)
        sends = _AWAY.search(text) or any(_AWAY_SETTING.search(entry.name) for entry in service.environment)
        if not backups.keeps(service) or sends or target is None or environments.only_for_development(service):
            continue
        yield Evidence(
            f"{service.name} keeps its backups in {target.source or target.target} on the same host, and nothing of "
            "the repository copies them away, unless the host does.",
            target.location,
            subject=f"{service.name}/{target.target}",
            service=service.name,
            related=(Related(service.location, f"{service.name} makes the backups"),),
            recommendation=f"Let {service.name}, or a job after it, copy {target.source or target.target} to a bucket "
            "or another host.",
            example=_copied(target),
        )


def _copied(target: Mount) -> str:
    """A service that takes the backups away, with a repository and a key that the host doesn't need to delete them."""
    source = target.source if target.kind == "volume" or target.outside else f"./{target.source}"
    variables = "".join(
        f"\n    {name}: ${{{name}:?set it in .env}}" for name in ("RESTIC_REPOSITORY", "RESTIC_PASSWORD")
    )
    return (
        f"offsite:\n  image: restic/restic:<version>\n  command: backup /backups\n  environment:{variables}\n"
        f"  volumes:\n    - {source}:/backups:ro"
    )


def _of_scripts(inventory: Inventory) -> Iterator[Evidence]:
    """Scripts that by their name or words make backups; one that dumps for another purpose says so elsewhere."""
    for script in inventory.scripts:
        dumps = [item for item in script.commands if backups.dump(item) and not _is_drawn_from_afar(item)]
        sends = any(_AWAY.search(word) for item in script.commands for word in item.words[:3])
        does, what = ("dumps a database", "dump") if dumps else ("packs up data", "archive")
        found = dumps or [item for item in script.commands if backups.packs(item)]
        if found and not sends and backups.is_script(script):
            yield Evidence(
                f"{script.path} {does}, and neither it nor another command of the repository takes the {what} "
                "to another host; whether the folder is one of another host, the files don't tell.",
                found[0].location,
                subject=script.path,
                related=tuple(Related(item.location, "here too") for item in found[1:]),
                recommendation=f"Let {script.path} copy each {what} to a bucket or another host.",
                example=files.into(script.path, f'restic -r "$RESTIC_REPOSITORY" backup <the folder of the {what}s>'),
            )


def _is_drawn_from_afar(dump: Command) -> bool:
    """Whether a dump is of a database on another host, so that it is on another host than the data."""
    found = _HOST.search(" ".join(dump.words))
    return found is not None and not found["host"].startswith("127.")


def _local_target(service: Service) -> Mount | None:
    """Where a service writes, if it mounts just that; the folder called after backups first."""
    found = [item for item in service.mounts if item.kind in ("volume", "bind") and not item.read_only]
    found.sort(key=lambda item: not re.search(r"back|dump", item.target + item.source, re.I))
    return found[0] if found else None
