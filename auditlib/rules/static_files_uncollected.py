"""Nothing collects or serves the static files of Django.

Only `runserver` sends them by itself. Behind Gunicorn or Uvicorn each style sheet and script of the administration
answers 404 unless `collectstatic` has gathered them and a web server or WhiteNoise sends them: its pages come as bare
text, and some of their forms don't work.

Anti-pattern:

    # Dockerfile: no collectstatic, and no WhiteNoise in the middleware
    CMD ["gunicorn", "shop.wsgi"]

Better:

    # settings.py: "whitenoise.middleware.WhiteNoiseMiddleware" after SecurityMiddleware, and STATIC_ROOT
    RUN python manage.py collectstatic --noinput
    CMD ["gunicorn", "shop.wsgi"]

Recommendation:

    Run `collectstatic` when the image is built, and let WhiteNoise or the web server send what it gathers.

References:

- https://docs.djangoproject.com/en/stable/howto/static-files/deployment/
- https://whitenoise.readthedocs.io/en/stable/django.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment, environments, programs, services, starting
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ProxyTrait
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SERVES = regex(r"\b(?:gunicorn|uvicorn|hypercorn|daphne|waitress-serve|granian)\b")
"""Servers that run an application and send no files."""
_LIBRARIES = frozenset({"whitenoise", "servestatic", "dj-static", "django-storages", "django-heroku"})
_COLLECTS = regex(r"collect_?static", 2)
_GATHERED = "/admin/css/base.css"
"""A file of the administration, by which a folder shows that somebody has committed what was gathered."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first routes to the administration that a deployed server runs, where no file speaks of static files."""
    traits = [item for item in inventory.proxy_traits if item.framework == "Django"]
    admin = next((item for item in traits if item.kind == "admin"), None)
    if admin is None or any(item.kind == "static" for item in traits) or _is_done_elsewhere(inventory):
        return
    for program in programs.programs(inventory):
        if program.holds(admin.location.file) and _is_served(inventory, program):
            yield _evidence(inventory, admin, program)
            return


def _is_done_elsewhere(inventory: Inventory) -> bool:
    """Whether a library, a command, a document or a folder shows that the files are gathered, or a platform may."""
    libraries = {item.name for manifest in inventory.manifests for item in manifest.requirements}
    told = (" ".join(item.words) for item in deployment.commands(inventory))
    written = (item.argument for file in inventory.dockerfiles for item in file.instructions)
    called = (" ".join((*item.entrypoint, *item.command)) for item in inventory.services)
    return (
        not libraries.isdisjoint(_LIBRARIES)
        or deployment.uses_orchestrator(inventory)
        or "Procfile" in inventory.files_by_name
        or any(path.endswith(_GATHERED) for path in inventory.files)
        or any("collectstatic" in document.words for document in inventory.documents)
        or any(_COLLECTS.search(text) for texts in (told, written, called) for text in texts)
    )


def _is_served(inventory: Inventory, program: Program) -> bool:
    """Whether a deployed service runs the code by such a server, and no script does what isn't known."""
    service = program.service
    if service.key not in {item.key for item in inventory.deployed_services}:
        return False
    text = " ".join(word for start in starting.of(inventory, service) for word in start.words)
    return bool(_SERVES.search(text)) and not environments.only_for_development(service)


def _evidence(inventory: Inventory, admin: ProxyTrait, program: Program) -> Evidence:
    name = program.service.name
    found = services.dockerfile(inventory, program.service)
    file = found.path if found else "Dockerfile"
    return Evidence(
        f"{admin.location.file} routes to Django's administration, {name} runs a server that sends no files, and "
        "nothing collects or serves static files: its pages have neither styles nor scripts.",
        admin.location,
        subject=f"{name}/static files",
        service=name,
        related=(Related(program.service.command_location or program.service.location, f"{name} is started here"),),
        recommendation=f"Run collectstatic in {file}, and let WhiteNoise or the web server send what it gathers.",
        example=f"{_package(inventory, program)}\n"
        f"{files.into(file, 'RUN python manage.py collectstatic --noinput')}\n# in the settings, second of MIDDLEWARE\n"
        '"whitenoise.middleware.WhiteNoiseMiddleware",\n# and where the files are gathered, unless it is said\n'
        'STATIC_ROOT = BASE_DIR / "staticfiles"',
    )


def _package(inventory: Inventory, program: Program) -> str:
    """The line of the file that names what the program's image installs."""
    manifests = (item.path for item in inventory.manifests if item.kind == "python" and program.holds(item.path))
    path = next(manifests, "requirements.txt")
    return files.into(path, "whitenoise" if path.endswith(".txt") else '"whitenoise",  # one of the dependencies')
