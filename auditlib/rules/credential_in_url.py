"""A password is a part of a connection string.

A connection string goes where a password of its own would not: into logs, tracebacks, process lists and monitoring.
Its value can't be replaced without touching the address, and a password with `@`, `/` or `#` in it breaks it.

Anti-pattern:

    environment:
      DATABASE_URL: postgresql://app:password123@db:5432/app

Better:

    environment:
      POSTGRES_HOST: db
      POSTGRES_USER: app
      POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password

Recommendation:

    Pass host, user and password as variables of their own, or the password as a secret's file, and let the program put
    the address together.

References:

- https://docs.docker.com/compose/how-tos/use-secrets/
- https://cwe.mitre.org/data/definitions/522.html
- https://12factor.net/config
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose.discovery import is_compose_file
from auditlib.conventions import environments, exporters, secrets
from auditlib.conventions.secrets import Sighting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_LOGIN = regex(r"://[^@/]*?:(?P<password>‹secret[^›]*›)@")
_HIDDEN = regex(r"‹secret[^›]*›")
_WITH_COLON = regex(r":‹secret[^›]*›@")
_ADDRESS = regex(r"_(?:URL|URI|DSN|ADDRESS|CONNECTION(?:_STRING)?)$")
_STOCK = regex(r"//user(?:name)?:‹[^›]*›@(?:localhost|host)(?::\d+)?/(?:dbname|database|db)\b")
"""What generators of projects write to show the form, as Alembic does."""
_JOINED = {
    **dict.fromkeys(("js", "mjs", "ts", "tsx"), ("`", "${{encodeURIComponent({})}}")),
    **dict.fromkeys(("go", "java"), ('"', '" + {} + "')), "php": ("'", "' . {} . '"), "rb": ('"', "#{{{}}}"),
}  # fmt: skip
"""By the kind of a file the quotes of a text, and how a value is put into it."""
_TEMPLATES = (".example", ".sample", ".template", ".dist", ".tmpl")
_KINDS = ("literal", "default", "env_file", "setting", "file")


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM, retired=True)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every password that stands in connection strings, once with all of them.

    What stands in the environment of Compose alone is a finding as a credential of its own.
    """
    built = _built_in(inventory)
    found: defaultdict[int, dict[tuple[str, int], Sighting]] = defaultdict(dict)
    for item in (*_interpolated(inventory), *secrets.sightings(inventory)):
        stands_in = item.value.placeholder or not item.value.generated
        template = item.kind == "template" or (stands_in and item.location.file.endswith(_TEMPLATES))
        shown = template or _is_aside(item.location) or _STOCK.search(item.value.text)
        if secrets.stands_in_url(item.value) and not shown and _spot(item.location) not in built:
            found[item.value.identity].setdefault(_spot(item.location), item)
    variables, told = _by_password(inventory), _in_environments(inventory)
    for items in found.values():
        if all(item.kind == "setting" and item.replaceable for item in items.values()):
            continue  # such defaults are to go as a whole
        if told.issuperset(items) or all(map(_is_developers_own, items.values())):
            continue
        yield _evidence(inventory, sorted(items.values(), key=_order), variables)


def _interpolated(inventory: Inventory) -> Iterator[Sighting]:
    """Addresses that Compose puts together with a password that is a default: `redis://:${PASSWORD:-secret}@redis`."""
    defaults = {item.default.identity for item in inventory.variables if item.default is not None}
    for service in inventory.services:
        for entry in service.environment:
            if entry.variables and entry.value is not None and entry.value.identity in defaults:
                yield Sighting(entry.name, entry.value, entry.location, "literal", service.name)


def _in_environments(inventory: Inventory) -> set[tuple[str, int]]:
    """The places in the environments of Compose's services."""
    return {
        _spot(entry.location)
        for service in inventory.services
        for entry in service.environment
        if entry.origin == "environment"
    }


def _built_in(inventory: Inventory) -> set[tuple[str, int]]:
    """The lines where a Dockerfile sets variables: what is built in is to go as a whole, which another rule says."""
    return {
        (file.path, line)
        for file in inventory.dockerfiles
        for item in file.instructions if item.keyword == "ENV"
        for line in range(item.location.line, item.location.last_line + 1)
    }  # fmt: skip


