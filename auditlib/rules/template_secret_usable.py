"""A template of an environment file offers a password with which everything starts.

Whoever copies the template and changes nothing runs with a password that stands in the repository. A template that
leaves the value out makes Compose, or the code, ask for one.

Anti-pattern:

    # .env.example
    POSTGRES_PASSWORD=postgres
    JWT_SECRET=change-me

Better:

    # .env.example
    POSTGRES_PASSWORD=
    # openssl rand -hex 32
    JWT_SECRET=

Recommendation:

    Leave the values of secrets empty in the template, say how to make one, and demand them with `${NAME:?}`.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
- https://12factor.net/config
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterator

from auditlib.conventions import env_file_uses, env_readers, environments, programs, secrets, services, templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_SPRING = regex(r"(?:^|/)(?:application|bootstrap)(?:-[\w-]+)?\.(?:ya?ml|properties)$")

_LIKE_NAME = regex(r"[A-Z]+(?:_[A-Z]+)+")
"""What looks as a variable's name does, and is a password nevertheless where it stands: `YOUR_DB_PASSWORD`."""
_LARAVEL = (31, 32, 51)
"""Characters of a key in base64 behind `base64:`, of AES-128 and AES-256, and of one of AES-256 as it is."""
_FERNET = (43, 44)
_OF_PROMETHEUS = regex(r"^(?:PROM(?:ETHEUS)?|ALERTMANAGER)_(?:\w+_)?PASS(?:WORD)?$")
"""https://prometheus.io/docs/prometheus/latest/configuration/https/ has passwords as hashes alone."""

_SERVERS = {"Redis": ("Redis", "Valkey"), "the message broker": ("RabbitMQ",)}
"""By what a password protects the products that Compose may start for it."""
_LOGIN = regex(r"requirepass|aclfile|\.conf\b|rabbitmqctl|add_user", re.I)
_CONFIGURES = regex(r"\.(?:conf|config|json|acl|sh)$|/etc/|/usr/local/etc/", re.I)
"""What of a command or a mount may give a server its logins."""
_ENDPOINT = regex(r"https?://([A-Za-z][\w-]*)(?=[:/]|$)")
"""An address by a name without a dot, which only the network of Compose knows."""

