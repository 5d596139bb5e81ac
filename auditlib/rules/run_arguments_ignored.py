"""`docker compose run` hands a service a command, and its entry point never looks at it.

What follows the service's name becomes the arguments of its entry point. One that is `sh -c "…"` with a script of its
own takes them for `$0` and `$1`, and does what it always does: a loop that renews certificates starts instead of the
command, and never ends.

Anti-pattern:

    certbot:
      image: certbot/certbot:v4.2.0
      entrypoint: sh -c "while :; do certbot renew; sleep 12h; done"
    # deploy.sh
    docker compose run --rm certbot certonly --webroot -w /var/www/certbot -d shop.example.org

Better:

    docker compose run --rm --entrypoint certbot certbot certonly --webroot -w /var/www/certbot -d shop.example.org

Recommendation:

    Give `run` the entry point as well, or write the loop as `command` and leave the entry point to the image.

References:

- https://docs.docker.com/reference/cli/docker/compose/run/
- https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from msgspec import Struct

from auditlib.compose_command import Call
from auditlib.conventions import compose_calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SHELLS = frozenset({"sh", "bash", "ash"})
_LOOKS = regex(r"\$(?:@|\*|[0-9]|\{[@*0-9])")
"""What in a script stands for its arguments."""
_LOOPS = regex(r"\b(?:while|until)\b|\bsleep\s+(?:infinity|\d)")


_SHOWN = 4


class _Run(Struct, frozen=True):
    """A call that runs a service with a command of its own."""

    service: Service
    words: tuple[str, ...]
    location: Location


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each such service one finding for the calls of commands and documents that hand it a command."""
    deaf = {item.name: item for item in inventory.services if _is_deaf(item)}
    listening = {item.name for item in inventory.services if item.name in deaf and not _is_deaf(item)}
    found: dict[str, list[_Run]] = {}
    for call, place in compose_calls.everywhere(inventory) if deaf else ():
        run = _run(deaf, call, place)
        if run and (call.files or run.service.name not in listening):  # else another file's may be meant
            found.setdefault(run.service.name, []).append(run)
    for runs in found.values():
        yield _evidence(list({(run.location.file, run.location.line): run for run in runs}.values()))


def _is_deaf(service: Service) -> bool:
    """Whether the entry point is a shell with a script that names none of its arguments."""
    words = [*service.entrypoint]
    if len(words) < 3 or posixpath.basename(words[0]) not in _SHELLS or not words[1].startswith("-"):
        return False
    return words[1].endswith("c") and not _LOOKS.search(words[2].replace("$$", "$")) and len(words) == 3


def _run(deaf: dict[str, Service], call: Call, place: Location) -> _Run | None:
    """The call as one of `run` that hands a deaf service words and leaves its entry point."""
    name = call.services[0] if call.verb == "run" and call.services else ""
    if name not in deaf or any(word.startswith("--entrypoint") for word in call.arguments):
        return None
    words = tuple(word for word in call.arguments[call.arguments.index(name) + 1 :] if word != "\\")
    named = {posixpath.basename(file) for file in call.files}
    fits = not named or posixpath.basename(deaf[name].location.file) in named
    return _Run(deaf[name], words, place) if words and fits else None


def _evidence(runs: list[_Run]) -> Evidence:
    first, *others = runs
    service = first.service
    given = " ".join(first.words[:_SHOWN]) + (" …" if len(first.words) > _SHOWN else "")
    loops = _LOOPS.search(service.entrypoint[2])
    follows = (
        "the loop of the entry point starts in its place, and the call never ends"
        if loops
        else ("the script of the entry point runs in its place")
    )
    program = "certbot" if "certbot" in service.image else first.words[0]
    rest = " ".join(map(_quoted, first.words[first.words[0] == program :]))
    return Evidence(
        f"{first.location.file} runs {service.name} with `{given}`, and its entry point `{service.entrypoint[0]} "
        f"{service.entrypoint[1]}` looks at no argument: {follows}.",
        first.location,
        subject=f"{service.project}/{service.name}/run",
        service=service.name,
        related=(
            Related(service.command_location or service.location, "the entry point"),
            *(Related(item.location, "runs it with a command too", member=True) for item in others),
        ),
        recommendation=f"Give the call its entry point as well: `run --rm --entrypoint {program} {service.name} …`.",
        example=files.into(
            first.location.file, f"docker compose run --rm --entrypoint {program} {service.name} {rest}".rstrip()
        ),
    )


def _quoted(word: str) -> str:
    """A word for the shell; one with an expansion or quotes of its own as it is."""
    return word if set("$\"'") & set(word) else shlex.quote(word)
