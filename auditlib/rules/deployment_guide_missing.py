"""No document says how the software is put into production.

How it is installed, updated and rolled back, which variables it needs and what must exist before, is then known to the
person who did it last. On the day on which that person is away, a deployment is guesswork.

Anti-pattern:

    # README.md
    ## Getting started
    docker compose up

Better:

    # docs/deployment.md
    ## Before the first deployment
    ## Deploying a release
    ## Rolling back
    ## Scaling

Recommendation:

    Write a deployment guide: prerequisites, variables and secrets, the commands of a release and of a rollback, and how
    to see that it worked.

References:

- https://docs.docker.com/compose/how-tos/production/
- https://sre.google/sre-book/release-engineering/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository with software to deploy whose documents have no title or heading about it."""
    signs = deployment.signs_of_production(inventory)
    deployed = signs or (inventory.projects and deployment.builds_own_images(inventory))
    if not deployed or deployment.guides(inventory):
        return
    place = deployment.main_document(inventory)
    start = place or (inventory.projects[0].location if inventory.projects else Location(signs[0].location.file))
    read = (
        f"{counted(len(inventory.documents), 'document')} read"
        if inventory.documents
        else "there is no document at all"
    )
    yield Evidence(
        "No document is about deploying, and no heading speaks of deployment, production, installation or a release "
        f"({read}).",
        start,
        subject="deployment-guide",
        related=(
            *signs[:5],
            *(Related(item.location, "this is deployed") for item in inventory.base_projects[:3]),
        ),
        recommendation="Write docs/deployment.md: what must exist before, the variables to set, the commands of a "
        "release and of a rollback, and how to see that it worked.",
        severity=None if signs else Severity.LOW,
    )