def _is_aside(place: Location) -> bool:
    """Whether a place shows how an address looks, or belongs to tests, whose databases live for minutes."""
    return environments.is_document(place.file) or "/workflows/" in place.file or _is_test(place.file)


def _is_test(path: str) -> bool:
    parts = path.lower().split("/")
    return not {"tests", "test", "__tests__", "spec", "fixtures", "e2e", "examples"}.isdisjoint(parts[:-1]) or (
        parts[-1].startswith(("test_", "conftest")) or ".test." in parts[-1] or ".spec." in parts[-1]
    )


def _is_developers_own(item: Sighting) -> bool:
    """Whether it is in a file of variables for development: its libraries ask for addresses, and it goes nowhere."""
    return item.kind == "env_file" and environments.is_for_development(item.location.file)


def _order(item: Sighting) -> tuple[bool, int, str, int]:
    """What runs first, then the rest: Compose, then code, then files that no reader knows."""
    place = item.location
    return environments.is_for_development(place.file), _KINDS.index(item.kind), place.file, place.line


def _spot(place: Location) -> tuple[str, int]:
    return place.file, place.line


def _by_password(inventory: Inventory) -> dict[int, list[str]]:
    """The variables that hold a password alone, by the identity of its value."""
    found: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for item in secrets.sightings(inventory):
        if is_credential_name(item.name) and not _ADDRESS.search(item.name):
            found[item.value.identity][item.name] = None
    return {identity: list(names) for identity, names in found.items()}


def _password(item: Sighting, items: list[Sighting], variables: dict[int, list[str]]) -> str:
    """The variable of an address's own server that holds the password elsewhere, or one called after the address.

    Two servers with the same weak password are two passwords to be. A name that speaks of no server serves alone.
    """
    server = secrets.server_of(item.value)
    known = variables.get(item.value.identity, [])
    mine = [name for name in known if server and secrets.server(name) == server]
    if not mine and len(known) == 1 and secrets.may_be_of(known[0], server):
        mine = known
    named = (each.name for each in (item, *items) if each.name and secrets.server_of(each.value) == server)
    stem = _ADDRESS.sub("", next(named, server))
    return next(iter(mine), f"{stem}_PASSWORD" if stem else "PASSWORD")


def _lines(inventory: Inventory, items: list[Sighting], called: list[str]) -> str:
    """By file the addresses without their password, and the variable that has each."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for item, variable in zip(items, called, strict=True):
        found[item.location.file].update(dict.fromkeys(_line(inventory, item, variable)))
    return "\n".join(files.into(file, "\n".join(lines)) for file, lines in found.items())


def _line(inventory: Inventory, item: Sighting, variable: str) -> list[str]:
    file, address = item.location.file, item.value.text
    bare = _WITH_COLON.sub("@", address).replace("//@", "//")
    built = f"# the program puts {variable} into {item.name}"
    if _is_filled_in(inventory, file):
        return [f"{item.name}={_filled(address, f'${{{variable}:?set it in .env}}')}"]
    if item.kind == "env_file" or ".env" in file:
        return [f"{item.name}={bare}", f"{built}, from a file that Git ignores"]
    if item.kind in ("default", "literal"):
        if _exporter(inventory, item):
            return _parts(address, variable)
        return [f"{item.name}: {_filled(address, f'${{{variable}:?set it in .env}}')}"]
    if item.kind == "setting" and code_lines.settings_fields(inventory, file):
        return [code_lines.in_code(inventory, variable, file), _in_python(address, f"self.{variable}")]
    return [_of_file(file, address, variable)]


def _is_filled_in(inventory: Inventory, file: str) -> bool:
    """Whether Compose reads a file of variables for its services, and puts those of the shell and of `.env` into it."""
    name = posixpath.basename(file)
    return name != ".env" and any(item.path == file for service in inventory.services for item in service.env_files)


def _of_file(file: str, address: str, variable: str) -> str:
    """The address in a file that no reader knows, with the variable in the words of the file's language."""
    password = code_lines.reading(variable, file)
    if file.endswith(".py"):
        return _in_python(address, password)
    if is_compose_file(posixpath.basename(file)):
        password = password.partition(": ")[2]
    if joined := _JOINED.get(file.rpartition(".")[2]):
        quotes, pattern = joined
        return quotes + _filled(address, pattern.format(password)) + quotes
    return _filled(address, password.strip('"'))


