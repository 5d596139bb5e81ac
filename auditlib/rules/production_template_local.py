"""A template for production gives local addresses to the browsers of users.

The template says that it is for production, and names `localhost` as the site, as the address to come back to after a
login, or as the only origin that may ask. Who copies it and fills in the passwords has a site whose logins end at the
visitor's own computer, and whose calls the browser refuses.

Anti-pattern:

    ENVIRONMENT=production
    DOMAIN=shop.example.org
    FRONTEND_URL=http://localhost:3000
    CORS_ORIGINS=["http://localhost:3000"]

Better:

    ENVIRONMENT=production
    DOMAIN=shop.example.org
    FRONTEND_URL=https://shop.example.org
    CORS_ORIGINS=["https://shop.example.org"]

Recommendation:

    Give the addresses of production in its template, or make them of the domain in Compose.

References:

- https://12factor.net/config
- https://developers.google.com/identity/protocols/oauth2/web-server#uri-validation
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PUBLIC = regex(
    r"(?:^|_)(?:PUBLIC|SITE|FRONTEND|CLIENT|EXTERNAL|CALLBACK|REDIRECT|NEXTAUTH|BETTER_AUTH)(?:_BASE)?_UR[LI]$|"
    r"^(?:NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP)_\w*(?:URL|URI|ORIGIN)$|"
    r"(?:^|_)CORS(?:_\w+)?$|(?:^|_)(?:ALLOWED|TRUSTED)_ORIGINS?$"
)
"""Names of addresses that browsers are sent to, or may ask from."""
_LOCAL = regex(r"https?://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?(?:/[^\s\"',\]]{0,200})?")
_HOST = regex(r"https?://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?")
_ADDRESS = regex(r"https?://[^\s\"',\]]{1,300}")
_DOMAIN = regex(r"(?:^|_)(?:DOMAIN|HOST_?NAME|FQDN)(?:_NAME)?$")
_NAME = regex(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each template that names production and its domain, and whose public addresses a service gets are local."""
    for file in inventory.env_files:
        if not file.template or environments.is_for_development(file.copied_to):
            continue
        lines = [line for line in file.lines if line.value and not line.commented]
        told = next((line for line in lines if _says_production(line)), None)
        domain = next((line for line in lines if _is_domain(line)), None)
        local = [line for line in lines if _is_local(line)] if told and domain else []
        given = [line for line in local if _takers(inventory, file, line.name)]
        if told and domain and given:
            yield _evidence(inventory, file, told, domain, given)


def _text(line: EnvLine) -> str:
    return line.value.text.strip().strip("\"'") if line.value else ""


def _says_production(line: EnvLine) -> bool:
    return environments.names_environment(line.name) and _text(line).lower() in ("production", "prod")


def _is_domain(line: EnvLine) -> bool:
    """Whether a line gives the domain of the site, or a placeholder of one."""
    name = _NAME.fullmatch(_text(line))
    return bool(_DOMAIN.search(line.name)) and name is not None and not _text(line).startswith(("127.", "localhost"))


def _is_local(line: EnvLine) -> bool:
    """Whether all addresses of a public variable are on localhost."""
    found = _ADDRESS.findall(_text(line)) if _PUBLIC.search(line.name) else []
    return bool(found) and all(map(_LOCAL.fullmatch, found))


def _takers(inventory: Inventory, file: EnvFile, name: str) -> list[Service]:
    """The deployed services that get the variable as the file made of the template gives it."""
    return [
        service
        for service in inventory.deployed_services
        if not environments.is_for_developers(inventory, service)
        and (
            (
                any(posixpath.normpath(item.path) == file.copied_to for item in service.env_files)
                and all(entry.name != name or entry.origin != "environment" for entry in service.environment)
            )
            or any(entry.variables == (name,) for entry in service.environment)
        )
    ]


def _evidence(inventory: Inventory, file: EnvFile, told: EnvLine, domain: EnvLine, local: list[EnvLine]) -> Evidence:
    first, *others = local
    names = listed((line.name for line in local), limit=5)
    takers = {item.name: item for line in local for item in _takers(inventory, file, line.name)}
    return Evidence(
        f"{file.path} is for production by {told.name} and gives {domain.name}, while {names} "
        f"{'is' if not others else 'are'} on localhost, which {listed(takers, limit=3)} "
        f"{'gets' if len(takers) == 1 else 'get'}: copied as it is, browsers are sent to the visitor's own computer, "
        "or refused.",
        first.location,
        subject=f"{file.path}/local",
        service=next(iter(takers)),
        related=(
            *(Related(line.location, f"{line.name} too", member=True) for line in others),
            Related(told.location, "says production"),
            Related(domain.location, "the domain of the site"),
        ),
        recommendation=f"Give {listed((line.name for line in local), limit=3)} of {file.path} the site's addresses.",
        example=files.into(file.path, "\n".join(f"{line.name}={_mended(line)}" for line in local)),
    )


def _mended(line: EnvLine) -> str:
    """The value with the site in place of the host, paths kept."""
    return _HOST.sub("https://<the name of the site>", line.value.text if line.value else "")
