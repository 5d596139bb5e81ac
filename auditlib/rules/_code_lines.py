"""How a variable is read in the place of a value that stands in a file, by the kind of the file."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable

from auditlib.compose.discovery import is_compose_file
from auditlib.conventions import secrets
from auditlib.conventions.secrets import Sighting
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.patterns import regex
from auditlib.rules import _files as files

_READING = {
    "py": 'os.environ["{}"]', "js": "process.env.{}", "mjs": "process.env.{}", "ts": "process.env.{}",
    "tsx": "process.env.{}", "sh": '"${{{}:?}}"', "go": 'os.Getenv("{}")', "rb": 'ENV.fetch("{}")',
    "php": "getenv('{}')", "java": 'System.getenv("{}")',
    "rs": 'std::env::var("{0}").expect("{0} is not set")', "kt": 'System.getenv("{0}") ?: error("{0} is not set")',
    "cs": 'Environment.GetEnvironmentVariable("{0}") ?? throw new InvalidOperationException("{0} is not set")',
    "exs": 'System.fetch_env!("{}")', "ex": 'System.fetch_env!("{}")', "properties": "${{{}}}",
}  # fmt: skip
_DEMANDING = {"decouple": 'config("{}")', "django-environ": 'env("{}")', "environs": 'env.str("{}")'}
"""By the library through which code reads a variable, how it does so without a default."""
_UNNAMED = "SECRET"
_MASK = regex(r"(?<=.)‹secret[^›]*›")
"""A secret in a longer value."""
_SPRING = regex(r"(?:^|/)(?:application|bootstrap)[\w-]*\.ya?ml$")
_OF_GRAFANA = regex(r"(?:^|/)provisioning/(?:datasources|plugins|alerting|notifiers)/[^/]+\.ya?ml$")
"""Where Grafana puts variables in: https://grafana.com/docs/grafana/latest/administration/provisioning/."""


def reading(name: str, file: str, *, of_compose: bool = False) -> str:
    """What stands in a file instead of the value of a variable."""
    wanted = re.sub(r"\W+", "_", name).upper() if "." in name else name or _UNNAMED
    if of_compose or is_compose_file(posixpath.basename(file)):
        return f"{wanted}: ${{{wanted}:?set it in .env}}"
    if ".env" in file:
        return f"{wanted}="
    spring = _SPRING.search(file) is not None
    pattern = _READING.get("properties" if spring else file.rpartition(".")[2].lower())
    return pattern.format(wanted) if pattern else f"<the value of {wanted}, filled in when it is deployed>"


def can_read(file: str) -> bool:
    """Whether what stands in a file, or the program that reads it, can take a value from the environment."""
    kind = file.rpartition(".")[2].lower()
    if kind in _READING or kind == "ini" or ".env" in file or _OF_GRAFANA.search(file):
        return True
    return is_compose_file(posixpath.basename(file))


def in_code(inventory: Inventory, name: str, file: str, kind: str = "str") -> str:
    """The same for a file of code; a class of pydantic's settings has a field, which fails to start without a value."""
    fields = settings_fields(inventory, file)
    own = next((item for item in fields if item.name == name), None)
    asked = next((item for item in inventory.settings if (item.name, item.location.file) == (name, file)), None)
    around = next((item for item in fields if asked and item.location.line == asked.location.line), None)
    if own is None and around is not None:  # `password: str = os.getenv("DB_PASSWORD", …)`
        holder, _, field = around.attribute.rpartition(".")
        return f'{field}: {around.type or kind} = Field(validation_alias="{name}")  # in {holder}, without a default'
    if not fields or (own is None and asked is not None):
        return _DEMANDING.get(asked.style if asked else "", "").format(name) or _demanded(reading(name, file), name)
    holder, _, field = (own or fields[0]).attribute.rpartition(".")
    return f"{field if own else name}: {own.type if own and own.type else kind}  # in {holder}, without a default"


def _demanded(text: str, name: str) -> str:
    """The same with what stops the start in languages in which a variable that isn't set is only an empty value."""
    told = f'"{name} is not set"'
    if text.startswith("process.env."):
        return f"const value = {text};\nif (!value) throw new Error({told});"
    if text.startswith("os.Getenv("):
        return f'value := {text}\nif value == "" {{\n\tpanic({told})\n}}'
    if text.startswith("System.getenv("):
        return f"Objects.requireNonNull({text}, {told})"
    return f"{text} ?: throw new RuntimeException({told})" if text.startswith("getenv(") else text


def is_lenient(file: str) -> bool:
    """Whether a program in this language goes on with an empty value where a variable isn't set."""
    return file.rpartition(".")[2].lower() in ("js", "mjs", "ts", "tsx", "go", "java", "php")


def settings_fields(inventory: Inventory, file: str) -> list[Setting]:
    """The fields of the classes of pydantic's settings in a file."""
    return [item for item in inventory.settings if item.style == "pydantic" and item.location.file == file]


def everywhere(inventory: Inventory, items: Iterable[Sighting], usual: str = "") -> str:
    """The same for all places of a secret, each by its own name or the usual one."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for item in items:
        found[item.location.file][_of(inventory, item, item.name or _called(item, usual), usual)] = None
    return "\n".join(files.into(file, "\n".join(lines)) for file, lines in found.items())


def _called(item: Sighting, usual: str) -> str:
    """The variable for an address without a name: the usual one, unless that is another server's."""
    asked = secrets.server_of(item.value)
    return usual if secrets.may_be_of(usual, asked) else f"{asked}_PASSWORD"


def _of(inventory: Inventory, item: Sighting, name: str, usual: str) -> str:
    if _OF_GRAFANA.search(item.location.file) and item.name:
        variable = (usual or _UNNAMED) if item.name.islower() else item.name
        return f"{item.name}: ${variable}  # give Grafana the variable"
    if item.kind == "setting":
        return in_code(inventory, name, item.location.file)
    if ".env" in item.location.file and _MASK.search(item.value.text) and item.name and usual not in ("", item.name):
        return f"{item.name}={_MASK.sub(f'${{{usual}}}', item.value.text)}"  # an address keeps all but its password
    return reading(name, item.location.file, of_compose=item.kind in ("default", "literal"))


def required(names: Iterable[str], told: str = "set it in .env") -> str:
    """Variables of a service that Compose demands, with what it says where one is missing."""
    return "environment:" + "".join(f"\n  {name}: ${{{name}:?{told}}}" for name in names)
