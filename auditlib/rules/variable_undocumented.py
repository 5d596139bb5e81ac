"""Variables that the system reads are in no template and no document.

Who sets up a new environment learns of a variable by reading Compose files and code, or from the failure that its
absence causes. What isn't written down is forgotten, and the default that was meant for a laptop runs in production.

Anti-pattern:

    # compose.yaml
    environment:
      SMTP_HOST: ${SMTP_HOST}
      SENTRY_DSN: ${SENTRY_DSN:-}
    # and no .env.example

Better:

    # .env.example
    SMTP_HOST=            # outgoing mail, required
    SENTRY_DSN=           # error reports, optional

Recommendation:

    Keep a template (`.env.example`) beside the Compose file that names every variable, with a word on what it is for.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
- https://12factor.net/config
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from auditlib import compose_command
from auditlib.compose.discovery import BASES, OVERRIDES
from auditlib.conventions import compose_calls, environments, programs, templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, Setting
from auditlib.inventory.delivery import Script
from auditlib.inventory.stack import Project, Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _files
from auditlib.rules._rule import Evidence, rule

_HAS_DEFAULT = ("literal", "empty", "expression")
_OF_PACKAGE = regex(
    r"(?:^|/)config/(?:app|auth|broadcasting|cache|cors|database|filesystems|hashing|logging|mail|queue|services|session|"
    r"sanctum|fortify|horizon|telescope|scout|reverb|octane|sentry|jwt|pulse|passport|cashier|permission|media-library|"
    r"backup|debugbar|ide-helper|excel|dompdf|l5-swagger|inertia|livewire|activitylog|captcha|geoip)\.php$"
)
"""What Laravel and its packages publish into a project: most of the settings are offers that nobody has to take."""
_OF_FILE = frozenset({"DOTENV_PATH", "DOTENV_CONFIG_PATH", "DOTENV_FILE", "ENV_FILE", "ENV_PATH"})
"""Where the environment file itself is, which that file can't say."""
_OF_PROGRAM = regex(
    r"(?:(?:PROJECT|APP|APPLICATION|SERVICE|API)_)(?:NAME|TITLE|VERSION|DESCRIPTION|PREFIX|STR)|API_V\d+_(?:PREFIX|STR|PATH)"
)
"""What a program is called and where its own routes begin, which its code gives for all that run it."""
_ENV_FILE = regex(r"(?:^|/)\.env(?:\.\w+)?$")
_COMPLETE = 5
"""Variables of the code that a template has to name before one that it lacks is missed though it has a default."""

_DEMANDED = (":?", "?")
"""How Compose is told to stop without a variable: then it names the variable itself."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project, with its overlays, and for the code, one finding for all variables that nothing names."""
    named = _documented(inventory)
    yield from _in_code(inventory, named)
    vain = _in_vain(inventory)
    for project in inventory.base_projects:
        family = inventory.family(project.name)
        used: dict[str, Variable] = {}
        for variable in inventory.variables:
            vainly = (variable.project, variable.target) in vain
            if variable.project in family and not vainly and not environments.comes_from_the_host(variable.name):
                used.setdefault(variable.name, variable)
        missing = [variable for name, variable in used.items() if name not in named]
        if missing:
            template = _given(inventory, project) or _template(inventory, project.location.file)
            required = [
                item for item in missing if item.operator == "" or (_has_value(item) and is_credential_name(item.name))
            ]
            files = list(dict.fromkeys(item.location.file for item in used.values()))
            yield Evidence(
                _message(missing, len(used), template, files),
                template.location if template else missing[0].location,
                subject=f"{project.name}/variables",
                related=tuple(
                    Related(item.location, f"{item.name} is read here", member=True)
                    for item in missing[0 if template else 1 :]
                ),
                recommendation=_recommendation(missing, template, project.location),
                example=_lines(inventory, _path(template, project.location), map(_in_template, missing)),
                severity=None if required else Severity.LOW,
            )


def _in_vain(inventory: Inventory) -> set[tuple[str, str]]:
    """Where services are given what nothing in them reads: another rule says to remove it."""
    found = ((program.service, entry) for program in programs.programs(inventory) for entry in programs.unread(program))
    return {(service.project, f"services.{service.name}.environment.{entry.name}") for service, entry in found}


