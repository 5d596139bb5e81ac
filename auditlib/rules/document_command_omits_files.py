"""A guide for production calls Compose without the files that production is started with.

`docker compose up -d` takes `compose.yaml` and `compose.override.yaml`. Where production needs `compose.prod.yaml` too,
the command starts what is for development: the server that reloads, the source code mounted, ports open that were to be
closed. Whoever rolls back in a hurry types what the guide says.

Anti-pattern:

    # docs/rollback.md
    docker compose up -d
    # docs/deployment.md
    docker compose -f compose.yaml -f compose.prod.yaml up -d

Better:

    # docs/rollback.md
    docker compose -f compose.yaml -f compose.prod.yaml up -d

Recommendation:

    Write the same files into every command, or set `COMPOSE_FILE` on the server and say so.

References:

- https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/
- https://docs.docker.com/compose/how-tos/environment-variables/envvars/#compose_file
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.inventory.stack import Project
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FOR_PRODUCTION = regex(
    r"(?i)(?:^|[/_.-])(?:deploy(?:ment|ing|s)?|prod(?:uction)?|releas(?:e|es|ing)|roll-?back|run-?books?|go-?live|vps|ops|"
    r"operations|disaster|recovery|upgrad(?:e|ing))(?=[/_.-])"
)
_ASIDE = regex(r"(?i)(?:^|[/_.-])(?:local|dev(?:elop\w*)?|test\w*|archive|reports?|plans?|adrs?|decisions?)(?=[/_.-])")
_LAPTOP = regex(r"(?i)\blocal|\bdev(?:elop\w*)?\b|\btest|\blaptop|\bquick ?start")
_STARTS = frozenset({"up", "build"})
_TOUCHES = _STARTS | {"pull", "create"}
"""What reads the files to make something; what acts on containers that are there finds them without."""
_DEFAULTS = frozenset({"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all commands of guides for production that leave out files of the one start of production."""
    started = [item for item in inventory.base_projects if item.started_at and len(item.files) > 1]
    if len(started) != 1 or not _DEFAULTS & set(started[0].files) or _is_set(inventory):
        return
    found = [(document, item) for document in inventory.documents if _is_for_production(document)
             for item in document.mentions if item.kind == "command" and _omits(item, _TOUCHES)
             and not _for_laptop(document, item)]  # fmt: skip
    found.sort(key=lambda pair: not _omits(pair[1], frozenset({"up"})))
    if found and _omits(found[0][1], _STARTS):
        yield _evidence(inventory, started[0], found)


def _is_set(inventory: Inventory) -> bool:
    """Whether a variable may name the files."""
    lines = (line.name for file in inventory.env_files for line in file.lines)
    told = (item.text for document in inventory.documents for item in document.mentions)
    return any("COMPOSE_FILE" in text for texts in (lines, told) for text in texts)


def _is_for_production(document: Document) -> bool:
    """Whether a guide is for production by its name, and no place for both: one that names files at times means it."""
    named = any(call.files for item in document.mentions if item.kind == "command"
                and (call := compose_command.of(item.words)))  # fmt: skip
    return bool(_FOR_PRODUCTION.search(document.path)) and not _ASIDE.search(document.path) and not named


def _for_laptop(document: Document, item: Mention) -> bool:
    """Whether the section of a command is on development."""
    above = [heading for heading in document.headings if heading.location.line <= item.location.line]
    return bool(above) and _LAPTOP.search(above[-1].text) is not None


def _omits(item: Mention, verbs: frozenset[str]) -> bool:
    """Whether a command is a call of Compose for one of these, with no file named."""
    call = compose_command.of(item.words)
    return call is not None and call.verb in verbs and not call.files and "--project-directory" not in call.options


def _evidence(inventory: Inventory, project: Project, found: list[tuple[Document, Mention]]) -> Evidence:
    (document, first), *others = found
    left = ", ".join(item for item in project.files if posixpath.basename(item) not in _DEFAULTS)
    also = f", and {counted(len(others), 'more command')} of such guides" if others else ""
    call = compose_lines.call(inventory, project.name)
    verb = first.text.partition("compose ")[2]
    return Evidence(
        f"{document.path} calls `{first.text[:80]}`{also} without {left}, with which {project.started_at[0].file} "
        "starts production: on the server that acts on the stack for development, unless COMPOSE_FILE is set there.",
        first.location,
        subject="documents/compose files",
        related=(
            *(
                Related(item.location, f"`{item.text[:60]}` names no file either", member=True)
                for _, item in others[:20]
            ),
            Related(project.started_at[0], "names the files"),
        ),
        recommendation=f"Name the files in each command of {document.path}, as {project.started_at[0].file} does.",
        example=files.into(document.path, f"{call} {verb}"),
    )
