"""The same variable has different defaults in different files.

Which value holds depends on how the program is started. What works in a container fails on a laptop or in a test, and
who reads the code to learn the value learns the wrong one. A template that alone gives another value may do so on
purpose, which counts less.

Anti-pattern:

    # compose.yaml
    ACCESS_TOKEN_EXPIRE_MINUTES: ${ACCESS_TOKEN_EXPIRE_MINUTES:-30}
    # settings.py
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 60 * 24

Better:

    # compose.yaml
    ACCESS_TOKEN_EXPIRE_MINUTES: ${ACCESS_TOKEN_EXPIRE_MINUTES:?set it in .env}
    # settings.py
    ACCESS_TOKEN_EXPIRE_MINUTES: int

Recommendation:

    Keep the default in one place, best in the code, and let Compose pass the variable only where it differs.

References:

- https://docs.docker.com/reference/compose-file/interpolation/
- https://12factor.net/config
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import environments, placeholders, programs, switches, templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import ScriptDefault
from auditlib.inventory.configuration import EnvFile, Setting
from auditlib.inventory.stack import Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import Value, is_credential_name
from auditlib.rules import _code_defaults as code_defaults
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PLACE = regex(
    r"(?:^|_)(?:HOSTS?|HOSTNAME|URLS?|URI|ADDR(?:ESS)?|PORT|DSN|ENDPOINT|PATH|DIR|DIRECTORY|FILE|ROOT|ORIGINS?|DOMAIN|SERVERS?|"
    r"BROKER|BACKEND|BUCKET|NAME|DB|DATABASE|USER(?:NAME)?|EMAIL|FROM|IMAGE|TAG|VERSION|LOG_?LEVEL|LEVEL)(?:_|$)"
)
"""Names of what differs between a laptop and a container by its nature."""
_AMOUNT = regex(
    r"_(?:SIZE|LIMIT|MAX|MIN|COUNT|TIMEOUT|SECONDS|MINUTES|HOURS|DAYS|RETRIES|CONNECTIONS|WORKERS|OVERFLOW|TTL)$"
)
"""Names of how much of something there is, whatever place the rest of the name speaks of (`DB_POOL_SIZE`)."""
_KIND = regex(r"(?:^|_)(?:MAILER|DRIVER|CONNECTION|STORE|DISK|TRANSPORT)$")
"""Names of what does a thing: by a laptop's template the mail goes to a log, by Compose to a server."""
_OF_ONE = regex(
    r"(?:^|_)(?:CONCURRENCY|WORKERS?|THREADS?|PROCESSES|REPLICAS|MEM(?:ORY)?|CPUS?|HEAP|XM[XS]|(?:JAVA|NODE)_OPT(?:ION)?S)(?:_|$)"
)
"""Names of how much one service is given: another service, or a laptop, is given another share."""
_BY_PLACE = regex(r"(?:^|_)(?:FORMAT|SECURE|SAMESITE|HTTPS|SSL|TLS|HSTS|RELOAD|COLOU?R)(?:_|$)")
"""Names of what code leaves off, or writes for people, until a deployment says otherwise."""
_ADDRESS = regex(r"[/:@\\]|localhost|\d+\.\d+\.\d+")
_SPAN = regex(r"(\d{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FILLED_IN = regex(r"\{\{|<%")
"""What a program (Ansible, Jinja, ERB) writes in the place of this text."""
_CODE = regex(
    r"\.(?:py|js|ts|mjs|go|java|kt|rb|php|cs|rs|exs?)$|(?:^|/)(?:application|bootstrap)(?:-[\w-]+)?\.(?:ya?ml|properties)$"
)
"""Files of a program, whose default holds where Compose doesn't give the variable another value."""
_Default = tuple[Location, str, str]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every variable whose defaults differ: within a Compose file, its template, and the code that it is passed to.

    Where templates or projects differ among themselves, each is for an edition of its own.
    """
    found: defaultdict[tuple[str, str], dict[Location, tuple[str, str]]] = defaultdict(dict)
    for project, name, (place, text, where) in (*_in_compose(inventory), *_in_code(inventory)):
        found[project, name].setdefault(place, (text, where))
    editions: defaultdict[str, dict[Location, tuple[str, str]]] = defaultdict(dict)
    for (_, name), places in found.items():
        editions[name].update(places)
    offered = {name: each for name, each in _in_templates(inventory).items() if not _differ(each)}
    meant = _meant(inventory)
    for (project, name), given in found.items():
        places = _of_compose(given) if _is_on_purpose(given, editions[name]) else given
        differ = _differ(places)
        by_edition = not differ and _differ(editions[name])
        told = {place: value for place, value in offered.get(name, {}).items() if place.file in meant.get(project, ())}
        every = {**places, **({} if by_edition else told)}
        if differ or _differ(every):
            yield _evidence(project, name, every, certain=differ)
    yield from map(_of_code, code_defaults.differing(inventory))
    for variable, item in code_defaults.of_scripts(inventory):
        if not (_is_of_place(item.name) or environments.is_for_development(variable.location.file)):
            yield _of_script(variable, item)


def _of_script(variable: Variable, item: ScriptDefault) -> Evidence:
    """What a script takes by itself, where Compose gives its container another number."""
    told = variable.default.text if variable.default else ""
    return Evidence(
        f"{item.name} is `{told}` for {variable.service} where nobody sets {variable.name} ({variable.location.file}), "
        f"and `{item.value}` where {item.location.file} runs without it.",
        variable.location,
        subject=f"{variable.project}/{variable.service}/{item.name}",
        service=variable.service,
        related=(Related(item.location, f"the default is `{item.value}` here"),),
        recommendation=f"Decide between `{told}` and `{item.value}` for {item.name}, and keep it in one place.",
        severity=Severity.LOW,
        example=files.into(
            item.location.file, f"{item.name}=${{{item.name}:-<{told} or {item.value}, in both places>}}"
        ),
    )


def _of_code(settings: tuple[Setting, ...]) -> Evidence:
    """What several files of one image take for the login to a database, where nobody says which."""
    first, *others = settings
    values = [item.default.text for item in settings if item.default]
    places = listed(f"`{value}` in {item.location.file}" for value, item in zip(values, settings, strict=True))
    return Evidence(
        f"{first.name} defaults to {places}: where nobody sets it, they ask for different ones.",
        first.location,
        subject=f"code/{first.name}",
        related=tuple(Related(item.location, "another default") for item in others),
        recommendation=f"Decide between {listed(f'`{value}`' for value in values)} for {first.name}, in one place.",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        example=files.into(first.location.file, f"# {first.name}: <{' or '.join(values)}, the same everywhere>"),
    )


def _differ(places: dict[Location, tuple[str, str]]) -> bool:
    return len({_normal(text) for text, _ in places.values()}) > 1


def _is_on_purpose(given: dict[Location, tuple[str, str]], editions: dict[Location, tuple[str, str]]) -> bool:
    """Whether Compose gives another value than the code for an edition: one for trials, or beside one that agrees."""
    of_compose = _of_compose(given)
    code = {_normal(text) for place, (text, _) in given.items() if place not in of_compose}
    others = {_normal(text) for place, (text, _) in _of_compose(editions).items() if place not in given}
    return any(stages.names_trial(place.file) for place in of_compose) or (bool(code) and code <= others)


def _in_templates(inventory: Inventory) -> dict[str, dict[Location, tuple[str, str]]]:
    """The values that templates of environment files give, by the variable; who copies one gets them."""
    found: defaultdict[str, dict[Location, tuple[str, str]]] = defaultdict(dict)
    for file in inventory.env_files:
        relaxed = _is_for_developers(file)
        for line in file.lines if file.template else ():
            counts = line.value is not None and not line.commented and not _KIND.search(line.name.upper())
            counts = counts and not (relaxed and line.value is not None and switches.is_on(line.value.text))
            if line.value is not None and counts and _counts(line.name, line.value):
                found[line.name][line.location] = (line.value.text, file.path)
    return found


def _meant(inventory: Inventory) -> dict[str, set[str]]:
    """By base project the templates that may be for it."""
    offered = [file for file in inventory.env_files if file.template]
    return {
        project.name: {file.path for file in offered if templates.goes_with(inventory, file, project)}
        for project in inventory.base_projects
    }


def _is_for_developers(file: EnvFile) -> bool:
    """Whether a template sets the environment to development: it may allow there what is off elsewhere."""
    named = (line.value for line in file.lines if not line.commented and environments.names_environment(line.name))
    return any(value is not None and environments.is_development(value.text) for value in named)


def _in_compose(inventory: Inventory) -> Iterator[tuple[str, str, _Default]]:
    """The defaults that the base files of a project give to a variable."""
    bases = {project.name for project in inventory.base_projects}
    first: dict[tuple[str, str], str | None] = {}
    for item in inventory.variables:
        known = item.operator in (":-", "-") and item.default is not None and _counts(item.name, item.default)
        if not known or item.project not in bases or environments.is_for_development(item.location.file):
            continue
        if _is_shared(item) or first.setdefault((item.project, item.name), item.service) == item.service:
            where = item.service or item.location.file
            yield item.project, item.name, (item.location, item.default.text if item.default else "", where)


def _in_code(inventory: Inventory) -> Iterator[tuple[str, str, _Default]]:
    """The defaults of settings that Compose passes with a default of its own under the same name."""
    targets = {(item.project, item.target, item.name) for item in inventory.variables if item.default is not None}
    for program in programs.programs(inventory):
        service = program.service
        for item in program.settings:
            target = f"services.{service.name}.environment.{item.name}"
            literal = item.default_kind == "literal" and item.default is not None and _counts(item.name, item.default)
            if literal and not _is_of_place(item.name) and (service.project, target, item.name) in targets:
                where = item.location.file
                yield service.project, item.name, (item.location, item.default.text if item.default else "", where)


def _counts(name: str, value: Value) -> bool:
    """Whether a default is one that is meant to be the same everywhere."""
    upper = name.upper()
    place = _PLACE.search(upper) and not _AMOUNT.search(upper)
    meant_to_differ = place or environments.names_environment(upper) or switches.is_debug_switch(upper)
    stated = bool(value.text) and not (_ADDRESS.search(value.text) or _FILLED_IN.search(value.text))
    stated = stated and not (placeholders.is_text(value.text) or (value.placeholder and is_credential_name(upper)))
    return stated and not (value.secret or meant_to_differ)


def _is_shared(item: Variable) -> bool:
    """Whether a variable is one setting for all that get it, and no share of the host that each has of its own."""
    return not item.service or (".environment" in item.target and not _OF_ONE.search(item.name.upper()))


def _is_of_place(name: str) -> bool:
    """Whether a setting is meant to be another one in operation than where the code runs by itself."""
    return bool(_OF_ONE.search(name.upper()) or _BY_PLACE.search(name.upper()))


def _normal(text: str) -> str:
    """A value as programs understand it: `30` and `30.0`, `true` and `1`, `60m` and `3600` are the same."""
    plain = text.strip().strip("\"'").lower()
    if plain in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        return str(switches.is_on(plain))
    if span := _SPAN.fullmatch(plain):
        return f"{int(span[1]) * _SECONDS[span[2]]:g}"
    try:
        return f"{float(plain):g}"
    except ValueError:
        return plain


def _is_in_code(places: dict[Location, tuple[str, str]]) -> bool:
    """Whether the code has a default, which holds where Compose passes the variable on without one."""
    return any(where == place.file and _CODE.search(place.file) for place, (_, where) in places.items())


def _of_compose(places: dict[Location, tuple[str, str]]) -> dict[Location, tuple[str, str]]:
    """The defaults that hold at once; that of the code holds only where Compose doesn't start it."""
    return {place: value for place, value in places.items() if not _CODE.search(place.file)}


def _evidence(project: str, name: str, places: dict[Location, tuple[str, str]], *, certain: bool) -> Evidence:
    (first, (text, where)), *others = places.items()
    values = list(dict.fromkeys(value for value, _ in places.values()))
    odd = next(item for item in others if _normal(item[1][0]) != _normal(text))
    return Evidence(
        f"{name} defaults to `{text}` in {first.file} ({where}) and to `{odd[1][0]}` in {odd[0].file}"
        f"{f' ({odd[1][1]})' if odd[1][1] != odd[0].file else ''}.",
        first,
        subject=f"{project}/{name}",
        service=where if where != first.file else None,
        related=tuple(Related(place, f"the default is `{value}` here") for place, (value, _) in others),
        recommendation=f"Decide between {listed(f'`{value}`' for value in values)} for {name}, and keep the default in "
        "one place.",
        severity=None if certain and _differ(_of_compose(places)) else Severity.LOW,
        change=(f" ${{{name}:-{text}}}", "") if _is_in_code(places) else ("", ""),
        example=files.into(first.file, f"{name}: ${{{name}:-<{' or '.join(values)}, the same everywhere>}}"),
        confidence=None if certain else Confidence.LOW,
    )