def _has_value(variable: Variable) -> bool:
    """Whether a default stands in that is no empty one, by which a credential is said to be optional."""
    return variable.operator not in _DEMANDED and not (variable.default is None or not variable.default.text)


def _in_template(variable: Variable) -> str:
    """How a template names a variable: in a comment where a default holds, which an empty value might replace."""
    return f"# {variable.name}" if variable.operator in (":-", "-", ":+", "+") else variable.name


def _in_code(inventory: Inventory, named: set[str]) -> Iterator[Evidence]:
    """What code can't do without, or a credential that it looks for, though nothing tells who installs it."""
    told = named | {entry.name for service in inventory.services for entry in service.environment}
    told |= {item.name for item in inventory.variables}
    folders: defaultdict[str, dict[str, Setting]] = defaultdict(dict)
    others: defaultdict[str, dict[str, Setting]] = defaultdict(dict)
    offered: Counter[str] = Counter()
    spelt = {item.name for item in inventory.settings}
    asked = {(item.location.file, item.location.line) for item in inventory.settings if item.style == "getenv"}
    for item in inventory.settings:
        if not item.name.isupper() and item.name.upper() in spelt:
            continue  # the old spelling of what the code asks for as well
        second = item.style == "pydantic" and (item.location.file, item.location.line) in asked
        if programs.is_aside(item) or (item.unused and not item.required) or second:
            continue  # `port: str = os.getenv("DB_PORT", …)`: who sets it does so by the name that is spelt
        fixed = item.name in _OF_FILE or _OF_PROGRAM.fullmatch(item.name.upper())
        if not item.required and (_OF_PACKAGE.search(item.location.file) or fixed):
            continue
        template = _template(inventory, item.location.file)
        path = template.path if template else ""
        if _is_told(item, told):
            offered[path] += item.name in named
        elif item.required or is_credential_name(item.name):
            folders[path].setdefault(item.name, item)
        elif template:
            others[path].setdefault(item.name, item)
    for path, missing in folders.items():
        optional = {name: item for name, item in others.pop(path, {}).items() if name not in missing}
        yield _of_code(inventory, path, list(missing.values()), optional)
    for path, optional in others.items():
        if 2 * len(optional) <= offered[path] >= _COMPLETE:  # else it was never meant to name them all
            yield _of_code(inventory, path, [], optional)


def _is_told(setting: Setting, told: set[str]) -> bool:
    usual = programs.is_read_by_libraries(setting.name) or environments.comes_from_the_host(setting.name)
    names = {setting.name, setting.name.upper(), *setting.aliases}
    return usual or not names.isdisjoint(told) or not {f"{name}_FILE" for name in names}.isdisjoint(told)


def _of_code(inventory: Inventory, template: str, missing: list[Setting], optional: dict[str, Setting]) -> Evidence:
    """The variables that the code can't do without, or, if there are none, those that have a default."""
    told = missing or list(optional.values())
    passing = ", and to the `environment` of the services that are to get them" if _are_listed(inventory, told) else ""
    first, *others = told
    names = listed(item.name for item in told)
    defaults = " Without them it takes defaults." if others else " Without it it takes a default."
    if missing or not all(item.default_kind in _HAS_DEFAULT for item in told):
        defaults = ""
    return Evidence(
        f"The code reads {names}, which {f'{template} leaves out and ' if template else ''}"
        f"no {'' if template else 'template of an environment file, '}document or Compose file names.{defaults}",
        first.location,
        subject=f"{template or 'no template'}/code",
        related=(
            *(Related(item.location, f"{item.name} is read here") for item in others),
            *(Related(item.location, f"{item.name} is left out too") for item in optional.values() if missing),
        ),
        recommendation=f"Add {listed((item.name for item in told), limit=4)} to {template or '.env.example'}"
        f"{', each' if others else ''} with a word on what it is for{passing}.",
        severity=None if missing else Severity.LOW,
        confidence=Confidence.MEDIUM,
        example=_lines(
            inventory,
            template or ".env.example",
            (item.name if item.required else f"# {item.name}" for item in (*missing, *optional.values())),
        ),
    )


