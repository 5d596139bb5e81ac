"""Settings code gives a secret a default value.

Code that starts without its secrets starts in production without them too. The value in the source is then the
secret, and everybody who has ever read the repository can sign tokens or connect with it. Nothing fails, so nobody
notices.

Anti-pattern:

    class Settings(BaseSettings):
        SECRET_KEY: str = "change-me-in-production"

Better:

    class Settings(BaseSettings):
        SECRET_KEY: SecretStr

Recommendation:

    Remove the default, so that a missing secret stops the start, and set the variable in every environment.

References:

- https://docs.pydantic.dev/latest/concepts/pydantic_settings/
- https://12factor.net/config
- https://cwe.mitre.org/data/definitions/798.html
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from auditlib.conventions import django, environments, secrets
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import FixedSecret, RefusedValue, Setting
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.redaction import Value
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_OF_PROGRAM = regex(
    r"(?:^|/)(?:(?:application|bootstrap)(?:-[\w-]+)?\.(?:ya?ml|properties)|appsettings(?:\.[\w-]+)?\.json)$"
)
"""The configuration that is a part of an application; any other may be mounted."""
_LOCAL = ("@localhost", "@127.0.0.1", "@[::1]")
"""In the address of a server on the same host, which a container doesn't have."""
_OWN_HOST = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_SERVERS = frozenset({"the database", "object storage", "the message broker", "Redis", "search", "mail"})
"""What a password opens only if the server was given the same one; else code with the default can't connect."""
_ADDRESS = regex(r"https?://([\w.-]+)(?=[:/]|$)")
_GENERAL = regex(r"((?:^|.*/)application)\.(?:ya?ml|properties)")
_OF_PROFILE = regex(r"((?:^|.*/)application)-([\w-]+)\.(?:ya?ml|properties)")


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every setting whose default is, or holds, a secret, and every secret that no setting can replace."""
    for item in inventory.fixed_secrets:
        of_program = item.in_code or _OF_PROGRAM.search(item.location.file)
        if of_program and not environments.is_for_development(item.location.file):
            yield _fixed(inventory, item)
    passed, demanded, templates = _passed(inventory), _demanded(inventory), _templates(inventory)
    profiles = _of_profiles(inventory)
    for alike in _alike(inventory):
        setting, *again = alike
        general = _GENERAL.fullmatch(setting.location.file)
        profile = profiles.get((general[1], setting.name)) if general else None
        refusals = _refusals(inventory, setting)
        if any(item.always for item in refusals):
            continue  # nothing runs with it
        if setting.default and not (profile and profile.required):
            related = (
                *(Related(item.location, "has the same default", member=True) for item in again),
                *passed.get(setting.name, {}).values(),
                *templates.get((setting.name, setting.default.identity), ()),
                *_holders(inventory, setting.name, setting.default, [item.location for item in alike]),
            )
            found = _evidence(inventory, alike, setting.default, related, setting.name in demanded)
            found = _beside(found, setting, profile) if profile else found
            found = _refused(found, refusals[0]) if refusals else found
            yield _unread(setting, found) if setting.unused else found


def _alike(inventory: Inventory) -> list[list[Setting]]:
    """The settings whose default is a secret, those together that have the same name and default for the same reason.

    What a profile of Spring may replace is told of each file by itself.
    """
    selected = django.selected(inventory)
    found: defaultdict[tuple[object, ...], list[Setting]] = defaultdict(list)
    for item in inventory.settings:
        path, default = item.location.file, item.default
        aside = environments.is_for_development(path) and path not in selected
        secret = default is not None and default.secret and item.default_kind == "literal"
        if default and secret and not aside and not secrets.opens_nothing(item.name, default):
            alone = path if _GENERAL.fullmatch(path) else ""
            traits = (item.style, item.unused, _is_beside(inventory, item), alone)
            found[item.name, default.identity, *traits].append(item)
    return list(found.values())


def _refusals(inventory: Inventory, setting: Setting) -> list[RefusedValue]:
    """Where code ends at the default."""
    identity = setting.default.identity if setting.default else 0
    return [item for item in inventory.refused_values if identity and item.identity == identity]


def _refused(found: Evidence, refusal: RefusedValue) -> Evidence:
    """The same of a default that code refuses in some case, as in production."""
    return msgspec.structs.replace(
        found,
        message=f"{found.message.rpartition('; ')[0]}; the code refuses it where {refusal.location} finds the "
        "environment for that, and every other start runs with it.",
        severity=Severity.LOW,
        related=(Related(refusal.location, "the code refuses the value here"), *found.related),
    )


def _of_profiles(inventory: Inventory) -> dict[tuple[str, str], Setting]:
    """What a profile of Spring that isn't for development reads instead, by the general configuration and the name."""
    found = ((_OF_PROFILE.fullmatch(item.location.file), item) for item in inventory.settings)
    return {(match[1], item.name): item for match, item in found
            if match and not environments.is_for_development(match[0])}  # fmt: skip


