"""Lines of Compose files that several rules advise to write, in the names of the repository."""

from __future__ import annotations

import itertools
import posixpath
import shlex
import textwrap
from collections.abc import Collection, Iterable, Sequence

from auditlib import compose_command
from auditlib.compose.discovery import BASES, OVERRIDES
from auditlib.conventions import deployment, exporters, networks, published_images, services
from auditlib.conventions.exporters import Exporter
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Mount, Port, Project, Service
from auditlib.paths import normal

_LOOKED_AT = 300
_BROKERS = ("RabbitMQ", "Redis", "Valkey")
_FOUND_BY_ITSELF = frozenset((*BASES, *OVERRIDES))


def of_service(service: Service, lines: str) -> str:
    """Lines of one service, below its name; nothing without lines."""
    return of_name(service.name, lines)


def of_name(name: str, lines: str) -> str:
    """Lines of a service that may not be there yet."""
    return f"{name}:\n{textwrap.indent(lines, '  ')}" if lines else ""


def call(inventory: Inventory, project: str) -> str:
    """`docker compose` as it is called for a project from the root, with the files that it doesn't find by itself.

    What is started with a file of variables of its own everywhere gets that one here, too.
    """
    files = inventory.files_of(project)
    named = () if _FOUND_BY_ITSELF.issuperset(files) else files
    given = [f"--env-file {shlex.quote(file)}" for file in _env_file(inventory, files) if file]
    return " ".join(("docker compose", *(f"-f {shlex.quote(file)}" for file in named), *given))


def _env_file(inventory: Inventory, files: Collection[str]) -> set[str]:
    """The one file of variables with which documents and commands start Compose files; nothing where they differ."""
    found = {next(iter(call.env_files), "") for call in _ups(inventory) if _is_of(call, files)}
    return found if len(found) == 1 and not any(sign in file for file in found for sign in "$<") else set()


@answered_once
def _ups(inventory: Inventory) -> list[compose_command.Call]:
    """The calls by which documents and commands start what Compose files name."""
    told = (item.words for item in deployment.documented_commands(inventory))
    calls = (compose_command.of(words) for words in (*told, *(item.words for item in deployment.commands(inventory))))
    return [call for call in calls if call and call.verb == "up"]


def _is_of(call: compose_command.Call, files: Collection[str]) -> bool:
    """Whether a call of Compose in the root takes just these files."""
    return set(map(normal, call.files)) == set(files) if call.files else _FOUND_BY_ITSELF.issuperset(files)


@answered_once
def _starts(inventory: Inventory) -> list[compose_command.Call]:
    """The calls by which commands start services, here and on other hosts."""
    remote = (command for step in inventory.steps for command in step.remote)
    calls = (compose_command.of(item.words) for item in (*deployment.commands(inventory), *remote))
    return [call for call in calls if call and call.verb == "up"]


def set_in(inventory: Inventory, project: str) -> str:
    """Where a variable of a project is to be set: in `.env`, unless what starts it gives Compose another file."""
    own = {posixpath.basename(file) for file in inventory.files_of(project)}
    given: dict[str, None] = {}
    for call in _starts(inventory):
        if own & ({posixpath.basename(file) for file in call.files} or set(BASES)):
            given.update((after, None) for word, after in itertools.pairwise(call.options) if word == "--env-file")
    names = [file for file in given if "$" not in file]
    return "set it in .env" if not given else f"set it in {names[0]}" if len(given) == len(names) == 1 else "set it"


def new_service(inventory: Inventory, host: str, askers: Sequence[Service] = ()) -> str:
    """A service that others ask by name, with the image that the name stands for, where it meets them and whom it asks.

    Without anybody who asks it, it goes where most services are.
    """
    known = exporters.of_host(host, "")
    watched = _watched(inventory, known) if known else None
    told = published_images.told(known.name, watched) if known else ""
    told = told or _configured(inventory, known, home(inventory, askers))
    meets = joining(inventory, home(inventory, askers), [*askers[:1], *([watched] if watched else [])])
    lines = "\n".join(filter(None, (f"image: {published_images.image_for(host)}", meets, told)))
    return f"services:\n{textwrap.indent(of_name(host, lines), '  ')}"


