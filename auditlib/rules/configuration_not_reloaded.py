"""A deployment brings new configuration, and the programs go on with the old one.

`docker compose up -d` makes a container anew if its definition changed. What stands in a mounted file is no part of
that: new rules of Prometheus, new routes of Nginx or Alertmanager lie on the host and count from the next restart on,
which somebody makes weeks later for another reason.

Anti-pattern:

    git pull
    docker compose up -d
    # compose.yaml
    prometheus:
      volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]

Better:

    git pull
    docker compose up -d
    docker compose up -d --force-recreate prometheus

Recommendation:

    Make the services anew that read such files, or tell them to read again, as a step of the deployment.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
- https://prometheus.io/docs/prometheus/latest/configuration/configuration/
- https://nginx.org/en/docs/control.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib import compose_command
from auditlib.conventions import deploy_texts, environments, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_GRAFANA = ("grafana/grafana", "grafana/grafana-oss", "grafana/grafana-enterprise")
"""It reads what it provides and its settings once; dashboards themselves it looks for again."""
_READS_ONCE = frozenset({
    "prom/prometheus", "prom/alertmanager", "prom/blackbox-exporter", "nginx", "nginxinc/nginx-unprivileged", "haproxy",
    "grafana/loki", "grafana/promtail", "grafana/alloy", "grafana/tempo", "caddy", "eclipse-mosquitto", *_GRAFANA,
})  # fmt: skip
"""Images of programs that read their configuration when they start, or when they are told to."""
_STARTS_ANEW = regex(r"--force-recreate|\breload\b|\bHUP\b|/-/reload|\bdocker\s+(?:restart|stop|rm|kill)\b")
_ANEW = frozenset({"down", "restart", "stop", "rm", "kill"})
_DEPLOYS = regex(r"(?:^|[/_.-])(?:deploy|update|upgrade|rollout|release)(?=$|[/_.-])")
_AT_FIRST = regex(r"(?:^|[/_.-])(?:first|initial|init|bootstrap|provision)(?:[-_](?:time|run))?(?=$|[/_.-])")
"""Names of scripts for a host that is empty: its containers are new."""
_CONFIGURATION = regex(r"\.(?:ya?ml|conf|cfg|template|rules|json|toml|alloy|ini)$|file$")
_Read = tuple[Service, Mount]


class _Start(Struct, frozen=True):
    """A start of a deployment, what brought the files before, and by project the services that read theirs once."""

    fetch: Command | None
    command: Command
    found: dict[str, list[_Read]]


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that deploys and has nothing start anew, with the services that mount what they read once."""
    by_file: dict[str, list[_Start]] = {}
    for commands in deploy_texts.each(inventory):
        fetch = deploy_texts.fetching(commands)
        if commands and _brings_files(commands, fetch) and not _starts_anew(commands):
            start = next(_starts(inventory, commands, fetch), None)
            if start:
                by_file.setdefault(start.command.location.file, []).append(start)
    for start in _after_copies(inventory):
        if start.command.location.file not in by_file:
            by_file[start.command.location.file] = [start]
    for starts in by_file.values():
        yield _evidence(inventory, sorted(starts, key=lambda start: "stag" in " ".join(start.command.words)))


def _after_copies(inventory: Inventory) -> Iterator[_Start]:
    """The starts on a host to which an earlier step of the job copies what the services mount."""
    copied = deploy_texts.copied(inventory)
    for step in inventory.steps:
        copies = copied.get(step.location, ())
        for start in _starts(inventory, step.remote, None) if copies and not _starts_anew(step.remote) else ():
            for copy in copies:
                pairs = {name: [pair for pair in reading if deploy_texts.brings(copy, pair[1].source)]
                         for name, reading in start.found.items()}  # fmt: skip
                if kept := {name: reading for name, reading in pairs.items() if reading}:
                    yield _Start(copy, start.command, kept)


