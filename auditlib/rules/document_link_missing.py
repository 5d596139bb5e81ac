"""A document links to a file that isn't in the repository.

Whoever follows the link to the guide or the runbook finds nothing, and can't know whether it was renamed, removed or
never written.

Anti-pattern:

    # README.md, in a repository without docs/deployment.md
    See [how we deploy](docs/deployment.md).

Better:

    See [how we deploy](docs/operations.md#deployment).

Recommendation:

    Link to the file as it is called now, write it, or take the link out.

References:

- https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#relative-links
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib import stages
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules._rule import Evidence, rule

_GENERATOR = regex(
    r"(?:mkdocs\.ya?ml|docusaurus\.config\.\w+|_config\.ya?ml|hugo\.\w+|book\.toml|antora\.yml|"
    r"conf\.py|astro\.config\.\w+|\.vitepress)"
)
"""What makes a site of documents, and pages that no file stands for."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each document with relative links to files that aren't there, with all of them."""
    generated = any(_GENERATOR.fullmatch(part) for path in inventory.files for part in path.split("/")[-2:])
    for document in inventory.documents:
        broken = [item for item in document.mentions if item.kind == "link"]
        if broken and not _is_foreign(document) and not (generated and "/" in document.path):
            yield _evidence(inventory, document, broken)


def _is_foreign(document: Document) -> bool:
    """Whether a document came with what others made, of which a part may have been left behind."""
    return not stages.FOREIGN_FOLDERS.isdisjoint(document.path.split("/"))


def _like(inventory: Inventory, document: Document, link: str) -> str:
    """The only file of the repository that has the name to which a link leads; never the document itself."""
    name = posixpath.basename(link).lower()
    found = [path for path in inventory.files if posixpath.basename(path).lower() == name]
    return found[0] if len(found) == 1 and found[0] != document.path else ""


def _evidence(inventory: Inventory, document: Document, broken: list[Mention]) -> Evidence:
    first, *others = broken
    folder = posixpath.dirname(document.path)
    lacking = {posixpath.normpath(posixpath.join(folder, item.text)) for item in broken}
    like = _like(inventory, document, first.text)
    there = posixpath.relpath(like, folder or ".") if like else ""
    more = f", and to {counted(len(lacking) - 1, 'other file')} that it lacks" if len(lacking) > 1 else ""
    known = f"; there is {like}" if like else ""
    named = posixpath.normpath(posixpath.join(folder, first.text))
    return Evidence(
        f"{document.path} links to {first.text}, which the repository lacks{more}{known}.",
        first.location,
        subject=document.path,
        related=tuple(Related(item.location, f"links to {item.text}", member=True) for item in others),
        recommendation=f"Link to {there}." if like else f"Write {named}, or take the link out of {document.path}.",
        change=(first.text, there) if like else ("", ""),
        example="" if like else f"git log --all --oneline -- {shlex.quote(named)}  # whether it was ever there",
    )
