"""What to write where a credential stands in Compose files: the variable, who reads it, and where it is to be set."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from auditlib import compose_command, pipeline
from auditlib.compose.discovery import BASES
from auditlib.conventions import deployment, environments, images, secrets
from auditlib.conventions.secrets import Sighting
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Job
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.phrases import counted, listed
from auditlib.redaction import Value
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules import _workflow_lines as workflow_lines

_SHOWN = 5
"""Services whose lines are written out, where each gets a variable of its own."""


class Use(Struct, frozen=True):
    """One place where the credential's value stands."""

    location: Location
    service: str
    value: Value
    literal: bool
    is_address: bool = False
    """Whether the value is the address of a service, with the password in it."""


class Group(Struct, frozen=True):
    """A credential of one project: the places of its value, and the services that get it."""

    name: str
    uses: list[Use]
    reached: list[Service]


def variables_of(name: str, uses: list[Use], inventory: Inventory) -> dict[int, str]:
    """By value the variable that is to hold it: that of the name; of several values one each, by a service's name.

    One for all would make one password of many, and so would the variable from which another service has its own.
    """
    owners: dict[int, str] = {}
    for use in uses:
        owners.setdefault(use.value.identity, use.service)
    mine = {use.service for use in uses}
    taken = any(item.name == name and item.service and item.service not in mine for item in inventory.variables)
    told = _told_elsewhere(name, mine, inventory) if len(owners) == 1 and all(use.literal for use in uses) else ""
    if told:
        return dict.fromkeys(owners, told)
    if len(owners) == 1 and not (taken and all(use.literal for use in uses)):
        return dict.fromkeys(owners, name)
    return {identity: _of_its_own(name, service) for identity, service in owners.items()}


def _told_elsewhere(name: str, mine: set[str], inventory: Inventory) -> str:
    """The one variable from which another file, such as an overlay, gives these services the same."""
    given = _filled_in(inventory)
    found = {variables for service in mine for variables in given.get((service, name), ())}
    only = found.pop() if len(found) == 1 else ()
    return only[0] if len(only) == 1 else ""


@answered_once
def _filled_in(inventory: Inventory) -> dict[tuple[str, str], set[tuple[str, ...]]]:
    """The variables that fill an entry of the environment, by the names of the service and of the entry."""
    found: defaultdict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for item in inventory.services:
        for entry in item.environment:
            if entry.variables:
                found[item.name, entry.name].add(entry.variables)
    return found


def _of_its_own(name: str, service: str) -> str:
    prefix = re.sub(r"\W+", "_", service).upper() + "_" if service else ""
    return name if name.startswith(prefix) else prefix + name


def advice(uses: list[Use], variables: dict[int, str], alike: Sequence[Sighting]) -> str:
    """What to write, and which other files have to read the variable too, as no file of the repository may hold it."""
    first, *others = uses
    required = f"`${{{variables[first.value.identity]}:?}}`"
    if len(variables) > 1:
        return (
            f"Write a variable for each of the {len(variables)} values, as {required} for {first.service}, and give "
            "each a new one."
        )
    told = f"Write {required} in {counted(len(uses), 'place') if others else first.location.file}"
    own = {use.location.file for use in uses}
    name = variables[first.value.identity]
    using = dict.fromkeys(
        item.name for item in alike if item.name and item.location.file in own and secrets.may_be_one(name, item.name)
    )
    alike = [item for item in alike if item.location.file not in own]
    able = (item for item in alike if item.kind != "template" and code_lines.can_read(item.location.file))
    setting = dict.fromkeys(item.location.file for item in alike if item.kind == "env_file" and item.name == name)
    reading = dict.fromkeys(item.location.file for item in able if item.location.file not in setting)
    holding = dict.fromkeys(item.location.file for item in alike if item.location.file not in {**reading, **setting})
    steps = [f"put it into {listed(using, limit=2)}"] if using else []
    steps += [f"let {listed(reading, limit=2)} read it too"] if reading else []
    steps += [f"set a new value in {listed(setting, limit=2)}, kept out of Git"] if setting else []
    steps += [f"take the value out of {listed(holding, limit=2)}"] if holding else []
    if not steps:
        return f"{told}, and give it a new value outside the repository."
    return f"{told}{', ' if len(steps) > 1 else ' and '}{' and '.join(steps)}."


def broker_without_login(inventory: Inventory, group: Group) -> Service | None:
    """The RabbitMQ that an address with its first login names, and that nothing gives another one: a new password in
    the address alone would be refused.
    """
    hosts = {
        (service.project, end.host)
        for service in group.reached
        for entry in service.environment if group.name in (entry.name, *entry.variables)
        for end in entry.endpoints
    }  # fmt: skip
    asked = (inventory.services_of(project).get(host) for project, host in sorted(hosts))
    return next((item for item in asked if item and _keeps_first_login(item)), None)


