"""A deployment writes the environment file anew, without variables that the programs need.

What stood in the file on the host is gone with each deployment: the file holds what the workflow puts into it, and
nothing else. A variable that code demands ends its start; one that has a default for a developer's machine is worse, as
the program starts, asks `localhost` inside its own container, and fails when the first task or request comes.

Anti-pattern:

    cat > .env <<'EOF'
    SECRET_KEY=${{ secrets.SECRET_KEY }}
    EOF
    docker compose up -d
    # settings.py: REDIS_URL = config("REDIS_URL", default="redis://localhost:6379/0")

Better:

    cat > .env <<'EOF'
    SECRET_KEY=${{ secrets.SECRET_KEY }}
    REDIS_URL=redis://redis:6379/0
    EOF

Recommendation:

    Write every variable that the programs need into the file, or give those that are no secret to the services in the
    Compose file.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
- https://12factor.net/config
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command
from auditlib.compose.discovery import BASES
from auditlib.conventions import programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.pipeline import env_writing
from auditlib.pipeline.env_writing import Written
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ENOUGH = 2
"""Variables of the same file of code that the deployment gives before it counts as one that runs."""
_LOCAL = regex(r"://(?:[^/@]{0,200}@)?(?:localhost|127\.0\.0\.1)(?=[:/,\"'\s]|$)")
_BARE = regex(r"[\"']?(?:localhost|127\.0\.0\.1)(?:\s?,\s?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?))*[\"']?")
_OF_SERVER = regex(r"[A-Z0-9]_(?:HOST|HOSTNAME|HOSTS|SERVER|ADDR(?:ESS)?)$")
_OPTIONAL = regex(r"OTEL|JAEGER|ZIPKIN|STATSD|PROMETHEUS|LOKI|TEMPO|OLLAMA|LOCAL|DEV|TEST|DEBUG|LISTEN|BIND|PROXY")
"""In names of what a program does without, or of where it listens itself."""
_FOR_BROWSERS = regex(r"CORS|ORIGIN|FRONTEND|CLIENT|PUBLIC|SITE|CALLBACK|REDIRECT")


class _Lack(Struct, frozen=True):
    """A setting that a service reads and that neither the file nor the service's own environment has."""

    setting: Setting
    service: Service


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file that deployments write one finding with all that the services which are given it lack."""
    found: dict[tuple[str, frozenset[str]], list[tuple[Written, list[_Lack]]]] = {}
    for item in env_writing.written(inventory):
        lacking = [
            _Lack(setting, service)
            for service in _given(inventory, item)
            for setting in _lacking(inventory, service, item)
        ]
        if lacking:
            names = frozenset(each.setting.name for each in lacking)
            found.setdefault((item.path, names), []).append((item, lacking))
    for (item, lacking), *others in found.values():
        further = (
            *(Related(other.location, f"{other.job.id} writes it so, too", member=True) for other, _ in others),
            *_switched_off(inventory, item, [each.service for each in lacking]),
        )
        yield _evidence(item, lacking, _assumption(inventory, lacking[0].service), further)


def _switched_off(inventory: Inventory, item: Written, users: list[Service]) -> Iterator[Related]:
    """What the template of the file has, the code takes as empty, and the file lacks: a part that is off then."""
    empty: set[str] = set()
    for service in users:
        settings, own = _code(inventory, service)
        given = {name.upper() for name in own | item.told}
        silent = (setting for setting in settings if setting.default_kind in ("empty", "null", "none"))
        empty |= {setting.name for setting in silent if not setting.required and _names(setting).isdisjoint(given)}
    for file in inventory.env_files if empty else ():
        if file.template and posixpath.basename(file.copied_to) == posixpath.basename(item.path):
            named = (line for line in file.lines if line.name in empty and not line.commented)
            yield from (
                Related(line.location, f"{line.name}, which is empty without it, isn't written") for line in named
            )


def _given(inventory: Inventory, item: Written) -> list[Service]:
    """The services that the deployment starts and whose only environment file this is."""
    name, started = posixpath.basename(item.path), _files(item)
    users = [
        service for service in inventory.deployed_services
        if service.env_files and posixpath.basename(service.location.file) in started
        and {posixpath.basename(file.path) for file in service.env_files} == {name}
    ]  # fmt: skip
    return users if len({file.path for service in users for file in service.env_files}) == 1 else []


def _files(item: Written) -> set[str]:
    """The names of the Compose files that the job starts, the usual ones where it names none."""
    found: set[str] = set()
    for command in (command for step in item.job.steps for command in (*step.remote, *step.commands)):
        call = compose_command.of(command.words)
        if call is not None and call.verb == "up":
            found |= {posixpath.basename(path) for path in call.files} or set(BASES)
    return found


def _lacking(inventory: Inventory, service: Service, item: Written) -> Iterator[Setting]:
    """What the code of a service demands, or asks on its own host, and isn't given."""
    settings, own = _code(inventory, service)
    given = {name.upper() for name in own | item.told}
    by_file: defaultdict[str, list[Setting]] = defaultdict(list)
    for setting in settings:
        by_file[setting.location.file].append(setting)
    for alike in by_file.values():
        if sum(not _names(setting).isdisjoint(given) for setting in alike) >= _ENOUGH:
            yield from (
                setting for setting in alike
                if _names(setting).isdisjoint(given) and _is_needed(setting, service) and not _stands_in(setting, given)
            )  # fmt: skip


