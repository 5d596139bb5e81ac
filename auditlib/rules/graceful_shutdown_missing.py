"""A container is stopped without the chance to finish.

On `docker stop` the first process gets SIGTERM, and SIGKILL ten seconds later. A command in shell form may have a shell
as its first process, which passes no signal on, and so does npm; a program may know SIGINT alone, as Ctrl-C sends it; a
worker needs longer than ten seconds for its task. A server of Go that knows no signal ends at once, in the middle of
its answers, and Node.js as the first process ignores one that nobody handles.
Either way work is cut off at each deployment.

Anti-pattern:

    # Dockerfile
    CMD python prepare.py && uvicorn app.main:app
    # compose.yaml: a worker without stop_grace_period

Better:

    CMD ["uvicorn", "app.main:app", "--timeout-graceful-shutdown", "20"]
    # compose.yaml
    worker: {stop_grace_period: 2m}

Recommendation:

    Write commands as JSON arrays (or begin them with `exec`), handle SIGTERM, and give workers the time that a task
    takes.

References:

- https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
- https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd
- https://docs.docker.com/reference/compose-file/services/#stop_grace_period
- https://pkg.go.dev/net/http#Server.Shutdown
- https://docs.celeryq.dev/en/stable/userguide/workers.html#stopping-the-worker
"""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from auditlib.conventions import (
    code_traits,
    environments,
    first_process,
    mounts,
    server_traits,
    services,
    stacks,
    starting,
)
from auditlib.conventions.code_traits import Use
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules import _files as files
from auditlib.rules import _go_servers as go_servers
from auditlib.rules._rule import Evidence, rule

_LONGEST = "<length of the longest task, such as 2m>"
_SCRIPT = 'COPY start.sh .\nCMD ["./start.sh"]   # a script whose last command begins with `exec`'
_GRACE = 10
"""Seconds that Docker waits, where nothing else is said."""
_TASK_LIMIT = regex(r"\s--(?:timeout|time-limit|soft-time-limit)[= ](\d{1,6})\b")
"""How long a task may take, of Laravel and Celery."""
_PLAIN = regex(r"^[a-z][\w-]*(?:\s[^;&|<>$]*)?$")
"""A program of a package with its arguments, and nothing that needs a shell."""
_GIVEN, _QUOTED = '"$@"', "'$@'"
_NO_TIME = regex(r"0+(?:[a-z]{1,2})?")
_COMPOUND = regex(r"[;&|<>()]|\\\n")


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each shell-form command that services start with; for each project what npm starts, and workers without grace;
    each program that ends in order on SIGINT alone."""
    built: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        if (found := services.dockerfile(inventory, service)) is not None:
            built[found.path].append(service)
    for dockerfile in inventory.dockerfiles:
        mine = built[dockerfile.path]
        target = next((item.build.target for item in mine if item.build), "")
        started = first_process.shell_form(services.final_stage(dockerfile, target)[1])
        users = [item for item in mine if started and _uses(item, started)]
        if started and not environments.is_for_development(dockerfile.path):
            yield _shell_evidence(started, users)
    yield from _left_to_scripts(inventory)
    for service in inventory.distinct_services:
        if (signal := _kills(inventory, service)) and _lasts(service):
            yield _killed_evidence(service, signal)
        interrupted = server_traits.of(inventory, service, "interrupt")
        if interrupted and _lasts(service) and not _is_interrupted(inventory, service):
            yield _signal_evidence(service, interrupted[0])
    yield from _unended(inventory)
    declared = stacks.by_project(inventory.distinct_services)
    for project in inventory.projects:
        own = declared.get(project.name, [])
        kept = [item for item in own if not environments.only_for_development(item)]
        used = [item for item in kept if not environments.is_for_developers(inventory, item)]
        managed = [(item, start) for item in used if (start := first_process.package_manager(inventory, item))]
        if managed:
            yield _managed_evidence(inventory, project.name, managed)
        workers = [item for item in kept if durability.is_worker(inventory, item) and not _has_time(item)]
        if workers and not durability.is_idle(inventory, workers):
            yield _worker_evidence(project.name, workers)


_NODE = (".js", ".ts", ".mjs", ".cjs")
_GO_ENDS = """\
ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
defer stop()
go server.ListenAndServe()
<-ctx.Done()
server.Shutdown(context.Background())   // of an http.Server, with a limit of time"""
_NODE_ENDS = "process.on('SIGTERM', () => server.close(() => process.exit(0)));"