def _filled(address: str, password: str) -> str:
    """An address with this in the place of the password: the last sign, as a user of the same name is hidden too."""
    closed = _closed(address)
    if login := _LOGIN.search(closed):
        return f"{closed[: login.start('password')]}{password}{closed[login.end('password') :]}"
    hidden = _HIDDEN.findall(closed)
    before, _, after = closed.rpartition(hidden[-1]) if hidden else (closed, "", "")
    return f"{before}{password}{after}"


def _exporter(inventory: Inventory, item: Sighting) -> bool:
    """Whether the address is that of PostgreSQL's published exporter, which has variables for the parts."""
    return item.name == "DATA_SOURCE_NAME" and any(
        service.name == item.service
        and not service.build
        and (found := exporters.of_image(service.image)) is not None
        and "PostgreSQL" in found.watches
        for service in inventory.services
    )


def _parts(address: str, variable: str) -> list[str]:
    """The variables by which the exporter takes an address, its user and its password."""
    login, _, rest = address.partition("://")[2].rpartition("@")
    user = login.partition(":")[0]
    return [
        f"DATA_SOURCE_URI: {rest}",
        f"DATA_SOURCE_USER: {'<the same user>' if _HIDDEN.search(user) else user}",
        f"DATA_SOURCE_PASS: ${{{variable}:?set it in .env}}",
    ]


def _closed(address: str) -> str:
    """An address without the bracket of the shell's default that it stands in."""
    return address.removesuffix("}") if address.count("}") > address.count("{") else address


def _in_python(address: str, password: str) -> str:
    """How code puts a password into an address, with the signs quoted that have a meaning there."""
    quoted = f"{{quote({password}, safe='')}}".replace('"', "'")
    return f'f"{_HIDDEN.sub(quoted, address)}"  # from urllib.parse import quote'


def _evidence(inventory: Inventory, items: list[Sighting], variables: dict[int, list[str]]) -> Evidence:
    first, *others = items
    called = [_password(item, items, variables) for item in items]
    nameless = f"A connection string in line {first.location.line} of {first.location.file} holds its password"
    holder = f"{first.name} holds its password in the connection string" if first.name else nameless
    holders = dict.fromkeys(item.name or item.location.file for item in others)
    names = listed([holder for holder in holders if holder != first.name] or [f"{first.name} elsewhere"], limit=4)
    kind = ", a placeholder" if first.value.placeholder else ", easily guessed" if first.value.weak else ""
    return Evidence(
        f"{holder} ({first.value.text}{kind}){f'; the same password stands in {names}' if others else ''}.",
        first.location,
        subject=first.name or f"{first.location.file}/url",
        service=first.service or None,
        related=tuple(Related(item.location, _where(item), member=True) for item in others),
        recommendation=f"Pass {f'the password of {first.name}' if first.name else 'this password'} as a variable or a "
        f"secret of its own, and {_built(inventory, items)}.",
        severity=Severity.LOW if all(map(_is_mild, items)) else None,
        example=login_lines.with_kept(
            _lines(inventory, items, called), inventory, list(dict.fromkeys(called)), [first.value]
        ),
    )


def _is_mild(item: Sighting) -> bool:
    """Whether it is in a file for development, or nobody's password yet."""
    return item.value.placeholder or environments.is_for_development(item.location.file)


def _built(inventory: Inventory, items: list[Sighting]) -> str:
    """Who puts the address together: a program, Compose, or an exporter that has variables for the parts."""
    if all(_exporter(inventory, item) for item in items):
        return f"name the parts in DATA_SOURCE_URI, DATA_SOURCE_USER and DATA_SOURCE_PASS of {items[0].service}"
    paths = {item.location.file for item in items}
    if all(is_compose_file(posixpath.basename(path)) or _is_filled_in(inventory, path) for path in paths):
        return "let Compose put it into the address"
    if any(path.endswith(".prisma") for path in inventory.files):  # which takes one address from one variable
        return "put it into the address where the program is started"
    return "build the address from its parts in the program"


def _where(item: Sighting) -> str:
    holder = f"{item.name} of {item.service}" if item.service else item.name or "an address"
    return f"{holder} holds the same password"
