"""A document names a variable that nothing reads.

Whoever sets it believes that a limit is raised, a switch is off or a password is in force, and everything stays as it
was. Often the code reads it by another name.

Anti-pattern:

    # README.md
    | Variable         | Meaning            |
    |------------------|--------------------|
    | LLM_TIMEOUT_SECS | of a request       |   <- the code reads LLM_TIMEOUT_SECONDS

Better:

    | LLM_TIMEOUT_SECONDS | of a request |

Recommendation:

    Name the variable that is read, or take the row out of the document.

References:

- https://12factor.net/config
- https://www.writethedocs.org/guide/writing/docs-principles/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, names, programs, templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(
    r"(?i)(?:^|[/_.-])(?:change(?:log|s)|history|roadmap|todo|plans?|proposals?|rfcs?|adrs?|decisions?|migrat\w*|upgrad\w*|"
    r"ideas?|notes?|prompts?|claude|agents|examples?|vendor|node_modules|specs?|design)(?=[/_.-])"
)
_OF_IMAGES = regex(
    r"(?:GF|KC|KEYCLOAK|MINIO|RABBITMQ|POSTGRES|PG|PGADMIN|MYSQL|MARIADB|MONGO|REDIS|TRAEFIK|ELASTIC|ES|NGINX|LOKI|N8N|"
    r"PROMETHEUS|ALERTMANAGER|DOCKER|COMPOSE|BUILDKIT|AWS|AZURE|GOOGLE|GCP|GITHUB|GITLAB|CI|OTEL|JAVA|JVM|SPRING|SERVER|"
    r"MANAGEMENT|NODE|NPM|PIP|UV|POETRY|PYTHON|DJANGO|FLASK|RAILS|RACK|PHP|ASPNETCORE|DOTNET|GO|CARGO|RUST|VITE|NEXT|NUXT|"
    r"REACT|SENTRY|KAFKA|ZOOKEEPER|CONFLUENT|CLICKHOUSE|VAULT|CONSUL|AIRFLOW|MLFLOW|HF|CUDA|NVIDIA|OLLAMA|WATCHTOWER)_\w+"
)
"""Names that an image or a framework reads without any file of the repository naming them."""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document one finding for all variables of its tables and environment files that no file names.

    Where nothing of a document is read, it is about another program.
    """
    told = [(item, [each for each in item.mentions if each.kind == "setting"]) for item in inventory.documents]
    used = templates.used(inventory) if any(settings for _, settings in told) else frozenset()
    of_templates = (file for file in inventory.env_files if file.template)  # of which another rule tells
    templated = {line.name.lower() for file in of_templates for line in file.lines}
    shells = (item for item in inventory.scripts if item.interpreter != "pwsh")
    templated |= {name.lower() for item in shells for name in item.sets}  # which a document has people edit
    for document, settings in told:
        if not settings or _ASIDE.search(document.path) or _is_beside_laravel(inventory, document):
            continue
        unused = [item for item in settings if _is_unused(item.text, used | templated)]
        if unused and 2 * len({item.text for item in unused}) <= len({item.text for item in settings}):
            yield _evidence(inventory, document, unused)


def _is_unused(name: str, used: frozenset[str]) -> bool:
    usual = programs.is_read_by_libraries(name) or environments.comes_from_the_host(name) or _OF_IMAGES.fullmatch(name)
    return name.lower() not in used and not usual and "__" not in name


def _is_beside_laravel(inventory: Inventory, document: Document) -> bool:
    """Whether a framework reads what its own configuration names, which an application need not repeat."""
    return "artisan" in {posixpath.basename(path) for path in inventory.files}


def _evidence(inventory: Inventory, document: Document, unused: list[Mention]) -> Evidence:
    first, *others = unused
    said = list(dict.fromkeys(item.text for item in unused))
    known = [item.name for item in inventory.settings] + [item.name for item in inventory.variables]
    near = {name: next((other for other in known if names.is_near(name, other)), "") for name in said[:20]}
    meant = next(((name, other) for name, other in near.items() if other), None)
    hint = f"; {meant[1]} is read, which {meant[0]} may stand for" if meant else ""
    return Evidence(
        f"{document.path} tells of {counted(len(said), 'variable')} that no Compose file, code, script or workflow "
        f"reads: {listed(said)}{hint}.",
        first.location,
        subject=f"{document.path}/unused",
        related=tuple(Related(item.location, f"{item.text} isn't read either", member=True) for item in others[:20]),
        recommendation=f"Write {meant[1]} in place of {meant[0]} in {document.path}."
        if meant
        else f"Take {listed(said, limit=3)} out of {document.path}, or read {'it' if len(said) == 1 else 'them'}.",
        example=files.into(document.path, meant[1] if meant else f"<without {first.text}>"),
    )
