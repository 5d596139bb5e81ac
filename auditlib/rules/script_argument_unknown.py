"""A script is called with an argument that it refuses.

It prints its usage and ends, in a pipeline on each run, and in an incident for whoever follows the document.

Anti-pattern:

    # deploy.sh: case "$1" in staging|production) …;; *) usage; exit 1;; esac
    - run: ./deploy.sh prod

Better:

    - run: ./deploy.sh production

Recommendation:

    Call the script with a word that it knows, or teach it this one.

References:

- https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09_04_05
- https://docs.python.org/3/library/argparse.html
"""

from __future__ import annotations

import difflib
import posixpath
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STARTERS = frozenset(
    {"sudo", "bash", "sh", "zsh", "python", "python3", "uv", "run", "poetry", "exec", "time", "env", "-E"}
)
_OPTION = regex(r"--?[a-zA-Z][\w-]*")
_WORD = regex(r"[a-z][a-z0-9_-]*")
_PLACEHOLDER = regex(
    r"(?:\w+[_-])?(?:env|environment|file|filename|name|backup|dump|version|path|tag|date|service|command|cmd|args?|"
    r"options?|target|host|ip|user|domain|id|url|number|stage|mode|action|argument|timestamp|archive|dir|directory|n|x)s?"
)
"""Words by which a document stands for what its reader is to write."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each argument that commands, or documents, give to a script of the repository that refuses it."""
    scripts = {posixpath.basename(item.path): item for item in inventory.scripts if item.arguments is not None}
    names = [posixpath.basename(item.path) for item in inventory.scripts]
    known = {name: item for name, item in scripts.items() if names.count(name) == 1}
    found: defaultdict[tuple[str, str], list[Told]] = defaultdict(list)
    for told in told_commands.everywhere(inventory) if known else ():
        if called := _called(known, told):
            script, word = called
            found[script.path, word].append(told)
    for (path, word), uses in found.items():
        yield _evidence(known[posixpath.basename(path)], word, uses)


def _called(known: dict[str, Script], told: Told) -> tuple[Script, str] | None:
    """The script that a command starts, and the argument of it that the script refuses."""
    words = list(told.words)
    while words and (words[0] in _STARTERS or "=" in words[0]):
        words = words[1:]
    script = known.get(posixpath.basename(words[0])) if words else None
    if script is None or not script.path.endswith(posixpath.normpath(words[0]).lstrip("./")):
        return None
    given = [word for word in words[1:] if _OPTION.fullmatch(word.partition("=")[0])]
    if not script.interpreter.startswith("python"):
        given = words[1:2]
    word = next((word for word in given if _is_refused(script, word, told.by_document)), "")
    return (script, word) if word else None


def _is_refused(script: Script, word: str, by_document: bool) -> bool:
    name = word.partition("=")[0]
    if not _OPTION.fullmatch(name) and (not _WORD.fullmatch(word) or (by_document and _PLACEHOLDER.fullmatch(word))):
        return False
    arguments = script.arguments or ()
    if script.interpreter.startswith("python"):
        return not any(known == name or (name.startswith("--") and known.startswith(name)) for known in arguments)
    return not any(fnmatchcase(word, known) or fnmatchcase(name, known) for known in arguments)


def _evidence(script: Script, word: str, uses: list[Told]) -> Evidence:
    first, *others = uses
    takes = [item for item in script.arguments or () if item not in ("-h", "--help", "")]
    near = [item for item in takes if item.startswith(word)] or difflib.get_close_matches(word, takes, 1, 0.6)
    return Evidence(
        f"{first.caller} {script.path} with `{word}`, which it refuses: it knows "
        f"{listed((f'`{item}`' for item in takes), limit=8) or 'no option'}.",
        first.location,
        subject=f"{script.path}/{word}",
        related=(
            Related(script.location, "takes other arguments"),
            *(Related(item.location, f"gives it `{word}` too", member=True) for item in others),
        ),
        recommendation=f"Write `{near[0]}` in place of `{word}`, or teach {script.path} that word."
        if near
        else f"Call {script.path} with a word that it knows, or teach it `{word}`.",
        severity=Severity.LOW if all(item.by_document for item in uses) else None,
        example=files.into(first.location.file, f"{script.path} {near[0] if near else '<one that it knows>'}"),
    )