_OF_COMPANY = regex(r"^(?P<who>[A-Z0-9]{3,})_(?:API_(?:KEY|TOKEN|SECRET)|CLIENT_SECRET)$")
"""A key that is called by somebody's name, as companies call what they give out."""
_OWN = frozenset({
    "APP", "API", "ADMIN", "INTERNAL", "SERVICE", "MASTER", "SERVER", "BACKEND", "FRONTEND", "WEB", "AUTH", "SECRET",
    "PRIVATE", "ROOT", "SYSTEM", "MAIN", "DEFAULT", "CLIENT", "USER", "WORKER", "AGENT", "GATEWAY", "OAUTH", "PROXY",
    "METRICS", "MONITORING", "INGEST", "WEBHOOK", "DEVICE", "SENSOR", "CRON", "DEPLOY", "HEALTH", "LLM",
    "TRAIN", "RETRAIN", "PREDICT", "SYNC", "UPLOAD", "BACKUP", "EXPORT", "IMPORT", "JOBS", "TASKS", "EVENTS",
})  # fmt: skip
"""Words for what a program gives out itself."""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each template with all passwords and keys that work as they stand there."""
    read = {item.name for item in inventory.variables} | {item.name for item in inventory.settings}
    made = _made_by_scripts(inventory)
    refused = {item.identity for item in inventory.refused_values}
    vain = {item.name for item in inventory.settings if item.unused} - {item.name for item in inventory.variables}
    left_out = vain | made | secrets.guards(inventory).keys()
    for file in inventory.env_files:
        if file.template and not environments.is_for_development(file.copied_to):
            handed = [item for item in inventory.services if _is_handed(item, file)]
            works = [line for line in file.lines if _works(line, refused) and line.name not in left_out]
            here = _is_read_here(inventory, file)
            used = [line for line in works if line.name in read or _may_be_read(inventory, handed, line.name, here)]
            used = [line for line in used if not _is_no_fault(inventory, file, line)]
            if used and not _is_read_by_nothing(inventory, file, used):
                yield _evidence(file, used)


def _is_no_fault(inventory: Inventory, file: EnvFile, line: EnvLine) -> bool:
    """Whether nothing starts with a value, or what does has no use for it."""
    return (
        _is_refused(inventory, line)
        or _is_kept_as_hash(inventory, line)
        or _is_elsewhere_empty(inventory, file, line)
        or _is_given_out(inventory, line)
        or _is_refused_by_servers(inventory, line)
        or _leads_nowhere(inventory, file, line)
    )


def _is_handed(service: Service, file: EnvFile) -> bool:
    return any(reference.path == file.copied_to for reference in service.env_files)


def _is_read_here(inventory: Inventory, file: EnvFile) -> bool:
    """Whether files of the repository name most variables of a template, so that it is for the code that is here."""
    names = [line.name.lower() for line in file.lines if not line.commented]
    return 2 * len(templates.used(inventory).intersection(names)) > len(names)


def _may_be_read(inventory: Inventory, handed: list[Service], name: str, for_code_here: bool) -> bool:
    """Whether a service that is handed the whole file may read a variable of it."""
    named = name.lower() in templates.used(inventory) or programs.is_read_by_libraries(name)
    for service in handed:
        known = env_readers.is_known_image(service)
        here = bool(service.build and not service.build.outside) or (for_code_here and not known)
        if named if here else not known or env_readers.read_by_image(inventory, service, [name]):
            return True
    return False


def _is_refused_by_servers(inventory: Inventory, line: EnvLine) -> bool:
    """Whether Compose starts the server that a password is for, and gives it none: a login with one fails there."""
    if line.name in {item.name for item in inventory.variables} or line.value is None:
        return False
    servers = [
        item for name in _SERVERS.get(secrets.purpose(line.name), ()) for item in services.of_product(inventory, name)
    ]
    return bool(servers) and not any(_may_have_login(item) for item in servers)


def _may_have_login(service: Service) -> bool:
    """Whether a server gets an environment file, or a login or a configuration of its own."""
    words = " ".join((*service.entrypoint, *service.command))
    own = any(is_credential_name(entry.name) for entry in service.environment)
    mounted = any(_CONFIGURES.search(mount.target) for mount in service.mounts)
    return (
        bool(service.build or service.env_files or service.secrets or service.configs)
        or own
        or mounted
        or bool(_LOGIN.search(words))
    )


def _leads_nowhere(inventory: Inventory, file: EnvFile, line: EnvLine) -> bool:
    """Whether the endpoint that the file has for a key is a service's name, and Compose has no such service."""
    family = line.name.partition("_")[0]
    beside = (item for item in file.lines if item.name.startswith(f"{family}_") and "ENDPOINT" in item.name)
    texts = [item.value.text for item in beside if item.value is not None]
    hosts = {found[1] for found in map(_ENDPOINT.match, texts) if found}
    known = {name for item in inventory.services for name in (item.name, item.container_name)}
    return bool(hosts and inventory.services) and hosts.isdisjoint(known | {"localhost"})


def _is_given_out(inventory: Inventory, line: EnvLine) -> bool:
    """Whether a placeholder stands for the key of another company: what is made up opens nothing there."""
    match = _OF_COMPANY.search(line.name)
    if not match or line.value is None or not line.value.placeholder:
        return False
    here = " ".join(f"{item.name} {item.image} {item.container_name}".lower() for item in inventory.services)
    return match["who"] not in _OWN and match["who"].lower() not in here


def _made_by_scripts(inventory: Inventory) -> set[str]:
    """The variables that a script names which makes random values: it gives them to who copies the template."""
    making = {item.path for item in inventory.scripts if any(_makes_values(command) for command in item.commands)}
    return {name.upper() for item in inventory.named_variables if item.path in making for name in item.names}