def _keeps_first_login(service: Service) -> bool:
    """Whether a service is RabbitMQ's own image, with no settings that could tell it a login."""
    told = any(entry.name.startswith("RABBITMQ_DEFAULT_") for entry in service.environment)
    settings = service.env_files or any(not mount.target.startswith("/var/lib/") for mount in service.mounts)
    official = service.build is None and images.repository(service.image) == "rabbitmq"
    return official and not (told or settings or service.secrets or service.command)


def of_broker(service: Service) -> str:
    """The login that a broker takes at its first start, and how one that keeps its data takes it later."""
    lines = compose_lines.of_service(service, code_lines.required(["RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS"]))
    kept = any(mount.kind != "tmpfs" for mount in service.mounts)
    later = "\n# it keeps the login of its first start: add the user with `rabbitmqctl add_user`, and delete guest"
    return lines + (later if kept else "")


def example(inventory: Inventory, group: Group, uses: list[Use], variables: dict[int, str]) -> str:
    """The lines of the services, where the variables are set, and how a database that is there takes a new password."""
    given = _given(inventory, uses, variables.values())
    return login_lines.with_kept(
        "\n".join(filter(None, (_lines(group, uses, variables), _quoted(group), *given))),
        inventory,
        [group.name],
        among=_started_with(inventory, group),
        called={use.service: variables[use.value.identity] for use in group.uses},
    )


def _started_with(inventory: Inventory, group: Group) -> list[Service]:
    """The services that get it, but those of the files for production where it stands in one for development alone."""
    places = {use.location.file for use in group.uses}
    if not all(map(environments.is_for_development, places)):
        return group.reached
    return [item for item in group.reached if places & {*inventory.files_of(item.project)}]


def _quoted(group: Group) -> str:
    """How a hash is written where Compose would take each part of it for a variable."""
    return f"# .env, in single quotes: {group.name}='<the new hash>'" if group.name.upper().endswith("_HASH") else ""


def _given(inventory: Inventory, uses: list[Use], names: Iterable[str]) -> Iterator[str]:
    """Where the variables have to be set, so that starts go on: the template beside, and the jobs that ask Compose."""
    names = list(dict.fromkeys(names))
    paths = {use.location.file for use in uses}
    for file in inventory.env_files:
        beside = posixpath.dirname(file.path) in {posixpath.dirname(path) for path in paths}
        lacking = [name for name in names if name not in {line.name for line in file.lines}]
        if file.template and beside and lacking:
            yield files.into(file.path, "\n".join(f"{name}=" for name in lacking))
            break
    for job in _asking(inventory, paths):
        lines = "env:" + "".join(f"\n  {name}: <a value for this run>" for name in names)
        yield workflow_lines.of_job(job.workflow, job.id, lines)


def _asking(inventory: Inventory, paths: set[str]) -> list[Job]:
    """The jobs that call Compose on one of these files and make no `.env`; where one deploys, the host has it."""
    found: dict[tuple[str, str], Job] = {}
    for run in pipeline.of(inventory, inventory.workflows).runs:
        call = compose_command.of(run.text.split())
        given = deployment.deploys(run.job) or any(".env" in step.run for step in run.job.steps)
        if call and not given:
            named = {posixpath.basename(path) for path in call.files} or BASES
            if any(posixpath.basename(path) in named for path in paths):
                found.setdefault((run.job.workflow, run.job.id), run.job)
    return list(found.values())[:_SHOWN]


def _own_names(group: Group) -> dict[str, list[str]]:
    """By what containers call the variable, which ones: handed on under another name it isn't read by its own.

    None where commands and addresses alone hold it: a container's own variable would change nothing.
    """
    held = {use.value.text for use in group.uses}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for service in group.reached:
        for entry in service.environment:
            if entry.variables == (group.name,) and entry.value and entry.value.text in held:
                found[entry.name].append(service.name)
    return found or ({group.name: []} if any(use.literal for use in group.uses) else {})


def _lines(group: Group, uses: list[Use], variables: dict[int, str]) -> str:
    """The variable as a service gets it; of several the first services', each with its own."""
    name = group.name
    if len(variables) == 1:
        named = _own_names(group)
        variable = next(iter(variables.values()))
        written = {own: f"environment:\n  {own}: ${{{variable}:?set it in .env}}" for own in named}
        if len(named) <= 1:
            return "\n".join(written.values())
        return "\n".join(compose_lines.of_name(named[own][0], lines) for own, lines in written.items())
    shown = {use.service: variables[use.value.identity] for use in uses if use.service}
    lines = [
        compose_lines.of_name(service, f"environment:\n  {name}: ${{{variable}:?set it in .env}}")
        for service, variable in list(shown.items())[:_SHOWN]
    ]
    return "\n".join([*lines, *([f"# likewise for the other {len(shown) - _SHOWN}"] if len(shown) > _SHOWN else [])])


def change(name: str, use: Use, variable: str) -> tuple[str, str]:
    """The value as it is shown, and the variable without one."""
    old = use.value.text if use.literal else f"${{{name}:-{use.value.text}}}"
    return old, f"${{{variable}:?set it in .env}}"
