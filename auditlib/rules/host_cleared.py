"""A script removes what belongs to other projects of the host.

`docker stop $(docker ps -aq)` ends every container of the host, and `docker volume rm $(docker volume ls -q)` deletes
every volume that no container uses at that moment: another project's database too. `docker system prune -a` in a
deployment removes, beside other people's stopped containers, the image of the version before, to which one would go
back.

Anti-pattern:

    docker stop $(docker ps -aq)
    docker rm $(docker ps -aq)
    docker compose up -d

Better:

    docker compose down
    docker compose up -d

Recommendation:

    Name the project's own containers, by `docker compose down` or by `--filter label=com.docker.compose.project=…`.

References:

- https://docs.docker.com/reference/cli/docker/system/prune/
- https://docs.docker.com/reference/cli/docker/volume/prune/
- https://docs.docker.com/reference/cli/docker/container/ls/#filter
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ENDS = regex(r"docker (?:container )?(?:stop|kill|rm)\b")
_DELETES = regex(r"docker volume (?:rm|remove)\b")
_CONTAINERS = regex(r"docker (?:container )?(?:ps|ls)(?: -[aq]{1,2}| --all| --quiet){1,3}\s*(?:\)|$)")
_OF_PIPELINE = regex(r"(?:^|/)(?:\.github|\.?ci|\.gitlab|\.circleci)/")
"""Folders of scripts that run on machines of a pipeline."""
_ALL = regex(r"docker (?:container )?(?:ps|ls)\b[^)]*(?: -q?a| --all)")
_VOLUMES = regex(r"docker volume ls(?: -q| --quiet)\s*(?:\)|$)")
_PRUNES = regex(r"docker (?P<what>system|image|volume) prune\b")
_EVERY = regex(r"-[a-z]*a[a-z]*|--all")
_TELLS = regex(r"(?i)clean|prune|purge|nuke|wipe|reset|clear|destroy|remove|uninstall|stop-all|teardown")
"""Names that say that much goes."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text for a host that others may use too, with the commands that mean all that is there."""
    lost = {str(item.location) for item in inventory.recipe_faults if item.kind == "swallowed"}
    uses = command_texts.uses(inventory, ("docker", "xargs"))
    found = [use for use in uses if not _is_thrown_away(use) and (_takes_all(use) or _prunes(use))]
    for group in command_texts.by_text(use for use in found if str(use.command.location) not in lost):
        yield _evidence(inventory, sorted(group, key=lambda use: not _takes_all(use)))


def _is_thrown_away(use: Use) -> bool:
    """Whether a text runs on a machine of a pipeline, which nobody uses after it."""
    of_pipeline = use.text.script is not None and _OF_PIPELINE.search(use.text.path)
    return use.text.is_on_thrown_away_host or bool(of_pipeline)


def _takes_all(use: Use) -> str:
    """What a command does to all of a host; empty where it doesn't."""
    text = " ".join(use.command.words)
    asked = text
    if text.startswith("xargs") and use.index:
        asked = " ".join(use.text.commands[use.index - 1].words)
    if _ENDS.search(text) and _CONTAINERS.search(asked):
        verb = "removes" if " rm" in text else "stops"
        return f"{verb} every {'container' if _ALL.search(asked) else 'running container'} of the host"
    return (
        "removes every volume of the host that nothing uses" if _DELETES.search(text) and _VOLUMES.search(asked) else ""
    )


def _prunes(use: Use) -> bool:
    """Whether a command removes all images, or volumes, in a text that isn't there for this."""
    match = _PRUNES.search(" ".join(use.command.words))
    every = any(_EVERY.fullmatch(word) for word in use.command.words)
    filtered = any(word.startswith("--filter") for word in use.command.words)
    return match is not None and every and not filtered and not _TELLS.search(use.text.name)


def _own(inventory: Inventory, taken: str) -> tuple[str, str]:
    """What a command means, and the one that takes the project's own."""
    down = "docker compose down" if inventory.projects else ""
    if "volume" in taken:
        return "volumes", f"{down} --volumes" if down else "docker volume rm <its own volumes>"
    return "containers", down or f"docker {'rm -f' if 'removes' in taken else 'stop'} <its own containers>"


def _evidence(inventory: Inventory, uses: list[Use]) -> Evidence:
    first, *others = uses
    text = " ".join(first.command.words)[:80]
    if text.startswith("xargs") and first.before:
        text = f"{' '.join(first.before[-1].words)} | {text}"[:120]
    taken = _takes_all(first)
    told = bool(_TELLS.search(first.text.name)) or first.text.is_for_development
    what, line = _own(inventory, taken)
    how = f"as `{line}` does" if "compose" in line else "by their names"
    kept = "every unused volume, with the data of projects that are stopped"
    pruned = kept if " volume " in text else "every image that no container runs, that of the version before too"
    return Evidence(
        f"{first.text.opening} runs `{text}`: it {taken or f'removes {pruned}'}, whichever project it belongs to.",
        first.command.location,
        subject=f"{first.text.name}/docker",
        related=tuple(Related(use.command.location, "takes what others have too", member=True) for use in others),
        severity=None if (taken and not told) or " volume prune" in text else Severity.LOW,
        recommendation=f"Let {first.text.path} take the project's own {what} alone, {how}."
        if taken
        else f"Leave `-a` out in {first.text.path}, or keep what is young: `--filter until=168h`.",
        example=files.into(first.text.path, line if taken else "docker image prune -f"),
    )
