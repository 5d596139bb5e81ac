"""A file of Prometheus names a variable, and Prometheus replaces none.

Only the external labels may hold variables. Elsewhere `${NAME}` is that text: a password that the target refuses, or
a host that nobody has. The target counts as down, and what it would have told is missing.

Anti-pattern:

    basic_auth:
      username: prometheus
      password: "${METRICS_PASSWORD}"

Better:

    basic_auth:
      username: prometheus
      password_file: /run/secrets/metrics_password

Recommendation:

    Name a file that holds the value, or fill in a template before the start.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
- https://prometheus.io/docs/prometheus/latest/feature_flags/
"""

from __future__ import annotations

import shlex
import textwrap
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, filled_files, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PlainVariable
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FROM_FILE = ("password", "credentials", "bearer_token")


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with such variables that Prometheus mounts as it is and that no command fills in."""
    found: defaultdict[str, list[PlainVariable]] = defaultdict(list)
    for item in inventory.plain_variables:
        found[item.location.file].append(item)
    for file, uses in found.items():
        readers = [item for item in monitoring.runners(inventory, file) if _reads_as_it_is(item)]
        if readers and not environments.is_for_development(file) and not filled_files.is_filled(inventory, file):
            yield _evidence(file, uses, readers[0])


def _reads_as_it_is(service: Service) -> bool:
    """Whether a service is Prometheus's published image with its own entry point."""
    return images.repository(service.image) == "prom/prometheus" and not service.build and not service.entrypoint


def _evidence(file: str, uses: list[PlainVariable], reader: Service) -> Evidence:
    first, *others = uses
    names = list(dict.fromkeys(item.name for item in uses))
    return Evidence(
        f"{file} names {listed(names)} in {listed(dict.fromkeys(f'`{item.field}`' for item in uses))}: {reader.name} "
        "reads the file as it stands and replaces no variables there, so that it asks in vain.",
        first.location,
        subject=f"{file}/variables",
        service=reader.name,
        related=(
            *(Related(item.location, f"names {item.name}", member=True) for item in others),
            Related(reader.location, f"{reader.name} mounts {file}"),
        ),
        recommendation=f"Name a file that holds the value (`…_file`) in {file}, or fill in a template beforehand.",
        example=_example(file, first, reader),
    )


def _example(file: str, use: PlainVariable, reader: Service) -> str:
    """The field that names a file which Compose makes of the variable, or a template of the whole."""
    if use.field not in _FROM_FILE:
        return f"envsubst < {shlex.quote(file)}.template > {shlex.quote(file)}"
    secret = use.name.lower()
    given = compose_lines.of_service(reader, f"secrets: [{secret}]")
    lines = f"services:\n{textwrap.indent(given, '  ')}\nsecrets:\n  {secret}:\n    environment: {use.name}"
    field = files.into(file, f"{use.field}_file: /run/secrets/{secret}")
    return f"{field}\n{files.into(reader.location.file, lines)}"
