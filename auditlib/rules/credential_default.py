"""A credential stands in the repository, or in a program's manual.

A default after `:-` is what runs wherever nobody set the variable, and nothing tells that it wasn't set. Default
passwords of databases are the first ones that are tried; with a default signing key anyone can issue valid tokens.

Anti-pattern:

    db:
      image: postgres:16
      environment:
        POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-changeme}

Better:

    db:
      image: postgres:16
      environment:
        POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}

Recommendation:

    Require the variable with `:?`, keep its value in an ignored `.env` or a secret store, and change the credential
    wherever it was used.

References:

- https://docs.docker.com/reference/compose-file/interpolation/
- https://docs.docker.com/compose/how-tos/use-secrets/
- https://cwe.mitre.org/data/definitions/1392.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from auditlib import stages
from auditlib.conventions import consoles, environments, grafana, image_variables, published_ports, secrets, services
from auditlib.conventions.routing import Way
from auditlib.conventions.secrets import Sighting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.configuration import EnvLine
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import Value, is_credential_name
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _credential_exposure as exposure
from auditlib.rules import _credential_lines as credential_lines
from auditlib.rules import _credential_uses as credential_uses
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._credential_exposure import Ways
from auditlib.rules._credential_lines import Group, Use
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL, retired=True)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every credential by its variable's name, with all the places that it reaches; and Grafana's first login."""
    uses: defaultdict[tuple[str, str], dict[Location, Use]] = defaultdict(dict)
    thrown, users = credential_uses.thrown_away(inventory), credential_uses.user_names(inventory)
    for family, name, use in (*credential_uses.defaults(inventory), *credential_uses.literals(inventory)):
        harmless = secrets.is_public(name) or (family, name) in users or secrets.opens_nothing(name, use.value)
        if not harmless and (use.location.file, use.service) not in thrown:
            uses[family, name].setdefault(use.location, use)
    by_name = {(service.project, service.name): service for service in inventory.services}
    ways = exposure.open_ways(inventory)
    sharing = credential_uses.sharing(inventory)
    groups = [
        Group(name, list(found.values()), credential_uses.reached(by_name, family, found.values(), sharing))
        for (family, name), found in uses.items()
    ]
    groups = [group for group in groups if not _opens_nothing(inventory, group)]
    for group, copies in _once(inventory, groups, ways):
        yield _evidence(inventory, group, copies, ways)
    for service in grafana.servers(inventory):
        way = ways.get((service.project, service.name))
        if (published_ports.is_exposed(service) or way) and grafana.keeps_first_login(inventory, service):
            yield _first_login(service, way)


def _once(inventory: Inventory, groups: list[Group], ways: Ways) -> Iterator[tuple[Group, list[Use]]]:
    """Each credential at its worst, with its copies: the same value of the same name in other projects.

    An address with a password that is a finding itself is among the places of that one.
    """
    told = {
        (item.location.file, item.location.line)
        for group in groups if not _is_address(group)
        for item in _alike(inventory, group)
    }  # fmt: skip
    alike: defaultdict[tuple[str, frozenset[int]], list[Group]] = defaultdict(list)
    for group in groups:
        places = {(use.location.file, use.location.line) for use in group.uses}
        if not (_is_address(group) and places <= told):
            alike[group.name, frozenset(use.value.identity for use in group.uses)].append(group)
    for same in alike.values():
        worst, *rest = sorted(
            same, key=lambda group: (_is_aside(group), not any(exposure.entered(inventory, group, ways)))
        )
        yield worst, [use for group in rest for use in group.uses]


def _is_address(group: Group) -> bool:
    return all(use.is_address or secrets.stands_in_url(use.value) for use in group.uses)


def _is_aside(group: Group) -> bool:
    return all(environments.is_for_development(use.location.file) for use in group.uses)


def _is_replaced(inventory: Inventory, group: Group) -> bool:
    """Whether a file for production gives each of the services that get it a value from outside instead."""
    places = {(use.location.file, use.location.line) for use in group.uses}
    entries = [
        (service, entry.name)
        for service in group.reached
        for entry in service.environment
        if (entry.location.file, entry.location.line) in places
    ]
    return bool(entries) and all(_has_other(inventory, service, name) for service, name in entries)


