"""Pages of every origin may call the application.

With `*` any web site that a user visits can call the API from the user's browser and network. Together with credentials
it can do so in the user's name: several frameworks then answer with the caller's own origin instead of `*`.

Anti-pattern:

    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)

Better:

    app.add_middleware(CORSMiddleware, allow_origins=settings.ALLOWED_ORIGINS, allow_credentials=True)

Recommendation:

    List the origins of the frontend, for each environment its own; an API that is meant for everybody goes without
    credentials.

References:

- https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
- https://www.starlette.io/middleware/
- https://cwe.mitre.org/data/definitions/942.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from auditlib.conventions import env_file_uses, environments, programs, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.configuration import AllowedOrigin, EnvFile, Setting
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ORIGIN = "https://<the host of the frontend>"
_CHANGES = {"*": ('"*"', f'"{_ORIGIN}"'), "true": ("origin: true", f'origin: ["{_ORIGIN}"]')}
_SCRIPT = (".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx")
_JVM = (".java", ".kt")
_SWITCHES = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
"""Settings of django-cors-headers, beside which the list is another one."""
_COOKIES = regex(r"cookie|session|csrf|csurf|next-auth|@auth/|better-auth|lucia|passport|keystone|strapi|payload")
"""Packages of Node.js that set cookies, or read them."""
_CODE = (".py", *_SCRIPT, *_JVM, ".go", ".cs", ".rb", ".php")
_LISTS = (
    (".go", 'AllowedOrigins: []string{{"{}"}}'),
    (".cs", 'policy.WithOrigins("{}")'),
    (".rb", 'origins "{}"'),
    (".php", "'allowed_origins' => ['{}']"),
)
"""By the ending of a file, the frontend's origin in the words of its language."""
_HEADER = "Access-Control-Allow-Origin"


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every holder of origins, in code or in the environment, that holds `*`."""
    senders = [item for item in inventory.allowed_origins if item.credentials]
    holders: defaultdict[tuple[str, str], dict[Location, str]] = defaultdict(dict)
    written = {item.location: item.written for item in inventory.allowed_origins}
    for item in inventory.allowed_origins:
        if item.origin == "*" and not environments.is_for_development(item.location.file):
            holders[item.location.file, item.holder].setdefault(item.location, f"{item.holder} allows all too")
    for name, place, value in _variables(inventory):
        if "*" in switches.origins(value) and not environments.is_for_development(place.file):
            holders["", name].setdefault(place, f"{name} is `*`")
    for setting in _fallbacks(inventory, holders):
        yield _of_fallback(setting)
    for (_, holder), places in holders.items():
        first = next(iter(places))
        sending = [item for item in senders if _same_program(item.location.file, first.file)]
        said = written.get(first, "*")
        bare = said == "*" and first.file.endswith(_SCRIPT)  # sent as it is: to that no browser gives a cookie
        by_token = _logs_in_by_token(inventory, first.file)
        yield _evidence(holder, places, [] if bare else sending, said, by_token=by_token)


def _logs_in_by_token(inventory: Inventory, file: str) -> bool:
    """Whether people may log in by a header, which no browser adds: as in Spring's applications, and where no package
    of Node.js sets or reads cookies.
    """
    if file.endswith(_JVM):
        return True
    manifests = [item for item in inventory.manifests if item.kind == "npm"]
    packages = [item.name for manifest in manifests for item in manifest.requirements]
    return file.endswith(_SCRIPT) and bool(packages) and not any(map(_COOKIES.search, packages))


def _same_program(one: str, other: str) -> bool:
    """Whether two files belong together: one language, or configuration and code, below the same folder of the root."""
    if not other.endswith(_CODE):
        return not other.endswith(".conf") or one == other
    same_language = posixpath.splitext(one)[1] == posixpath.splitext(other)[1]
    return same_language and one.partition("/")[0] == other.partition("/")[0]


def _variables(inventory: Inventory) -> Iterator[tuple[str, Location, str]]:
    """What Compose and environment files give to variables of origins."""
    for service in inventory.services:
        for entry in service.environment:
            if entry.value is not None and switches.names_origins(entry.name):
                yield entry.name, entry.location, entry.value.text
    for file in inventory.env_files:
        for line in file.lines if not file.template else ():
            named = line.value is not None and not line.commented and switches.names_origins(line.name)
            if named and line.value is not None and _arrives(inventory, file, line.name):
                yield line.name, line.location, line.value.text


def _arrives(inventory: Inventory, file: EnvFile, name: str) -> bool:
    """Whether a variable of an environment file may get to a program: what Compose alone reads, it has to pass on."""
    folder = posixpath.dirname(file.path)
    paths = {file.path, file.copied_to or file.path, posixpath.join(folder, ".env")}
    outside = folder not in _homes(inventory) or name in _passed(inventory)
    return outside or any(env_file_uses.is_given(inventory, path) for path in paths)


@answered_once
def _homes(inventory: Inventory) -> frozenset[str]:
    """The folders of the Compose files that build programs."""
    return frozenset(posixpath.dirname(item.location.file) for item in inventory.services if item.build)


@answered_once
def _passed(inventory: Inventory) -> frozenset[str]:
    """The variables that Compose files read."""
    return frozenset(item.name for item in inventory.variables)


def _fallbacks(inventory: Inventory, holders: Collection[tuple[str, str]]) -> Iterator[Setting]:
    """The settings by which code lets every origin in where nobody gives it the variable, and nobody does."""
    found = [item for item in inventory.settings if _lets_all_in(item)]
    told = {name for _, name in holders} | {entry.name for item in inventory.services for entry in item.environment}
    told |= {said.text for file in inventory.documents for said in file.mentions if said.kind == "variable"}
    lines = [(file, line.name) for file in inventory.env_files for line in file.lines if found]
    wanted = {name for item in found for name in (item.name, *item.aliases)} - told
    told |= {name for file, name in lines if name in wanted and _arrives(inventory, file, name)}
    yield from (item for item in found if told.isdisjoint((item.name, *item.aliases)))


def _lets_all_in(item: Setting) -> bool:
    aside = item.unused or not item.location.file.endswith(_CODE) or programs.is_aside(item)
    text = item.default.text if item.default and item.default_kind == "literal" else ""
    return not aside and switches.names_origins(item.name) and "*" in switches.origins(text)


def _of_fallback(item: Setting) -> Evidence:
    found = _evidence(item.name, {item.location: ""}, [], "*", by_token=True)
    return replace(
        found,
        message=f"Without {item.name}, which no file gives the program, every origin is allowed (`*`): if the API is "
        "not meant for everybody, every web site can use it from its visitors' browsers.",
        recommendation=f"Fall back to the frontend's origin in place of `*`, or to none, and pass {item.name} on.",
        change=("", ""),
    )


def _named(holder: str, file: str) -> str:
    """The frontend's origin in the place of every one, as the kind of the file writes it."""
    if holder in _SWITCHES:
        return f'{holder} = False\nCORS_ALLOWED_ORIGINS = ["{_ORIGIN}"]'
    if file.endswith(_JVM):
        return f'setAllowedOrigins(List.of("{_ORIGIN}"))'
    if file.endswith(_SCRIPT):
        option = f'origin: ["{_ORIGIN}"]'
        return f"cors({{ {option} }})" if holder == "cors()" else option
    if holder == _HEADER:
        return f'add_header {_HEADER} "{_ORIGIN}" always;' if file.endswith(".conf") else f'"{_HEADER}": "{_ORIGIN}"'
    for ending, form in _LISTS:
        if file.endswith(ending):
            return form.format(_ORIGIN)
    sign = " = " if file.endswith(".py") else ": " if file.endswith((".yml", ".yaml")) else "="
    return f'{holder}{sign}["{_ORIGIN}"]' if file.endswith(".py") else f"{holder}{sign}{_ORIGIN}"