def _code(inventory: Inventory, service: Service) -> tuple[tuple[Setting, ...], frozenset[str]]:
    """The settings of a service's code, and what it is given beside the file."""
    known = (*programs.programs(inventory), *programs.of_only_image(inventory))
    program = next((item for item in known if item.service.key == service.key), None)
    return (program.settings, program.given) if program is not None else ((), frozenset())


def _names(setting: Setting) -> set[str]:
    return {name.upper() for name in (setting.name, *setting.aliases)}


def _stands_in(setting: Setting, given: set[str]) -> bool:
    """Whether another variable of the family tells the same: `REDIS_HOST` in the place of `REDIS_URL`."""
    family, _, kind = setting.name.upper().rpartition("_")
    pairs = {"URL": ("HOST",), "URI": ("HOST",), "HOST": ("URL", "URI"), "DSN": ("HOST",)}
    return any(f"{family}_{other}" in given for other in pairs.get(kind, ()))


def _is_needed(setting: Setting, service: Service) -> bool:
    if setting.conditional or setting.unused:
        return False
    return setting.required or (_is_local(setting) and service.network_mode != "host")


def _is_local(setting: Setting) -> bool:
    """Whether a default leads to the program's own host, and to no other."""
    name, text = setting.name.upper(), setting.default.text if setting.default else ""
    if setting.default_kind != "literal" or _OPTIONAL.search(name):
        return False
    if "://" in text:
        return len(_LOCAL.findall(text)) == text.count("://")
    return bool(_BARE.fullmatch(text) and _OF_SERVER.search(name))


def _assumption(inventory: Inventory, service: Service) -> str:
    """What the finding rests on where no file tells of what an image is made."""
    built = any(program.service.key == service.key for program in programs.programs(inventory))
    return "" if built else f", if {service.image} is made by {inventory.dockerfiles[0].path}"


def _evidence(item: Written, lacking: list[_Lack], assumption: str, further: tuple[Related, ...]) -> Evidence:
    settings = {each.setting.name: each.setting for each in reversed(lacking)}
    ordered = sorted(settings.values(), key=lambda item: (not item.required, item.location.file, item.location.line))
    demanded = [setting.name for setting in ordered if setting.required]
    local = [setting.name for setting in ordered if not setting.required]
    users = list(dict.fromkeys(each.service.name for each in lacking))
    parts = [f"the code demands {listed(demanded)}"] if demanded else []
    default = "defaults to" if len(local) == 1 else "default to"
    parts += [f"{listed(local, limit=6)} {default} localhost, where a container is alone"] if local else []
    mild = not demanded and all(_FOR_BROWSERS.search(name.upper()) for name in local)
    return Evidence(
        f"Each deployment writes {item.path} anew with {counted(len(item.names), 'variable')}, and {listed(users)} "
        f"{'gets' if len(users) == 1 else 'get'} no other file: {'; '.join(parts)}{assumption}.",
        item.location,
        subject=f"{item.job.workflow}/{item.path}",
        service=users[0],
        related=(
            *(Related(setting.location, _said(setting), member=True) for setting in ordered),
            Related(lacking[0].service.env_files[0].location, f"{users[0]} is given the file"),
            *further,
        ),
        recommendation=f"Write {listed((*demanded, *local), limit=3)} into {item.path}, too, or give what is no secret "
        "to the services in the Compose file.",
        severity=Severity.MEDIUM if mild else None,
        example=files.into(
            item.location.file, "\n".join(f"{name}=<value for the host>" for name in (*demanded, *local))
        ),
    )


def _said(setting: Setting) -> str:
    return f"{setting.name} has no default" if setting.required else f"{setting.name} defaults to {setting.default}"