def _beside(found: Evidence, setting: Setting, profile: Setting) -> Evidence:
    """The same of a default that holds only where a profile with one of its own isn't active."""
    return msgspec.structs.replace(
        found,
        message=f"{setting.name} defaults to {_kind(setting.default) if setting.default else 'a value'} that stands in "
        f"the code ({setting.default}); what starts without the profile of {profile.location.file} runs with it.",
        severity=Severity.LOW,
    )


def _fixed(inventory: Inventory, item: FixedSecret) -> Evidence:
    place = "code" if item.in_code else "configuration"
    effect = "no environment can have one of its own"
    if not item.in_code:
        effect = "wherever no variable takes its place, the application runs with it"
    return Evidence(
        f"{item.name} is fixed in the {place}, to {_kind(item.value)} ({item.value.text}): {effect}.",
        item.location,
        subject=f"{item.name}/fixed",
        related=_holders(inventory, item.name, item.value, [item.location]),
        recommendation=f"Read {item.name} from the environment, without a default, and give it a new value that no "
        "file of the repository holds.",
        example=login_lines.with_kept(
            files.into(item.location.file, code_lines.in_code(inventory, item.name, item.location.file)),
            inventory,
            [item.name],
            [item.value],
        ),
    )


def _holders(inventory: Inventory, name: str, value: Value, places: list[Location]) -> tuple[Related, ...]:
    """The other files that hold the same value, which go on with the old one."""
    found = login_lines.elsewhere(inventory, name, value, (), places)
    return tuple(Related(item.location, f"{item.name or 'this file'} holds the same {_held(value)}") for item in found)


def _held(value: Value) -> str:
    """What is the same of two equal secrets: the hosts of two addresses may differ, their password doesn't."""
    return "password" if secrets.stands_in_url(value) else "value"


def _kind(value: Value) -> str:
    return "a placeholder" if value.placeholder else "an easily guessed value" if value.weak else "a value"


def _evidence(
    inventory: Inventory, alike: list[Setting], default: Value, related: tuple[Related, ...], demanded: bool
) -> Evidence:
    setting, places = alike[0], len({item.location.file for item in alike})
    where = "the code" if places == 1 else f"the code of {places} files"
    consequence = "wherever the variable isn't set, the code runs with it"
    local = any(sign in default.text for sign in _LOCAL)
    given = _is_given(inventory, default)
    beside = _is_beside(inventory, setting)
    milder = demanded or _is_clients(setting.name, default)  # that the server has it is a finding of its own
    endpoint = _own_endpoint(inventory, setting)
    mildest = local or bool(endpoint) or (milder and beside and not given)
    if local or endpoint:
        consequence = "wherever the variable isn't set, the code asks its own host with it"
        consequence += f", as {endpoint} does by default, and Compose starts no such server" if endpoint else ""
    if demanded:
        consequence = "Compose demands the variable, but every other start of this code runs with the default"
    return Evidence(
        f"{setting.name} defaults to {_kind(default)} that stands in {where} ({default.text}); {consequence}.",
        setting.location,
        subject=setting.name,
        related=related,
        recommendation=f"{_advice(setting)}, and pass the variable wherever this code runs.",
        severity=Severity.LOW if mildest else Severity.MEDIUM if milder else None,
        change=(f' = "{default.text}"', "") if setting.style == "pydantic" else ("", ""),
        example=files.into(setting.location.file, code_lines.in_code(inventory, setting.name, setting.location.file)),
    )