def _are_listed(inventory: Inventory, settings: Iterable[Setting]) -> bool:
    """Whether services that run the code get but the variables that Compose lists."""
    names = {item.name for item in settings}
    return any(
        program.service.environment and not program.service.env_files
        for program in programs.programs(inventory)
        if not names.isdisjoint(item.name for item in program.settings)
    )


def _documented(inventory: Inventory) -> set[str]:
    """Every variable that an environment file of the repository, a script that writes one or sets it for Compose, the
    head of a Compose file or a document names.
    """
    names = {line.name for file in inventory.env_files for line in file.lines}
    names.update(name for script in inventory.scripts if _writes_env_file(script) for name in script.sets)
    names.update(name for script in inventory.scripts if _starts_compose(script) for name in script.sets)
    names.update(name for project in inventory.projects for name in project.header_words)
    return names | {
        item.text for document in inventory.documents for item in document.mentions if item.kind == "variable"
    }


def _starts_compose(script: Script) -> bool:
    """Whether a script starts what Compose starts: what it sets itself, nobody else has to."""
    return any(call.verb == "up" for item in script.commands if (call := compose_command.of(item.words)))


def _writes_env_file(script: Script) -> bool:
    """Whether a script makes an environment file by itself, as those for PowerShell do that have lines for one."""
    return script.interpreter == "pwsh" or any(
        _ENV_FILE.search(path) for item in script.commands for path in item.writes
    )


def _template(inventory: Inventory, compose_file: str) -> EnvFile | None:
    """The template that is nearest to a Compose file: in its folder, or in one above."""
    folder = posixpath.dirname(compose_file)
    found = [item for item in inventory.env_files if item.template and folder.startswith(posixpath.dirname(item.path))]
    return max(
        found,
        key=lambda item: (len(posixpath.dirname(item.path)), templates.fitness(item, compose_file)),
        default=None,
    )


def _given(inventory: Inventory, project: Project) -> EnvFile | None:
    """The template of the file that what calls Compose for a project has it read (`--env-file deploy/.env`)."""
    own = {posixpath.basename(file) for file in project.files} - {*BASES, *OVERRIDES}  # those are called by no name
    calls = (call for call, _ in compose_calls.everywhere(inventory) if own & set(map(posixpath.basename, call.files)))
    paths = (after for call in calls for word, after in pairwise(call.options) if word == "--env-file")
    named = {path.replace("\\", "/").removeprefix("./") for path in paths}
    return next((item for item in inventory.env_files if item.template and item.copied_to in named), None)


def _message(missing: list[Variable], total: int, template: EnvFile | None, files: list[str]) -> str:
    names = listed(item.name for item in missing)
    reader = f"{listed(files, limit=3)} {'reads' if len(files) == 1 else 'read'}"
    if template:
        return (
            f"{template.path} doesn't name {counted(len(missing), 'variable')} of the {total} that {reader}, and "
            f"no document does: {names}."
        )
    return (
        f"{reader} {counted(total, 'variable')}; there is no template of an environment file for it, and no document "
        f"names {'it' if total == 1 else f'{_how_many(missing, total)} of them'}: {names}."
    )


def _how_many(missing: list[Variable], total: int) -> str:
    return "any" if len(missing) == total else str(len(missing))


def _path(template: EnvFile | None, place: Location) -> str:
    """The template, or where one would be looked for."""
    return template.path if template else posixpath.join(posixpath.dirname(place.file), ".env.example")


def _lines(inventory: Inventory, path: str, names: Iterable[str]) -> str:
    return _files.template(inventory, path, "\n".join(f"{name}=" for name in names))


def _recommendation(missing: list[Variable], template: EnvFile | None, place: Location) -> str:
    path = _path(template, place)
    verb = "Add" if template else f"Write {path} with"
    where = f" to {path}" if template else ""
    word = ", each with a word" if len({item.name for item in missing}) > 1 else " and a word"
    return f"{verb} {listed((item.name for item in missing), limit=4)}{where}{word} on what it is for."
