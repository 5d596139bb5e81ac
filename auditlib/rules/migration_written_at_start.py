"""What deploys or starts the application writes migrations instead of applying those of the repository.

`makemigrations` and `prisma migrate dev` compare the code with the last migration and write a new file: in a container
it is gone with the container, each copy may write another, and the database knows a migration that no checkout has.
The next release, whose developer wrote it too, fails on it. `doctrine:schema:update`, `prisma db push` and
`typeorm schema:sync` change the tables without any record.

Anti-pattern:

    # entrypoint.sh
    python manage.py makemigrations --noinput
    python manage.py migrate --noinput

Better:

    # entrypoint.sh
    python manage.py migrate --noinput

Recommendation:

    Write migrations while developing, commit them, and only apply them there.

References:

- https://docs.djangoproject.com/en/5.2/topics/migrations/#version-control
- https://www.prisma.io/docs/orm/prisma-migrate/workflows/development-and-production
- https://www.doctrine-project.org/projects/doctrine-orm/en/3.3/reference/tools.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import on_servers
from auditlib.pipeline.on_servers import ServerText
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_WRITES = regex(
    r"\b(?:manage\.py makemigrations|django-admin makemigrations|prisma migrate dev|"
    r"alembic (?:\S+ ){0,9}revision (?:\S+ ){0,9}--autogenerate|flask db migrate|typeorm migration:generate|"
    r"makemigrations)(?= |$)"
)
_CHANGES = regex(r"\b(?:prisma db push|console doctrine:schema:update|typeorm schema:sync|drizzle-kit push)(?= |$)")
_DEVELOPS = regex(r"\bmanage\.py runserver\b|\b(?:npm|yarn|pnpm)(?: run)? dev\b|--reload\b|\bnodemon\b|\bflask run\b")
_ONLY_LOOKS = frozenset({"--check", "--dry-run", "--dump-sql", "--create-only"})
_BETTER = (
    ("makemigrations", "python manage.py migrate --noinput"),
    ("prisma", "npx prisma migrate deploy"),
    ("alembic", "alembic upgrade head"),
    ("flask", "flask db upgrade"),
    ("typeorm", "npx typeorm migration:run"),
    ("doctrine", "php bin/console doctrine:migrations:migrate --no-interaction"),
    ("drizzle", "npx drizzle-kit migrate"),
)


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that deploys or that a container starts by, with a command that writes migrations or does without."""
    for text in on_servers.texts(inventory):
        found = [item for item in text.commands if _said(item)]
        if found:
            yield _evidence(text, found)


def _said(command: Command) -> str:
    """The command that writes a migration, or changes tables without one; empty for any other."""
    if not _ONLY_LOOKS.isdisjoint(command.words) or "--accept-data-loss" in command.words:
        return ""
    text = " ".join(command.words)
    match = _WRITES.search(text) or _CHANGES.search(text)
    return match[0] if match else ""


def _is_trial(text: ServerText) -> bool:
    """Whether the same text starts a server for development."""
    return any(_DEVELOPS.search(" ".join(command.words)) for command in text.commands)


def _evidence(text: ServerText, found: list[Command]) -> Evidence:
    seen: dict[tuple[int, str], Command] = {}
    for item in found:
        seen.setdefault((item.location.line, _said(item)), item)
    first, *others = seen.values()
    said = _said(first)
    better = next(line for word, line in _BETTER if word in said)
    does = (
        "changes the tables without a migration, so that nothing tells what was changed and when"
        if _CHANGES.search(said)
        else "writes migrations that only this host, or this container, has"
    )
    return Evidence(
        f"{text.opening} runs `{said}`, which {does}.",
        first.location,
        subject=f"{text.path}/{said}",
        related=tuple(Related(item.location, f"`{_said(item)}` too", member=True) for item in others),
        severity=Severity.LOW if _is_trial(text) or (_CHANGES.search(said) and not text.starts) else None,
        recommendation=f"Commit the migrations, and only apply them in {text.path}: `{better}`.",
        example=files.into(text.path, better),
    )