def _evidence(
    holder: str, places: dict[Location, str], senders: list[AllowedOrigin], written: str, *, by_token: bool
) -> Evidence:
    (first, _), *others = places.items()
    sending = {item.location: "credentials are allowed here" for item in senders if item.location not in places}
    with_credentials = bool(senders)
    if with_credentials:
        effect = ", with credentials: every web site can call the application in its visitors' name"
        effect += " where a cookie logs them in" if by_token else " where their browsers send its cookies along"
    else:
        effect = "; if the API is not meant for everybody, every web site can use it from its visitors' browsers"
    switch = holder in _SWITCHES
    return Evidence(
        f"{holder} allows every origin{f' (`{written}`)' if written and not switch else ''}{effect}.",
        first,
        subject=f"{holder}/*",
        related=tuple(Related(place, text) for place, text in (*others, *sending.items())),
        recommendation=f"Set {holder} to False, and list the frontend's origins in CORS_ALLOWED_ORIGINS."
        if switch
        else f"{f'Remove `{written}` from' if written else 'Give'} {holder} "
        f"{'and name the' if written else 'the'} frontend's origins, one list for each environment.",
        severity=Severity.HIGH if with_credentials and not by_token else None,
        confidence=None if with_credentials and not by_token else Confidence.MEDIUM,
        change=("True", "False") if switch else _CHANGES.get(written, ("", "")),
        example=files.into(first.file, _named(holder, first.file)),
    )