def _unended(inventory: Inventory) -> Iterator[Evidence]:
    """For Go and Node.js the servers in whose code nothing ends them in order."""
    told = {
        use.trait.location.file for use in go_servers.untimed(inventory)
    }  # what has no limit of time says this as well
    for kinds, endings in ((("go server", "go listens"), (".go",)), (("node server",), _NODE)):
        uses = [use for use in go_servers.unended(inventory, kinds, endings) if use.trait.location.file not in told]
        alone = uses if endings != _NODE else code_traits.where(uses, partial(_is_first, inventory))
        if alone:
            yield _unended_evidence(alone)


def _is_first(inventory: Inventory, service: Service) -> bool:
    """Whether Node.js is the first process of a service, without an init that would pass signals on to it."""
    first = next(iter(starting.of(inventory, service)), None)
    words = first.words if first and not service.init else ()
    shell = first is not None and first_process.shell_form(services.built_from(inventory, service)[1])
    return bool(words) and words[0].rpartition("/")[2] == "node" and not (shell and not service.command)


def _unended_evidence(uses: list[Use]) -> Evidence:
    trait = uses[0].trait
    several = len({item.key for use in uses for item in use.services}) > 1
    go = trait.kind != "node server"
    does = (
        f"{'end' if several else 'ends'} at once when Docker stops {'them' if several else 'it'}, and requests at hand "
        "are cut off: nothing in the code handles SIGTERM or calls Shutdown"
        if go
        else f"{'go' if several else 'goes'} on at SIGTERM, which Node.js ignores as the first process where no code "
        "handles it, and is killed after the grace period with the requests at hand"
    )
    return Evidence(
        f"{code_traits.names(uses)} {does}.",
        trait.location,
        subject=f"{trait.kind}/end",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses, "the same here"),
        recommendation=f"Handle SIGTERM in {trait.location.file}: take no new requests, and let those at hand end.",
        example=files.into(trait.location.file, _GO_ENDS if go else _node_ends(trait.location.file, uses)),
    )


def _node_ends(file: str, uses: list[Use]) -> str:
    return "app.enableShutdownHooks();" if uses and file.endswith("main.ts") else _NODE_ENDS


def _lasts(service: Service) -> bool:
    return not environments.only_for_development(service) and not services.is_one_shot(service)


def _behind(inventory: Inventory, service: Service, start: Start) -> str:
    """What the script of package.json starts, as far as one of the service has it."""
    context = service.build.context if service.build else ""
    packages = [
        item for item in inventory.manifests if item.kind == "npm" and mounts.is_below(item.path, _root(context))
    ]
    found = [target.text for item in packages for target in item.targets if target.name == start.words[-1]]
    text = found[0] if len(found) == 1 else ""
    if not _PLAIN.match(text):
        return f"<what the script {start.words[-1]} starts>"
    return text if text.startswith("node ") else f"node_modules/.bin/{text}"  # where npm alone looks for programs


def _root(context: str) -> str:
    return "" if context == "." else context


def _managed_evidence(inventory: Inventory, project: str, managed: list[tuple[Service, Start]]) -> Evidence:
    (service, start), *rest = managed
    names = listed(item.name for item, _ in managed)
    return Evidence(
        f"The first process of {names} is {start.words[0]}, which as a rule passes no SIGTERM on to the program that "
        "it starts; the program is killed after the grace period.",
        start.location,
        subject=f"{project}/npm",
        service=service.name,
        related=tuple(Related(other.location, f"{item.name} is started so too", member=True) for item, other in rest),
        recommendation=f"Start {service.name} with the command of the script itself, like `node server.js`, and not "
        f"with `{' '.join(start.words)}`.",
        example=compose_lines.of_service(service, f"command: {_behind(inventory, service, start)}"),
    )


def _left_to_scripts(inventory: Inventory) -> Iterator[Evidence]:
    """For each script one finding for the services whose program it starts as a child of its shell."""
    started: defaultdict[Location, list[tuple[Service, Start]]] = defaultdict(list)
    for service in inventory.distinct_services:
        last = first_process.last_of_script(inventory, service)
        if last and _lasts(service):
            started[last.location].append((service, last))
    for found in started.values():
        yield _script_evidence([service for service, _ in found], found[0][1])


def _script_evidence(users: list[Service], last: Start) -> Evidence:
    service = users[0]
    places = [item.command_location or item.location for item in users]
    begin = _GIVEN if last.words == first_process.HANDED else last.words[0]
    return Evidence(
        f"{last.location.file} starts the program of {listed(item.name for item in users)} as a child of its shell, "
        "which passes no SIGTERM on; the program is killed after the grace period.",
        last.location,
        subject=f"{service.name}/script",
        service=service.name,
        related=tuple(
            Related(place, f"{item.name} starts with the script", member=item is not service)
            for item, place in zip(users, places, strict=True)
        ),
        recommendation=f"Begin the last command of {last.location.file} with `exec`.",
        change=(begin, f"exec {begin}"),
        example=f"exec {shlex.join(last.words).replace(_QUOTED, _GIVEN)}",
    )


