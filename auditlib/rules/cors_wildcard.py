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
from collections.abc import Iterator

from auditlib.conventions import environments, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import AllowedOrigin
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
    for line in (line for file in inventory.env_files if not file.template for line in file.lines):
        if line.value is not None and not line.commented and switches.names_origins(line.name):
            yield line.name, line.location, line.value.text


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
