"""No document says how data is restored after a loss.

In a disaster nobody has the calm to find out which dump belongs where, in which order services are stopped, and which
secrets the restored system needs. Recovery that was never written down was never practised, and takes days instead of
an hour.

Anti-pattern:

    # docs/: installation, API, contributing; nothing on backups or recovery

Better:

    # docs/disaster-recovery.md
    ## What is backed up, where, how often
    ## Restoring PostgreSQL
        docker compose stop api worker
        pg_restore --clean --dbname app latest.dump

Recommendation:

    Write down, and try, how each data store is restored: where the copies are, the commands, how long it takes and how
    much may be lost.

References:

- https://www.postgresql.org/docs/current/backup-dump.html
- https://sre.google/sre-book/data-integrity/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import backups, deployment, environments, kept_data, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed, specified
from auditlib.rules._rule import Evidence, rule

_CHAPTER = """
## {service} ({product})

1. Where the backups are, and who has their key
2. What is stopped first
3. {restores} into `{service}`, and how long it takes
4. How to see that the data is there
"""
_RESTORES = regex(r"(?:^|[/_.-])restor(?:e|es|ing)(?:[_.-]\w+)*\.(?:sh|bash|py)$", re.I)


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all data stores and users' files, if no document speaks of restoring any of them."""
    projects = [
        item
        for item in inventory.base_projects
        if not environments.in_development_file(inventory, item.location.file) and not item.aside
    ]
    stores = [found for project in projects for found in kept_data.stores(inventory, project)]
    stores += [found for project in projects for found in kept_data.files(inventory, project)]
    stores = [found for found in stores if found[1].kind not in services.PASSING] or stores
    operated = deployment.builds_own_images(inventory) or deployment.signs_of_production(inventory)
    if not stores or not operated or backups.are_described(inventory):
        return
    place = deployment.main_document(inventory)
    unread = deployment.unread_documents(inventory)
    doubt = f" ({counted(len(unread), 'document')} in other formats than Markdown aside)" if unread else ""
    names = list(dict.fromkeys(specified(service.name, product.name) for service, product, _ in stores))
    script = next((item.path for item in inventory.scripts if _RESTORES.search(item.path)), "")
    restores = f"How `{script}` restores one" if script else "The command that restores one"
    chapters = [_CHAPTER.format(service=item.name, product=kind.name, restores=restores) for item, kind, _ in stores]
    near = backups.touched_on(inventory)
    said = (
        f"No document of the repository says how data is restored ({near.path} does no more than name a snapshot or a "
        f"reindexing){doubt}"
        if near
        else f"No document of the repository speaks of backups, of restoring or of disaster recovery{doubt}"
    )
    yield Evidence(
        f"{said}, though {listed(names)} {'keeps' if len(names) == 1 else 'keep'} data.",
        place or stores[0][2].location,
        subject="recovery",
        related=tuple(
            Related(mount.location, f"what {service.name} keeps ({product.name}) is here", member=True)
            for service, product, mount in stores
        ),
        recommendation=f"Write docs/disaster-recovery.md with the restoration of {listed(names)}, step by step, and "
        "practise it once.",
        confidence=Confidence.MEDIUM if unread or near else None,
        example="# Disaster recovery\n" + "".join(dict.fromkeys(chapters)),
        severity=Severity.LOW if script else None,
    )
