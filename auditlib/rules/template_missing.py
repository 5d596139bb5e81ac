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
from auditlib.inventory.configuration import EnvFile
from auditlib.inventory.document import Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TEMPLATE = regex(
    r"(?:[\w.-]*/)*(?:[\w-]*\.?env[\w.-]*(?:example|sample|template|dist|tmpl)\w*|(?:example|sample|template)\.env)"
)


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every template of an environment file that documents copy and that no folder of the repository has."""
    names = {posixpath.basename(path) for path in inventory.files}
    found: defaultdict[str, list[Mention]] = defaultdict(list)
    for document in inventory.documents:
        commands = [item for item in document.mentions if item.kind == "command"]
        for item in commands:
            name = _copied(item)
            if name and posixpath.basename(name) not in names and not _is_made(commands, item, name):
                found[name].append(item)
    for name, uses in found.items():
        yield _evidence(inventory, name, uses)


def _copied(item: Mention) -> str:
    """The template that a command copies."""
    plain = [word for word in item.text.split() if not word.startswith("-")]
    if len(plain) != 3 or not _TEMPLATE.fullmatch(plain[1]):
        return ""
    plainly = plain[1].startswith((".env", "env"))  # of a path of Windows the backslash is lost on the way
    return plain[1] if plain[0] == "cp" or (plain[0] == "copy" and plainly) else ""


def _is_made(commands: list[Mention], item: Mention, name: str) -> bool:
    """Whether another command of the document names the template, and so may make it."""
    return any(posixpath.basename(name) in other.text for other in commands if not _copied(other) and other != item)


def _new(inventory: Inventory, name: str) -> str:
    """A template with the variables that Compose leaves to an environment file, or a place for them."""
    wanted = sorted({item.name for item in inventory.variables if item.source == "unset" or item.operator == ":?"})
    return files.template(inventory, name, "\n".join(f"{item}=" for item in wanted[:10]) or "<NAME>=<what it is for>")


def _first_step(inventory: Inventory, name: str, use: Mention, there: list[EnvFile], *, misspelt: bool) -> str:
    if misspelt:
        return f"git mv {shlex.quote(there[0].path)} {shlex.quote(name)}"
    return f"cp {shlex.quote(there[0].path)} {use.text.split()[-1]}" if there else _new(inventory, name)


def _evidence(inventory: Inventory, name: str, uses: list[Mention]) -> Evidence:
    there = [item for item in inventory.env_files if item.template]
    first, *others = uses
    misspelt = bool(there) and sorted(there[0].path) == sorted(name)
    return Evidence(
        f"{first.location.file} copies {name}, which the repository lacks"
        f"{f'; there is {there[0].path}' if there else ''}.",
        first.location,
        subject=name,
        related=(
            *(Related(item.location, "a template that there is") for item in there[:3]),
            *(Related(item.location, f"copies {name} too", member=True) for item in others),
        ),
        recommendation=f"Rename {there[0].path} to {name}, as its name is misspelt."
        if misspelt
        else f"Write {there[0].path} in place of {name}."
        if there
        else f"Add {name}.",
        example=_first_step(inventory, name, first, there, misspelt=misspelt),
        change=(name, there[0].path)
        if not misspelt and len(there) == 1 and "/" not in there[0].path + name
        else ("", ""),
    )
