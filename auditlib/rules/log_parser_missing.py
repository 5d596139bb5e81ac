"""An input of Fluent Bit names a parser, and nothing is read that defines one.

Parsers, the usual ones such as `docker` and `json` too, stand in files that `Parsers_File` of the section `[SERVICE]`
names. Without it Fluent Bit says once that the parser isn't registered and passes each line on as it is: fields and
times that searches and dashboards ask for don't exist.

Anti-pattern:

    [SERVICE]
        Flush   1
    [INPUT]
        Name    tail
        Path    /var/lib/docker/containers/*/*-json.log
        Parser  docker

Better:

    [SERVICE]
        Flush         1
        Parsers_File  /fluent-bit/etc/parsers.conf

Recommendation:

    Name the file of parsers that the image brings, or your own, in `Parsers_File`.

References:

- https://docs.fluentbit.io/manual/data-pipeline/parsers/configuring-parser
- https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode/configuration-file
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import UnknownParser
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_IMAGE = frozenset({
    "apache", "apache2", "apache_error", "nginx", "k8s-nginx-ingress", "json", "logfmt", "docker", "docker-daemon",
    "syslog-rfc5424", "syslog-rfc3164-local", "syslog-rfc3164", "mongodb", "envoy", "istio-envoy-proxy", "cri",
    "kube-custom",
})  # fmt: skip
"""The parsers of https://github.com/fluent/fluent-bit/blob/master/conf/parsers.conf."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration that names parsers and no file of them, unless a command gives one."""
    found: defaultdict[str, list[UnknownParser]] = defaultdict(list)
    for item in inventory.unknown_parsers:
        found[item.file].append(item)
    for file, items in found.items():
        running = monitoring.runners(inventory, file)
        given = any(word in ("-R", "--parser") for service in running for word in service.command)
        if not given and not monitoring.is_template(file):
            yield _evidence(inventory, file, items)


def _evidence(inventory: Inventory, file: str, items: list[UnknownParser]) -> Evidence:
    first, *others = items
    names = listed(dict.fromkeys(item.name for item in items))
    own = [name for name in dict.fromkeys(item.name for item in items) if name.lower() not in _OF_IMAGE]
    running = monitoring.runners(inventory, file)
    return Evidence(
        f"{file} has lines parsed by {names}, and its `[SERVICE]` names no `Parsers_File`: the parser isn't known, and "
        "the lines are passed on as they are.",
        first.location,
        subject=f"{file}/{first.name}",
        service=running[0].name if running else None,
        related=tuple(Related(item.location, f"{item.name} isn't known either", member=True) for item in others),
        recommendation=f"Add `Parsers_File /fluent-bit/etc/parsers.conf`, which the image brings, to {file}."
        if not own
        else f"Define {listed(own)} in a file of `[PARSER]` sections, and name it by `Parsers_File` in {file}.",
        example=files.into(file, "[SERVICE]\n    Parsers_File  /fluent-bit/etc/parsers.conf" + _defined(own)),
    )


def _defined(own: list[str]) -> str:
    """A file with the parsers that the image doesn't bring."""
    file = "    Parsers_File  <a mounted file>\n# in that file\n"
    parts = [f"[PARSER]\n    Name    {name}\n    Format  <json, logfmt or regex>" for name in own[:3]]
    return "\n" + file + "\n".join(parts) if parts else ""