def _kills(inventory: Inventory, service: Service) -> str:
    """What ends a container at once: SIGKILL as its signal to stop, or no time to end; empty for neither."""
    _, steps = services.built_from(inventory, service)
    image = next((item.argument for item in reversed(steps) if item.keyword == "STOPSIGNAL"), "")
    signal = service.stop_signal or image
    if signal.upper().removeprefix("SIG") in ("KILL", "9"):
        return f"`stop_signal: {signal}`" if service.stop_signal else f"`STOPSIGNAL {signal}`"
    return f"`stop_grace_period: {service.stop_grace_period}`" if _NO_TIME.fullmatch(service.stop_grace_period) else ""


def _killed_evidence(service: Service, signal: str) -> Evidence:
    return Evidence(
        f"{service.name} is killed the moment that it is to stop, as {signal} says: what it has at hand is cut off at "
        "each deployment.",
        service.location,
        subject=f"{service.name}/killed",
        service=service.name,
        recommendation=f"Take {signal} from {service.name}, and give it the time that its work takes.",
        confidence=Confidence.HIGH,
        example=compose_lines.of_service(service, f"stop_grace_period: {_LONGEST}"),
    )


def _is_interrupted(inventory: Inventory, service: Service) -> bool:
    """Whether the container is stopped by SIGINT, as Compose or the image says."""
    _, steps = services.built_from(inventory, service)
    return bool(service.stop_signal) or any(item.keyword == "STOPSIGNAL" for item in steps)


def _signal_evidence(service: Service, trait: ServerTrait) -> Evidence:
    return Evidence(
        f"The program of {service.name} ends in order on SIGINT alone, and Docker sends SIGTERM, which no file of the "
        "code knows: the program is killed in the middle of its work.",
        trait.location,
        subject=f"{service.name}/signal",
        service=service.name,
        related=(Related(service.location, f"{service.name} has no `stop_signal`"),),
        recommendation=f"Handle SIGTERM as well, or set `stop_signal: SIGINT` for {service.name}.",
        example=compose_lines.of_service(service, "stop_signal: SIGINT"),
    )


def _is_simple(started: Instruction) -> bool:
    """Whether the shell is to run one program and nothing else, so that it can become that program."""
    plain = not _COMPOUND.search(started.argument) and "=" not in started.argument.partition(" ")[0]
    return plain and len(started.commands) == 1


def _uses(service: Service, started: Instruction) -> bool:
    replaced = service.entrypoint if started.keyword == "ENTRYPOINT" else (*service.entrypoint, *service.command)
    return not replaced and not services.is_one_shot(service)


def _shell_evidence(started: Instruction, users: list[Service]) -> Evidence:
    names = f" of {listed(item.name for item in users)}" if users else ", where the image's own command is used,"
    return Evidence(
        f"{started.keyword} has the shell form, so that the first process{names} may be a shell that passes no SIGTERM "
        "on; the program is killed after the grace period.",
        started.location,
        subject=started.keyword,
        service=users[0].name if users else None,
        related=tuple(Related(item.location, f"{item.name} is started with it", member=True) for item in users),
        recommendation=f"Write the {started.keyword} as a JSON array, or begin it with `exec`.",
        confidence=None if users else Confidence.LOW,
        change=(f"{started.keyword} ", f"{started.keyword} exec ") if _is_simple(started) else ("", ""),
        example=f"{started.keyword} {json.dumps(list(started.words))}" if len(started.commands) == 1 else _SCRIPT,
    )


def _has_time(service: Service) -> bool:
    """Whether a worker may end its task: by a period of grace, or as its command ends tasks within the usual one."""
    limit = _TASK_LIMIT.search(" ".join((*service.entrypoint, *service.command)))
    return bool(service.stop_grace_period) or (limit is not None and 0 < int(limit[1]) < _GRACE)


def _worker_evidence(project: str, workers: list[Service]) -> Evidence:
    names = listed(item.name for item in workers)
    first, *rest = workers
    own = any("sidekiq" in word for item in workers for word in item.command)
    loss = (
        "Sidekiq gives its tasks 25 seconds to end, and Docker kills it after ten"
        if own
        else ("a task of more than ten seconds, if there are such, is killed at each deployment")
    )
    return Evidence(
        f"{names} {'works' if not rest else 'work'} on tasks and {'has' if not rest else 'have'} no "
        f"stop_grace_period: {loss}.",
        first.command_location or first.location,
        subject=f"{project}/stop-grace",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} has none either", member=True) for item in rest),
        recommendation=f"Set `stop_grace_period` of {names} to the length of the longest task.",
        example="\n".join(compose_lines.of_service(item, f"stop_grace_period: {_LONGEST}") for item in workers),
    )
