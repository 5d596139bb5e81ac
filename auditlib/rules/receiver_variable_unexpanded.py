"""Alertmanager's configuration names a variable, which Alertmanager doesn't replace.

It reads its file as it stands. An address such as `${SLACK_URL}` or `{{ .Env.SLACK_URL }}` is no address: Alertmanager
refuses to start, or takes the text for a key and sends alerts to nobody.

Anti-pattern:

    # mounted at /etc/alertmanager/alertmanager.yml as it is
    slack_configs:
      - api_url: ${SLACK_WEBHOOK_URL}

Better:

    slack_configs:
      - api_url_file: /run/secrets/slack_webhook_url

Recommendation:

    Let the configuration name a file that holds the secret (`…_file`), or fill in a template before the start.

References:

- https://prometheus.io/docs/alerting/latest/configuration/
- https://github.com/prometheus/alertmanager/issues/504
"""

from __future__ import annotations

import shlex
import textwrap
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, filled_files, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Integration, Receiver
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed, specified
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(
    r"\$\{?[A-Z][A-Z0-9_]{2,}\}?|\{\{-?\s{0,9}(?:\.Env\.\w{1,80}|env\s{1,9}[\"'`]\w{1,80}[\"'`])\s{0,9}-?\}\}"
)
_NAME = regex(r"(?<=\.Env\.)\w+|(?<=[\"'`])\w+|(?<=[${])\w+")

_FIELDS = {
    "slack": "api_url_file", "discord": "webhook_url_file", "msteams": "webhook_url_file", "webhook": "url_file",
    "pagerduty": "routing_key_file", "opsgenie": "api_key_file", "telegram": "bot_token_file",
}  # fmt: skip
"""By the kind of an integration the field that names a file with its secret."""
_WEB = frozenset({"slack", "discord", "msteams", "webhook"})
"""Kinds whose address has to begin with a scheme, or Alertmanager refuses the file."""
_CREDENTIALS = "http_config:\n  # or basic_auth, with its password_file\n  authorization:\n    credentials_file"


class _Use(Struct, frozen=True):
    """A variable in an integration; `reaches` if it stands where the address does."""

    whom: str
    item: Integration
    variable: str
    location: Location
    reaches: bool


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with such variables that Alertmanager mounts as it is and that no command fills in."""
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    for receiver in inventory.receivers:
        for item in receiver.integrations:
            found[receiver.file] += _uses(receiver, item)
    for file, uses in found.items():
        readers = [item for item in monitoring.runners(inventory, file) if _reads_as_it_is(item)]
        if (
            uses
            and readers
            and not environments.is_for_development(file)
            and not filled_files.is_filled(inventory, file)
        ):
            yield _evidence(file, uses, readers[0])


def _uses(receiver: Receiver, item: Integration) -> Iterator[_Use]:
    whom = specified(receiver.name, item.kind)
    if match := _VARIABLE.search(item.endpoint):
        yield _Use(whom, item, match[0], item.endpoint_location or item.location, True)
    yield from (_Use(whom, item, variable, place, True) for variable, place in item.address_variables)
    yield from (_Use(whom, item, variable, place, False) for variable, place in item.credential_variables)


def _reads_as_it_is(service: Service) -> bool:
    """Whether a service is Alertmanager's published image with its own entry point."""
    name = images.repository(service.image)
    return name.endswith("/alertmanager") and service.build is None and not service.entrypoint


def _evidence(file: str, uses: list[_Use], reader: Service) -> Evidence:
    names = list(dict.fromkeys(use.whom for use in uses))
    places = list(dict.fromkeys(use.location for use in uses))
    by_place = {use.location: use.variable for use in uses}
    unknown = " `--config.expand-env` is no option of it, and ends its start." if _expands(reader) else ""
    reaches = any(use.reaches for use in uses)
    effect = "no alert arrives there" if reaches else "it sends that text for a password"
    if any(use.reaches and use.item.kind in _WEB and use.item.endpoint.startswith("$") for use in uses):
        effect = "it finds no web address there and refuses to start"
    return Evidence(
        f"{listed(names)} of {file} {'names' if len(names) == 1 else 'name'} "
        f"{listed(dict.fromkeys(use.variable for use in uses))}: {reader.name} reads "
        f"the file as it stands and replaces no variables, so that {effect}.{unknown}",
        places[0],
        subject="variables",
        service=reader.name,
        related=(
            *(Related(place, f"names {by_place[place]}", member=True) for place in places[1:]),
            Related(reader.location, f"{reader.name} mounts {file}"),
        ),
        recommendation=f"Fill in a template of {file} beforehand, as no field takes an address from a file."
        if any(use.reaches and use.item.kind not in _FIELDS for use in uses)
        else f"Name a file that holds the value (`…_file`) in {file}, or fill in a template beforehand.",
        severity=None if reaches or unknown else Severity.MEDIUM,  # not every receiver asks for the password
        example=_from_file(file, uses[0], reader),
    )


def _expands(reader: Service) -> bool:
    """Whether it is started with an option that other programs have."""
    return any("config.expand-env" in word for word in reader.command)


def _from_file(file: str, use: _Use, reader: Service) -> str:
    """The integration with its secret from a file that Compose makes of the variable, or a template of the whole."""
    item = use.item
    found = _NAME.search(use.variable)
    name = found[0] if found else "SECRET"
    if use.reaches and item.kind not in _FIELDS:
        written = f"# the template says ${{{name}}}\n" if use.variable.startswith("{{") else ""
        return f"{written}envsubst < {shlex.quote(file)}.template > {shlex.quote(file)}"
    of_all = item.kind == "slack" and item.endpoint_location is not None and item.endpoint_location < item.location
    field = "global:\n  slack_api_url_file" if of_all else f"{item.kind}_configs:\n  - {_FIELDS.get(item.kind, '')}"
    if not use.reaches:
        field = "auth_password_file" if item.kind == "email" else _CREDENTIALS
    number = "\n    chat_id: <the number itself, which no file holds>" if item.kind == "telegram" else ""
    given = compose_lines.of_service(reader, f"secrets: [{name.lower()}]")
    declared = f"secrets:\n  {name.lower()}:\n    environment: {name}"
    lines = f"services:\n{textwrap.indent(given, '  ')}\n{declared}"
    own = files.into(file, f"{field}: /run/secrets/{name.lower()}{number}")
    return f"{own}\n{files.into(reader.location.file, lines)}"