def _makes_values(command: Command) -> bool:
    return command.words[:2] == ("openssl", "rand") or command.words[:1] in (("pwgen",), ("uuidgen",))


def _is_kept_as_hash(inventory: Inventory, line: EnvLine) -> bool:
    """Whether a password only asks a program that has its hash in a file: another one is refused."""
    commands = (" ".join(item.command) for item in inventory.services)
    return bool(_OF_PROMETHEUS.search(line.name)) and any("--web.config.file" in command for command in commands)


def _is_elsewhere_empty(inventory: Inventory, file: EnvFile, line: EnvLine) -> bool:
    """Whether Compose demands the variable, and another template, for what Compose starts, leaves it empty."""
    uses = [item for item in inventory.variables if item.name == line.name]
    if not uses or not all(item.operator in (":?", "?") for item in uses):
        return False
    folders = {posixpath.dirname(item.location.file) for item in uses}
    others = [item for item in inventory.env_files if item.template and posixpath.dirname(item.path) in folders]
    same = (item for other in others for item in other.lines if item.name == line.name)
    return file not in others and any(item.value is None or not item.value.text for item in same)


def _is_read_by_nothing(inventory: Inventory, file: EnvFile, lines: list[EnvLine]) -> bool:
    """Whether only Spring reads the variables, which takes no such file, and nothing hands the file on."""
    names = {line.name for line in lines}
    reading = [item.location.file for item in inventory.settings if item.name in names]
    by_spring = bool(reading) and all(_OF_SPRING.search(path) for path in reading)
    plain = posixpath.basename(file.copied_to) == ".env"  # a name of its own is one that somebody gives to a program
    return plain and by_spring and not env_file_uses.is_handed_on(inventory, file.copied_to)


def _works(line: EnvLine, refused: Container[int]) -> bool:
    """Whether a line holds a value for a secret that everybody knows, and that something would accept."""
    value = line.value
    if value is None or value.identity in refused or line.commented or not is_credential_name(line.name):
        return False
    told = value.placeholder and _LIKE_NAME.fullmatch(value.text)
    if not told and not (value.secret and (value.weak or value.placeholder)):
        return False
    return not secrets.opens_nothing(line.name, value) and not secrets.is_public(line.name)


def _is_refused(inventory: Inventory, line: EnvLine) -> bool:
    """Whether a framework refuses a key of this length, so that nothing starts: Laravel's, and Fernet's."""
    fernet = line.name.endswith("FERNET_KEY") or (line.name.endswith("ENCRYPTION_KEY") and _uses_fernet(inventory))
    lengths = _FERNET if fernet else _LARAVEL if line.name == "APP_KEY" else None
    if lengths is _LARAVEL and "artisan" not in inventory.files_by_name:
        return False
    return line.value is not None and lengths is not None and line.value.length not in lengths


def _uses_fernet(inventory: Inventory) -> bool:
    """Whether the programs can encrypt with Fernet, whose keys have one length."""
    return any(item.name == "cryptography" for manifest in inventory.manifests for item in manifest.requirements)


def _evidence(file: EnvFile, lines: list[EnvLine]) -> Evidence:
    first, *others = lines
    names = listed(line.name for line in lines)
    one = len(lines) == 1
    them = "it" if one else "them"
    return Evidence(
        f"{file.path} holds {'a value' if one else 'values'} for {names} that {'works' if one else 'work'} as copied: "
        f"unless the code refuses {them}, whoever forgets to change {them} runs with what everybody can read.",
        first.location,
        subject=file.path,
        related=tuple(Related(line.location, f"{line.name} has a value that works", member=True) for line in others),
        recommendation=f"Leave {names} empty in {file.path}, and demand a value where {file.copied_to} is used.",
        change=(f"{first.name}={first.value.text}", f"{first.name}=") if first.value else ("", ""),
        example=files.into(file.path, "\n".join(f"{line.name}=" for line in lines)),
    )
