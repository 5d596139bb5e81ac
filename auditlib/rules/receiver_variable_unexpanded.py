"""Alertmanager's configuration names a variable, which Alertmanager doesn't replace.

It reads its file as it stands. An address such as `${SLACK_URL}` is no address: Alertmanager refuses to start, or takes
the text for a key and sends alerts to nobody.

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

import posixpath
import shlex
import textwrap
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Integration, Receiver
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(r"\$\{?[A-Z][A-Z0-9_]{2,}\}?")
_FILLS = frozenset({"envsubst", "sed", "gomplate", "confd", "jinja2", "j2", "consul-template", "esh", "yq", "perl"})

_FIELDS = {
    "slack": "api_url_file", "discord": "webhook_url_file", "msteams": "webhook_url_file", "webhook": "url_file",
    "pagerduty": "routing_key_file", "opsgenie": "api_key_file", "telegram": "bot_token_file",
}  # fmt: skip
"""By the kind of an integration the field that names a file with its secret."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with such variables that Alertmanager mounts as it is and that no command fills in."""
    found: defaultdict[str, list[tuple[Receiver, Integration, str]]] = defaultdict(list)
    for receiver in inventory.receivers:
        for item in receiver.integrations:
            if match := _VARIABLE.search(item.endpoint):
                found[receiver.file].append((receiver, item, match[0]))
    for file, uses in found.items():
        readers = [item for item in monitoring.runners(inventory, file) if _reads_as_it_is(item)]
        if readers and not environments.is_for_development(file) and not _is_filled(inventory, file):
            yield _evidence(file, uses, readers[0])


def _reads_as_it_is(service: Service) -> bool:
    """Whether a service is Alertmanager's published image with its own entry point."""
    name = images.repository(service.image)
    return name.endswith("/alertmanager") and service.build is None and not service.entrypoint


def _is_filled(inventory: Inventory, file: str) -> bool:
    """Whether some command may replace the variables of a file before it is mounted."""
    name = posixpath.basename(file)
    return any(
        posixpath.basename(command.words[0]) in _FILLS
        and any(name in word for word in (*command.words, *command.writes))
        for command in deployment.commands(inventory)
        if command.words
    )


def _evidence(file: str, uses: list[tuple[Receiver, Integration, str]], reader: Service) -> Evidence:
    names = list(dict.fromkeys(f"{receiver.name} ({item.kind})" for receiver, item, _ in uses))
    places = list(dict.fromkeys(item.endpoint_location or item.location for _, item, _ in uses))
    variables = dict.fromkeys(variable for *_, variable in uses)
    return Evidence(
        f"{listed(names)} of {file} {'names' if len(names) == 1 else 'name'} {listed(variables)}: {reader.name} reads "
        "the file as it stands and replaces no variables, so that no alert arrives there.",
        places[0],
        subject="variables",
        service=reader.name,
        related=(
            *(Related(place, "another variable", member=True) for place in places[1:]),
            Related(reader.location, f"{reader.name} mounts {file}"),
        ),
        recommendation=f"Name a file that holds the value (`…_file`) in {file}, or fill in a template beforehand.",
        example=_from_file(file, *uses[0][1:], reader),
    )


def _from_file(file: str, item: Integration, variable: str, reader: Service) -> str:
    """The integration with its secret from a file that Compose makes of the variable, or a template of the whole."""
    if item.kind not in _FIELDS:
        return f"envsubst < {shlex.quote(file)}.template > {shlex.quote(file)}"
    name = variable.strip("${}")
    of_all = item.kind == "slack" and item.endpoint_location is not None and item.endpoint_location < item.location
    field = "global:\n  slack_api_url_file" if of_all else f"{item.kind}_configs:\n  - {_FIELDS[item.kind]}"
    given = compose_lines.of_service(reader, f"secrets: [{name.lower()}]")
    declared = f"secrets:\n  {name.lower()}:\n    environment: {name}"
    lines = f"services:\n{textwrap.indent(given, '  ')}\n{declared}"
    return f"{files.into(file, f'{field}: /run/secrets/{name.lower()}')}\n{files.into(reader.location.file, lines)}"