def _brings_files(commands: Sequence[Command], fetch: Command | None) -> bool:
    """Whether a text fetches files for what may run already, or deploys by its name and isn't for an empty host."""
    name = commands[0].location.file.lower()
    return not _AT_FIRST.search(name.rpartition("/")[2]) and bool(fetch or _DEPLOYS.search(name))


def _starts(inventory: Inventory, commands: Sequence[Command], fetch: Command | None) -> Iterator[_Start]:
    for command in commands:
        call = compose_command.of(command.words)
        found = _read_once(inventory, command, call) if call and call.verb == "up" else {}
        if found:
            yield _Start(fetch, command, found)


def _starts_anew(commands: Sequence[Command]) -> bool:
    """Whether anything of a text makes containers anew, or has programs read again."""
    calls = filter(None, (compose_command.of(item.words) for item in commands))
    return any(call.verb in _ANEW for call in calls) or any(
        _STARTS_ANEW.search(" ".join(item.words)) for item in commands
    )


def _read_once(inventory: Inventory, command: Command, call: compose_command.Call) -> dict[str, list[_Read]]:
    """By project the services that a start leaves running with what they have read."""
    found: dict[str, list[_Read]] = {}
    for project in deploy_texts.projects(inventory, command, call):
        reading = [(item, mount) for item in deploy_texts.started(inventory, project, call)
                   if (mount := _configuration(inventory, project, item))]  # fmt: skip
        if reading:
            found[project.name] = reading
    return found


def _configuration(inventory: Inventory, project: Project, service: Service) -> Mount | None:
    """The mount of a file or folder of the repository that a program reads once."""
    known = service.build is None and images.repository(service.image) in _READS_ONCE
    if not known or environments.is_for_developers(inventory, service):
        return None
    return next((mount for mount in service.mounts if mount.kind == "bind" and not mount.outside
                 and _is_configuration(inventory, service.image, mount)), None)  # fmt: skip


def _is_configuration(inventory: Inventory, image: str, mount: Mount) -> bool:
    """Whether the repository has what is mounted, and it is configuration rather than pages to serve."""
    if images.repository(image) in _GRAFANA and not mount.target.startswith("/etc/grafana"):
        return False
    if mount.source in inventory.file_set:
        return bool(_CONFIGURATION.search(mount.source))
    return mount.source in inventory.folder_set and mount.target.startswith("/etc/")


def _evidence(inventory: Inventory, starts: list[_Start]) -> Evidence:
    start, *others = starts
    command = start.command
    reading = [item for several in start.found.values() for item in several]
    (first, mount), *rest = reading
    names = listed((service.name for service, _ in reading), limit=4)
    return Evidence(
        f"{command.location.file} deploys by `{' '.join(command.words)}` and starts nothing anew: a changed "
        f"{mount.source} on the host counts for {first.name} from its next restart on only"
        f"{f'; the same holds for {listed(service.name for service, _ in rest)}' if rest else ''}.",
        command.location,
        subject=f"{command.location.file}/configuration",
        service=first.name,
        related=(
            *((Related(start.fetch.location, "brings the files"),) if start.fetch else ()),
            Related(mount.location, f"{first.name} mounts {mount.source}"),
            *(Related(item.location, f"{service.name} mounts {item.source}", member=True) for service, item in rest),
            *(Related(item.command.location, "this start as well", member=True) for item in others),
        ),
        recommendation=f"Make {names} anew after the start, with `up -d --force-recreate`.",
        confidence=None if start.fetch else Confidence.MEDIUM,
        example="\n".join(_anew(inventory, command, *several) for several in start.found.items()),
    )


def _anew(inventory: Inventory, command: Command, project: str, reading: list[_Read]) -> str:
    """The call that makes these services anew, with the files that the deployment names."""
    text = " ".join(command.words)
    call = text.partition(" up ")[0] if "-f " in text else compose_lines.call(inventory, project)
    return f"{call} up -d --force-recreate {' '.join(service.name for service, _ in reading)}"