def _configured(inventory: Inventory, known: Exporter | None, project: Project | None) -> str:
    """The mount of the configuration that the repository has for an Alertmanager."""
    if known is None or known.name != "Alertmanager" or project is None or not inventory.receivers:
        return ""
    path = posixpath.relpath(inventory.receivers[0].file, posixpath.dirname(project.location.file) or ".")
    shown = path if path.startswith(".") else f"./{path}"
    return f'volumes: ["{shown}:/etc/alertmanager/alertmanager.yml:ro"]'


def home(inventory: Inventory, askers: Sequence[Service]) -> Project | None:
    """The project that a service belongs in: that of who asks it, else the first one."""
    asking = (item for item in inventory.projects if askers and item.name == askers[0].project)
    return next(iter((*asking, *inventory.base_projects, *inventory.projects)), None)


def joining(inventory: Inventory, project: Project | None, others: Iterable[Service]) -> str:
    """The line by which an added service meets others; nothing where it meets them in the default network."""
    found = networks.to_meet(inventory, project.name, others) if project else []
    return f"networks: [{', '.join(found)}]" if found and found != ["default"] else ""


def _watched(inventory: Inventory, exporter: Exporter) -> Service | None:
    """The service that an exporter tells about; of a great many the first ones are looked at."""
    wanted = _BROKERS if exporter.name == "Celery exporter" else exporter.watches
    few = itertools.islice(inventory.distinct_services, _LOOKED_AT) if wanted else ()
    found = ((item, services.product(inventory, item)) for item in few)
    return next((item for item, product in found if product and product.name in wanted), None)


def waiting(service: Service, needed: str, condition: str, also: Collection[str] = ()) -> str:
    """All that a service waits for, one of it (and `also` others) under this condition.

    A list knows no conditions, so it is a mapping.
    """
    waits = {item.service: item.condition for item in service.dependencies if not item.implicit}
    waits |= dict.fromkeys((*also, needed), condition)
    lines = "".join(f"\n  {name}: {{condition: {each}}}" for name, each in waits.items())
    return of_service(service, f"depends_on:{lines}")


def login_before(router: str, users: str, *, swarm: bool = False) -> str:
    """The labels that put a login before what a router of Traefik leads to; `users` is the variable that holds them.

    In Swarm they stand below `deploy`.
    """
    lines = (
        f"labels:\n  - traefik.http.routers.{router}.middlewares={router}-login\n"
        f"  - traefik.http.middlewares.{router}-login.basicauth.users=${{{users}:?made by htpasswd -nB}}"
    )
    return of_name("deploy", lines) if swarm else lines


def local_form(port: Port) -> str:
    """A port as it is written where the host alone is to reach it; without one of the host Docker chooses it."""
    return f'"127.0.0.1:{port.written}:{port.target}"'


def on_loopback(port: Port) -> tuple[str, str]:
    """A port in the short form, published to the host alone; nothing where it is written in another way."""
    if not port.written or port.host_ip:
        return "", ""
    plain = f"{port.written}:{port.target}"
    return plain, f"127.0.0.1:{plain}"


def filtered(port: Port) -> str:
    """The rule of the host that lets but some reach a published port, by its number before it is translated."""
    return (
        f"iptables -I DOCKER-USER -p {port.protocol or 'tcp'} -m conntrack --ctdir ORIGINAL \\\n"
        f"  --ctorigdstport {port.host_port or '<the port>'} ! -s <those who need it> -j DROP"
    )


def mounted_at(mount: Mount, target: str) -> tuple[str, str]:
    """A mount in the short form, at another place of the container; another form has no such text."""
    mode = ":ro" if mount.read_only else ""
    return f":{mount.target}{mode}", f":{target}{mode}"


def mount_of(service: Service, source: str, target: str, mode: str = ":ro") -> str:
    """A file or folder of the repository at a place of a service's container."""
    return of_service(service, of_mount(service.location.file, source, target, mode))


def of_mount(file: str, source: str, target: str, mode: str = "") -> str:
    """The same without the service, as the Compose file that it stands in writes it."""
    path = posixpath.relpath(source or ".", posixpath.dirname(file) or ".")
    shown = path if path.startswith(".") else f"./{path}"
    return f"volumes:\n  - {shown}:{target}{mode}"


def named_volume(service: Service, folder: str, content: str = "data") -> str:
    """A named volume for a folder of a service, and its declaration."""
    name = f"{service.name}-{content}"
    return f"services:\n  {service.name}:\n    volumes:\n      - {name}:{folder}\nvolumes:\n  {name}:"
