"""A document has people copy a template that isn't there.

The first step of the instructions fails, and whoever follows them has to guess which variables the system needs.

Anti-pattern:

    # README.md, in a repository that has .env.sample
    cp .env.example .env

Better:

    cp .env.sample .env

Recommendation:

    Name the template as it is called, or add it.

References:

- https://12factor.net/config
"""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TEMPLATE = regex(
    r"(?:[\w.-]*/)*(?:\.?env[\w.-]*\.(?:example|sample|template|dist|tmpl)|[\w.-]*\.env\.(?:example|sample)|"
    r"(?:example|sample|template)\.env|env\.(?:example|sample|template))"
)


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every template of an environment file that documents copy and that no folder of the repository has."""
    names = {posixpath.basename(path) for path in inventory.files}
    found: defaultdict[str, list[Mention]] = defaultdict(list)
    for document in inventory.documents:
        for item in document.mentions:
            words = item.text.split() if item.kind == "command" else []
            plain = [word for word in words if not word.startswith("-")]
            copied = len(plain) == 3 and plain[0] == "cp" and _TEMPLATE.fullmatch(plain[1])
            if copied and posixpath.basename(plain[1]) not in names:
                found[plain[1]].append(item)
    for name, uses in found.items():
        yield _evidence(inventory, name, uses)


def _new(inventory: Inventory, name: str) -> str:
    """A template with the variables that Compose leaves to an environment file, or a place for them."""
    wanted = sorted({item.name for item in inventory.variables if item.source == "unset" or item.operator == ":?"})
    return files.into(name, "\n".join(f"{item}=" for item in wanted[:10]) or "<NAME>=<what it is for>")


def _evidence(inventory: Inventory, name: str, uses: list[Mention]) -> Evidence:
    there = [item for item in inventory.env_files if item.template]
    first, *others = uses
    return Evidence(
        f"{first.location.file} copies {name}, which the repository lacks"
        f"{f'; there is {there[0].path}' if there else ''}.",
        first.location,
        subject=name,
        related=(
            *(Related(item.location, "a template that there is") for item in there[:3]),
            *(Related(item.location, f"copies {name} too", member=True) for item in others),
        ),
        recommendation=f"Write {there[0].path} in place of {name}." if there else f"Add {name}.",
        example=f"cp {shlex.quote(there[0].path)} {first.text.split()[-1]}" if there else _new(inventory, name),
        change=(name, there[0].path) if len(there) == 1 and "/" not in there[0].path + name else ("", ""),
    )