def _has_other(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether a file for production fills a variable of a service's container with one that has no default."""
    defaults = _places_of_defaults(inventory)
    others = (entry for item in inventory.versions(service) for entry in item.environment if entry.name == name)
    return any(
        entry.variables
        and stages.names_production(entry.location.file)
        and (entry.location.file, entry.location.line) not in defaults
        for entry in others
    )


@answered_once
def _places_of_defaults(inventory: Inventory) -> frozenset[tuple[str, int]]:
    found = (item.location for item in inventory.variables if item.default is not None)
    return frozenset((place.file, place.line) for place in found)


def _alike(inventory: Inventory, group: Group) -> tuple[Sighting, ...]:
    known = [use.location for use in group.uses]
    return login_lines.elsewhere(inventory, group.name, group.uses[0].value, group.reached, known)


def _evidence(inventory: Inventory, group: Group, copies: list[Use], ways: Ways) -> Evidence:
    name, uses, reached = group.name, [*group.uses, *copies], group.reached
    first = uses[0]
    published, routed = exposure.entered(inventory, group, ways)
    offered = _offered(inventory, name, reached) if first.literal else None
    known = {use.location for use in uses}
    alike = [item for item in _alike(inventory, group) if item.location not in known]
    winner = _overruled_in(inventory, group)
    loses = f" It loses to {winner} wherever Compose loads that, as it does by itself." if winner else ""
    found = Evidence(
        f"{name} {_stands(first)} ({first.value.text}{_judgement(first.value)}){_where(reached, copies)}"
        f"{exposure.told(published, routed)}.{_in_vain(offered)}{loses}",
        first.location,
        subject=name,
        service=first.service or None,
        related=(
            *_others(uses),
            *(Related(way.location, f"{way.proxy.name} leads to {way.service.name}") for way in routed),
            *(Related(item.location, f"{item.name or 'this file'} holds the same value") for item in alike),
            *([Related(offered.location, f"{offered.name} is offered, and nothing passes it")] if offered else ()),
        ),
        severity=_severity(inventory, group, exposed=bool(published or routed), overruled=bool(winner)),
    )
    if reached and all(_is_idle(inventory, item, name) for item in reached):
        return _taken_out(found, name, reached[0])
    variables = credential_lines.variables_of(name, uses, inventory)
    broker = credential_lines.broker_without_login(inventory, group) if len(variables) == 1 else None
    if broker:
        return msgspec.structs.replace(
            found,
            recommendation=f"Give {broker.name} RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS, and write "
            f"`${{{variables[first.value.identity]}:?}}` with that login for its clients.",
            change=credential_lines.change(name, first, variables[first.value.identity]),
            example=credential_lines.of_broker(broker)
            + "\n"
            + credential_lines.example(inventory, group, uses, variables),
        )
    return msgspec.structs.replace(
        found,
        recommendation=credential_lines.advice(uses, variables, alike),
        change=credential_lines.change(name, first, variables[first.value.identity]),
        example=credential_lines.example(inventory, group, uses, variables),
    )


def _stands(use: Use) -> str:
    if use.literal:
        return "is written into the Compose file"
    return "falls back to a value that stands in the repository"


def _where(reached: list[Service], copies: list[Use]) -> str:
    """The services that have it."""
    told = dict.fromkeys([*(item.name for item in reached), *(use.service for use in copies if use.service)])
    if not told:
        return ""
    return f" in {len(told)} services ({listed(told)})" if len(told) > 1 else f" in the service {listed(told)}"


def _overruled_in(inventory: Inventory, group: Group) -> str:
    """The override, read by itself, that gives every place of a credential another value; empty if there is none."""
    losing = _overruled(inventory)
    files = {losing.get((use.location.file, use.location.line), "") for use in group.uses}
    return files.pop() if len(files) == 1 else ""


@answered_once
def _overruled(inventory: Inventory) -> Mapping[tuple[str, int], str]:
    """By place the values that lose to a later file of their own project, with that file."""
    together = [project.files for project in inventory.base_projects]
    return {
        (loser.file, loser.line): winner.file
        for winner, losers in inventory.losers.items()
        for loser in losers
        if loser.file != winner.file and any({loser.file, winner.file} <= {*files} for files in together)
    }


def _severity(inventory: Inventory, group: Group, *, exposed: bool, overruled: bool) -> Severity | None:
    if _is_aside(group) or _is_replaced(inventory, group):
        return Severity.LOW
    if overruled:
        return Severity.MEDIUM
    if exposed:
        return Severity.CRITICAL
    consoles = group.reached and all(exposure.opens_console(inventory, item, group.name) for item in group.reached)
    return Severity.MEDIUM if consoles else None


def _in_vain(offered: EnvLine | None) -> str:
    return f" {offered.location.file} offers {offered.name}, which changes nothing here." if offered else ""


def _others(uses: list[Use]) -> Iterator[Related]:
    """The further places, those with another value told."""
    first, *others = uses
    for use in others:
        other = "" if use.value.identity == first.value.identity else ", with another value"
        yield Related(use.location, f"{use.service or 'the project'} gets it here{other}", member=True)


def _taken_out(found: Evidence, name: str, service: Service) -> Evidence:
    """What to do about a variable that no image reads."""
    return msgspec.structs.replace(
        found,
        recommendation=f"Take {name} out of {found.location.file}, as its image doesn't read it, and change the "
        "password where it opens something.",
        example=compose_lines.of_name(service.name, f"environment:\n  # without {name}"),
    )


def _is_idle(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether the image is known not to read a variable of this name, and no command hands it on."""
    words = " ".join((*service.entrypoint, *service.command))
    commands = (f"services.{service.name}.command", f"services.{service.name}.entrypoint")
    own = inventory.variables_of.get((service.project, service.name), ())
    handed = name in words or any(item.name == name and item.target.startswith(commands) for item in own)
    return service.build is None and name in image_variables.unread(service.image) and not handed


def _opens_nothing(inventory: Inventory, group: Group) -> bool:
    """Whether a default reaches only consoles that ask nobody, or variables that no image reads: others tell of those.

    What stands in an image's own variable is to be taken out of it; a default isn't, as it may be set.
    """
    defaults = not any(use.literal for use in group.uses)
    return defaults and bool(group.reached) and all(_is_unasked(inventory, item, group.name) for item in group.reached)


def _is_unasked(inventory: Inventory, service: Service, name: str) -> bool:
    given = [entry.name for entry in service.environment if name in entry.variables]
    elsewhere = any(
        item.name == name and not item.target.startswith(f"services.{service.name}.environment")
        for item in inventory.variables_of.get((service.project, service.name), ())
    )
    unread = all(item != name and _is_idle(inventory, service, item) for item in given)
    return bool(given) and not elsewhere and (unread or consoles.asks_nobody(inventory, service))


def _offered(inventory: Inventory, name: str, reached: list[Service]) -> EnvLine | None:
    """The variable that a template has people set for this, while Compose holds the value itself."""
    words = set(name.upper().split("_"))
    for service in reached:
        found = services.product(inventory, service)
        words |= {service.name.upper(), found.name.upper() if found else ""}
    used = {item.name for item in inventory.variables}
    used |= {entry.name for service in reached for entry in service.environment if entry.name != name}
    lines = [
        line
        for file in inventory.env_files
        for line in (file.lines if file.template else ())
        if is_credential_name(line.name) and line.name not in used and set(line.name.upper().split("_")) <= words
    ]
    return next((line for line in lines if line.name == name), lines[0] if lines else None)


def _first_login(service: Service, way: Way | None) -> Evidence:
    ports = published_ports.public_ports(service)
    reached = "is published" if ports or way is None else f"can be reached through {way.proxy.name}"
    return Evidence(
        f"{service.name} {reached} and is given no GF_SECURITY_ADMIN_PASSWORD: it starts with the login "
        "admin/admin, which holds until somebody signs in and changes it.",
        ports[0].location if ports or way is None else way.location,
        subject=f"{service.name}/first-login",
        service=service.name,
        recommendation=f"Give {service.name} `GF_SECURITY_ADMIN_PASSWORD: ${{GF_SECURITY_ADMIN_PASSWORD:?set it in "
        ".env}`.",
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(service, code_lines.required(["GF_SECURITY_ADMIN_PASSWORD"])),
    )


def _judgement(value: Value) -> str:
    return ", a placeholder" if value.placeholder else ", well known or easily guessed" if value.weak else ""
