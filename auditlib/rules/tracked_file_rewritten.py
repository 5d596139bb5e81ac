"""A script rewrites a file of the checkout that Git tracks, and a deployment pulls into that checkout.

After the script has run, the host's copy differs from the repository's. The next `git pull` that brings a change of the
same file stops with "local changes would be overwritten"; a `git reset --hard` throws the host's state away, in the
middle of what the script was for: a site falls back to plain HTTP, a switch to its old position.

Anti-pattern:

    # init-ssl.sh
    cp nginx/bootstrap.conf nginx/nginx.conf

Better:

    # init-ssl.sh; nginx/active.conf is in .gitignore
    cp nginx/bootstrap.conf nginx/active.conf

Recommendation:

    Write the host's state into a file that `.gitignore` leaves out, made from the tracked one.

References:

- https://git-scm.com/docs/git-pull
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import command_texts, deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PULLS = frozenset({"pull", "reset", "checkout"})
_COPIES = frozenset({"cp", "mv", "install"})
_VARIABLE = regex(r"^\$\{?\w+\}?/|^\./")
_RESTORES = frozenset({"checkout", "restore", "stash", "commit"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that writes a tracked file which a service mounts, where a deployment pulls."""
    mounted = {mount.source for service in inventory.deployed_services for mount in service.mounts} & inventory.file_set
    pull = _pull(inventory) if mounted else None
    for script in inventory.scripts if pull else ():
        if stages.is_for_development(script.path) or any(_gives_back(item) for item in script.commands):
            continue
        found = [(path, item) for item in script.commands for path in _written(script, item) if path in mounted]
        if found and pull:
            yield _evidence(script, found, pull)


def _pull(inventory: Inventory) -> Location | None:
    """Where new code is fetched into a checkout on a host, by a command or as a document tells."""
    for use in command_texts.uses(inventory, ("git",)):
        if "pull" in use.command.words[1:4] and not use.text.is_on_thrown_away_host and use.text.kind != "target":
            return use.command.location
    told = (item.location for item in deployment.documented_commands(inventory) if item.text.startswith("git pull"))
    return next(told, None)


def _gives_back(command: Command) -> bool:
    """Whether a command takes a change back, or makes a commit of it."""
    if command.words[0] == "git":
        return bool(_RESTORES & set(command.words[1:3]))
    words = [word for word in command.words if not word.startswith("-")]
    return words[0] in _COPIES and len(words) == 3 and words[1].startswith(f"{words[2]}.")


def _written(script: Script, command: Command) -> Iterator[str]:
    """The paths that a command writes, as they are seen from the root: `sed -i`, a copy, what goes into a file."""
    words = [word for word in command.words if not word.startswith("-")]
    if command.words[0] == "sed" and any(word.startswith(("-i", "--in-place")) for word in command.words):
        yield from _seen(script, words[-1])
    elif command.words[0] in _COPIES and len(words) == 3:
        yield from _seen(script, words[2])
    for path in command.writes:
        yield from _seen(script, path)


def _seen(script: Script, word: str) -> Iterator[str]:
    plain = _VARIABLE.sub("", word, count=1)
    if "$" not in plain and not plain.startswith("/"):
        for folder in ("", posixpath.dirname(script.path)):
            yield posixpath.normpath(posixpath.join(folder, plain))


def _evidence(script: Script, found: list[tuple[str, Command]], pull: Location) -> Evidence:
    (path, first), *others = found
    stem, ending = posixpath.splitext(path)
    return Evidence(
        f"{script.path} rewrites {path}, which Git tracks: the next `git pull` on the host that brings a change of it "
        "stops, and `git reset --hard` takes back what the script did.",
        first.location,
        subject=f"{script.path}/{path}",
        related=(
            Related(pull, "new code is pulled here"),
            *(Related(item.location, f"{name} is written here", member=True) for name, item in others),
        ),
        recommendation=f"Let {script.path} write a file that `.gitignore` leaves out, and mount that one.",
        example=files.into(".gitignore", f"/{stem}.active{ending}"),
    )
