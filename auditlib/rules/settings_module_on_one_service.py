"""Two services of one image run with different settings, as only one is told which.

Web server and worker share an image, and Compose gives the module of Django's settings to the web server alone. The
worker takes the one that `celery.py` or `manage.py` falls back to, mostly that for development: debugging on, another
database, mails on the console, no reports of errors. Nothing fails, so nobody looks.

Anti-pattern:

    web:
      image: acme/shop:1.4
      command: gunicorn shop.wsgi
      environment: {DJANGO_SETTINGS_MODULE: shop.settings.prod}
    worker:
      image: acme/shop:1.4
      command: celery -A shop worker      # celery.py: setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.dev")

Better:

    x-django: &django
      DJANGO_SETTINGS_MODULE: shop.settings.prod
    web: {environment: *django}
    worker: {environment: *django}

Recommendation:

    Give the variable to every service of the image, or let the code fall back to the settings for production.

References:

- https://docs.djangoproject.com/en/stable/topics/settings/#designating-the-settings
- https://docs.celeryq.dev/en/stable/django/first-steps-with-django.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import DJANGO_MODULE, SettingsModule
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import env_writing
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_FOR_DEVELOPERS = regex(r"(?:^|[._])(?:dev|devel|development|local|debug)$")
_STARTERS = {
    regex(r"\bcelery\b"): ("celery.py", "celery_app.py"),
    regex(r"\bmanage\.py\b"): ("manage.py",),
    regex(r"\.wsgi\b"): ("wsgi.py",),
    regex(r"\.asgi\b"): ("asgi.py",),
}
"""By what a command starts the files that name the module where the environment doesn't."""

_Told = tuple[Service, EnvironmentEntry]


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each image one finding with the services that fall back to settings for development."""
    if any(DJANGO_MODULE in dict(item.variables) for file in inventory.dockerfiles for item in file.instructions):
        return
    for alike in _by_image(inventory).values():
        told = [(service, entry) for service in alike if (entry := _entry(service))]
        if told and not _FOR_DEVELOPERS.search(told[0][1].value.text if told[0][1].value else ""):
            lost = [(service, module) for service in alike if (module := _fallback(inventory, service))]
            if lost:
                yield _evidence(told[0], lost)


def _by_image(inventory: Inventory) -> dict[tuple[str, ...], list[Service]]:
    """The deployed services of a project that run the same image."""
    found: defaultdict[tuple[str, ...], list[Service]] = defaultdict(list)
    for service in inventory.deployed_services:
        if not environments.only_for_development(service) and any(services.image_key(service)):
            found[service.project, *services.image_key(service)].append(service)
    return found


def _entry(service: Service) -> EnvironmentEntry | None:
    """Where Compose names the module of a service outright."""
    named = (item for item in service.environment if item.name == DJANGO_MODULE and not item.variables)
    return next((item for item in named if item.origin == "environment" and item.value is not None), None)


def _fallback(inventory: Inventory, service: Service) -> SettingsModule | None:
    """The settings for development that the code of a service takes, as nothing names others."""
    versions = inventory.versions(service)
    if any(entry.name == DJANGO_MODULE for item in versions for entry in item.environment):
        return None
    if any(_may_name(inventory, path.path) for item in versions for path in item.env_files):
        return None
    text = " ".join(word for start in starting.of(inventory, service) for word in start.words)
    names = next((files for pattern, files in _STARTERS.items() if pattern.search(text)), ())
    found = [item for item in inventory.settings_modules if posixpath.basename(item.location.file) in names]
    modules = {item.module for item in found}
    return found[0] if len(modules) == 1 and _FOR_DEVELOPERS.search(found[0].module) else None


def _may_name(inventory: Inventory, path: str) -> bool:
    """Whether an environment file may have the module: it does, or nothing tells what is in it."""
    files = [item for item in inventory.env_files if path in (item.path, item.copied_to)]
    written = [item for item in env_writing.written(inventory)
               if posixpath.basename(item.path) == posixpath.basename(path)]  # fmt: skip
    named = any(line.name == DJANGO_MODULE for file in files for line in file.lines)
    return named or not (files or written) or any(DJANGO_MODULE in item.told for item in written)


def _evidence(told: _Told, lost: list[tuple[Service, SettingsModule]]) -> Evidence:
    (web, entry), (first, module) = told, lost[0]
    names = listed(service.name for service, _ in lost)
    runs = "runs" if len(lost) == 1 else "run"
    value = entry.value.text if entry.value else ""
    return Evidence(
        f"{web.name} is told to run with {value}, and {names} of the same image {'is' if len(lost) == 1 else 'are'} "
        f"not: {module.location.file} falls back to {module.module}, with which {names} {runs}.",
        first.command_location or first.location,
        subject=f"{first.project}/{'/'.join(service.name for service, _ in lost)}",
        service=first.name,
        related=(
            Related(entry.location, f"{web.name} gets {DJANGO_MODULE} here"),
            Related(module.location, f"falls back to {module.module}"),
            *(
                Related(service.command_location or service.location, f"{service.name} isn't told either", member=True)
                for service, _ in lost[1:]
            ),
        ),
        recommendation=f"Give {names} {DJANGO_MODULE}, too.",
        example=compose_lines.of_service(first, f"environment:\n  {DJANGO_MODULE}: {value}"),
    )
