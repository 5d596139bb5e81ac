"""A login for Grafana is told that Grafana doesn't have.

Whoever follows the document or what the script prints stands before "Invalid username or password", and a request with
that login changes nothing. Often the password was changed in one place, so that nobody knows which one was meant.

Anti-pattern:

    # compose.yaml: GF_SECURITY_ADMIN_PASSWORD: s3cret-of-today
    # README.md:    Grafana: http://localhost:3000 (admin/admin)

Better:

    # README.md:    Grafana: http://localhost:3000 (admin, and GF_SECURITY_ADMIN_PASSWORD of .env)

Recommendation:

    Name the variable that holds the password in place of the password.

References:

- https://grafana.com/docs/grafana/latest/setup-grafana/configure-docker/
- https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#admin_password
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditlib.conventions import environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ToldLogin
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import Value
from auditlib.rules._rule import Evidence, rule

_VARIABLE = "GF_SECURITY_ADMIN_PASSWORD"


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all logins that no Grafana of the repository has."""
    running = services.of_product(inventory, "Grafana") if inventory.told_logins else ()
    given = [(item, entry) for item in running for entry in item.environment if entry.name == _VARIABLE]
    if not given or len({item.key for item, _ in given}) < len(running):  # one has the usual login, or a file's
        return
    if any(entry.value is None for _, entry in given):
        return
    known = _Known(_values(inventory, [entry for _, entry in given]))
    demanded = {item.name for item in inventory.variables if item.operator in (":?", "?")}
    blank = any(_may_be_blank(demanded, entry) for _, entry in given)
    wrong = [told for told in inventory.told_logins
             if not environments.is_for_development(told.location.file)
             and not _starts_another(inventory, told)
             and told.password not in known
             and not (blank and _is_usual(told.password))]  # fmt: skip
    if wrong:
        fixed = sorted(given, key=lambda item: bool(item[1].variables))
        yield _evidence(sorted(wrong, key=lambda told: not told.used), *fixed[0])


def _starts_another(inventory: Inventory, told: ToldLogin) -> bool:
    """Whether a script starts Compose files by a variable, so that nobody knows which Grafana it speaks of."""
    script = inventory.scripts_by_path.get(told.location.file)
    return script is not None and "COMPOSE_FILE" in script.sets


def _values(inventory: Inventory, entries: Sequence[EnvironmentEntry]) -> Iterator[Value]:
    """What a password may be by the files: itself, and what environment files and templates say."""
    yield from (entry.value for entry in entries if entry.value is not None)
    names = {name for entry in entries for name in entry.variables}
    yield from (line.value for file in inventory.env_files for line in file.lines
                if line.name in names and line.value and line.value.text)  # fmt: skip


def _may_be_blank(demanded: set[str], entry: EnvironmentEntry) -> bool:
    """Whether a password may be left empty, so that Grafana makes the usual one."""
    open_ended = entry.value is None or not entry.value.text or "$" in entry.value.text
    return open_ended and demanded.isdisjoint(entry.variables)


def _is_usual(password: Value) -> bool:
    """Whether a password is, as far as its mask tells, the one that Grafana makes where it is given none: `admin`."""
    return password.text == "admin" or (password.weak and password.length == len("admin"))


class _Known:
    """Values, to be asked for an equal one: by their identity, or by what is shown where one has none."""

    def __init__(self, values: Iterable[Value]) -> None:
        every = list(values)
        self._identities = {value.identity for value in every if value.identity}
        self._texts = {value.text for value in every}
        self._plain = {value.text for value in every if not value.identity}

    def __contains__(self, value: Value) -> bool:
        if value.identity:
            return value.identity in self._identities or value.text in self._plain
        return value.text in self._texts


def _evidence(wrong: list[ToldLogin], service: Service, entry: EnvironmentEntry) -> Evidence:
    first, *others = wrong
    names = listed(told.location.file for told in wrong)
    verb = "asks Grafana with" if first.used else "tells"
    variable = (*entry.variables, _VARIABLE)[0]
    gives = f"takes it from {variable}" if entry.variables else "gives it another one"
    fails = "the login fails, unless somebody chose just that" if entry.variables else "the login fails"
    return Evidence(
        f"{first.location.file} {verb} a password of Grafana's admin, and {entry.location.file} {gives}: {fails}.",
        first.location,
        subject=f"{service.name}/login",
        service=service.name,
        related=(
            Related(entry.location, f"the password of {service.name}"),
            *(Related(told.location, "another password as well", member=True) for told in others),
        ),
        recommendation=f"Name {variable} in {names} in place of a password.",
        severity=Severity.MEDIUM if first.used and not entry.variables else None,
        confidence=Confidence.MEDIUM if entry.variables else None,
        example='curl -u "admin:$GF_SECURITY_ADMIN_PASSWORD" http://localhost:3000/api/org' if first.used else
        f"Grafana: user admin, {variable} of the environment that starts it",
    )  # fmt: skip