def _advice(setting: Setting) -> str:
    """How a start without the variable comes to fail; where a language goes on without a default, by a statement."""
    if setting.style == "javascript":
        return f"Throw where {setting.name} isn't set, in place of its default, as it would only be `undefined`"
    if code_lines.is_lenient(setting.location.file):
        return f"Fail where {setting.name} isn't set, in place of its default, as it would only be empty"
    return f"Remove the default of {setting.name}, so that a start without it fails"


def _is_clients(name: str, default: Value) -> bool:
    return secrets.stands_in_url(default) or secrets.purpose(name) in _OF_SERVERS


def _is_beside(inventory: Inventory, setting: Setting) -> bool:
    """Whether the host that goes with a password defaults to the program's own: `DB_HOST` to `localhost`."""
    family = setting.name.upper().partition("_")[0]
    return any(
        item.location.file == setting.location.file
        and item.name.upper().startswith(family)
        and "HOST" in item.name.upper()
        and item.default is not None
        and item.default.text.strip("\"'") in _OWN_HOST
        for item in inventory.settings
    )


def _own_endpoint(inventory: Inventory, setting: Setting) -> str:
    """The endpoint that goes with a key and defaults to the program's own host, if no file names a service for it."""
    family = setting.name.upper().partition("_")[0]
    for item in inventory.settings:
        name, default = item.name.upper(), item.default
        beside = item.location.file == setting.location.file and name.startswith(f"{family}_") and "ENDPOINT" in name
        if beside and default is not None and _host(default.text) in _OWN_HOST and not _leads_on(inventory, item.name):
            return item.name
    return ""


def _leads_on(inventory: Inventory, name: str) -> bool:
    """Whether a service is given an address, or an environment file has one, that leads to a service."""
    if any(entry.name == name for service in inventory.services for entry in service.environment):
        return True
    names = {service.name for service in inventory.services}
    lines = (line for file in inventory.env_files for line in file.lines if line.name == name and line.value)
    return any(_host(line.value.text) in names for line in lines if line.value)


def _host(address: str) -> str:
    """The host of an address of the web; empty where it has none or a login stands before it."""
    found = _ADDRESS.match(address.strip("\"'"))
    return found[1] if found else ""


def _is_given(inventory: Inventory, default: Value) -> bool:
    """Whether a server may have the same password: Compose or a template names it."""
    same = (item.kind for item in secrets.sightings(inventory) if item.value.identity == default.identity)
    return any(kind in ("default", "literal", "template", "env_file") for kind in same)


def _unread(setting: Setting, found: Evidence) -> Evidence:
    """The same of a setting that nothing reads: nothing runs with the default, and it should go."""
    kind = _kind(setting.default) if setting.default else "a value"
    return msgspec.structs.replace(
        found,
        message=f"{setting.name} defaults to {kind} that stands in the code ({setting.default}); no other line of the "
        "code names the setting, so that nothing runs with it unless code reads it by a computed name.",
        recommendation=f"Remove {setting.attribute}, or read it and take away its default.",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        change=("", ""),
        example=f"grep -rn {shlex.quote(setting.attribute.rpartition('.')[2])} .  # whether anything reads it",
    )


def _templates(inventory: Inventory) -> dict[tuple[str, int], list[Related]]:
    """Where a template gives a variable a value, by the variable's name and the value's identity."""
    places: defaultdict[tuple[str, int], list[Related]] = defaultdict(list)
    for file in inventory.env_files:
        for line in file.lines if file.template else ():
            if line.value is not None:
                text = f"{file.path} gives the same {_held(line.value)}, so that each copy of it keeps it"
                places[line.name, line.value.identity].append(Related(line.location, text))
    return places


def _passed(inventory: Inventory) -> dict[str, dict[Location, Related]]:
    """Where Compose gives a variable to a service, by the variable's name."""
    places: defaultdict[str, dict[Location, Related]] = defaultdict(dict)
    for service in inventory.services:
        for entry in service.environment:
            text = f"{service.name} gets {entry.name} here"
            places[entry.name].setdefault(entry.location, Related(entry.location, text))
    return places


def _demanded(inventory: Inventory) -> set[str]:
    """The variables that Compose demands wherever it uses them."""
    uses = {(item.name, item.operator in (":?", "?")) for item in inventory.variables}
    return {name for name, demanded in uses if demanded and (name, False) not in uses}
