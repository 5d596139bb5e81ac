"""Django is told to collect its static files, and no setting says where.

`collectstatic` ends with `ImproperlyConfigured` where `STATIC_ROOT` isn't set. The image can't be built, or the
container ends at its start.

Anti-pattern:

    # settings.py
    STATIC_URL = "static/"
    # Dockerfile
    RUN python manage.py collectstatic --noinput

Better:

    STATIC_URL = "static/"
    STATIC_ROOT = BASE_DIR / "staticfiles"

Recommendation:

    Set `STATIC_ROOT`, and let the web server serve that folder.

References:

- https://docs.djangoproject.com/en/stable/ref/settings/#static-root
- https://docs.djangoproject.com/en/stable/howto/static-files/deployment/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COMMAND = "collectstatic"


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository that collects static files, if none of its settings says where to or by what."""
    settings = [item for item in inventory.django_settings if item.main]
    places = list(dict.fromkeys(_collecting(inventory)))
    if not settings or not places or any(item.collects for item in inventory.django_settings):
        return
    first, *others = places
    yield Evidence(
        f"{first.file} runs collectstatic, and {settings[0].location.file} sets no STATIC_ROOT: Django refuses, and "
        "what waits for it isn't reached.",
        first,
        subject="STATIC_ROOT",
        related=(
            Related(settings[0].location, "the settings"),
            *(Related(place, "collectstatic is run here too", member=True) for place in others),
        ),
        recommendation=f"Set STATIC_ROOT in {settings[0].location.file}.",
        example=files.into(settings[0].location.file, 'STATIC_ROOT = f"{BASE_DIR}/staticfiles"'),
    )


def _collecting(inventory: Inventory) -> Iterator[Location]:
    for file in inventory.dockerfiles:
        for item in file.instructions:
            own = [command for command in item.commands if _COMMAND in command.words]
            insists = "||" not in item.words and any(map(_insists, item.words))
            if insists or any(not command.cannot_fail for command in own):
                yield item.location
    for service in inventory.services:
        if any(map(_insists, (*service.entrypoint, *service.command))):
            yield service.command_location or service.location
    for command in deployment.commands(inventory):
        if _COMMAND in command.words and not (command.cannot_fail or command.caught):
            yield command.location


def _insists(text: str) -> bool:
    """Whether a line collects them, and doesn't go on without."""
    return _COMMAND in text.split() and "||" not in text
