"""Monitoring is configured, but nothing in the repository runs it.

Configuration of Prometheus, Alertmanager or Grafana that no service uses watches nothing: no metric is collected, no
alert ever fires, and whoever finds the folder believes the opposite.

Anti-pattern:

    monitoring/prometheus/prometheus.yml     # exists
    # docker-compose.yml: no service runs prom/prometheus

Better:

    services:
      prometheus:
        image: prom/prometheus:v2.54.1
        volumes:
          - ./monitoring/prometheus:/etc/prometheus:ro

Recommendation:

    Add the monitoring services to the Compose project (or to one of their own that is started with it), or document the
    place where they run.

References:

- https://prometheus.io/docs/prometheus/latest/installation/
- https://grafana.com/docs/grafana/latest/administration/provisioning/
"""

from __future__ import annotations

import posixpath
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib.conventions import deployment, environments, images, monitoring, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = {"metrics": "Prometheus", "alerting": "Alertmanager", "dashboards": "Grafana", "logs": "log collection"}

_ALERTING = frozenset({"metrics", "alerting"})
"""What nobody is told of failures without; dashboards and logs are looked at afterwards."""
_OTHERS = regex(
    r"loki|ruler|mimir|cortex|thanos|vmalert|mixin|(?:^|/)(?:tests?|examples?|vendor|k8s|kubernetes|charts?|helm)/",
    re.I,
)
"""Paths of rules that are for other programs, for others to take, or tests."""
_FOR_OTHERS = regex(
    r"(?:^|/)(?:examples?|samples?|contrib|docs?|documentation|vendor|testdata|fixtures)/|otel|opentelemetry|collector|"
    r"agent",
    re.I,
)
"""Paths of what is there for others to take, and of collectors, which hold jobs of Prometheus among their receivers."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each monitoring folder one finding for the programs that are configured and that nothing runs."""
    if not inventory.projects or _runs_elsewhere(inventory):
        return
    running = _running(inventory)
    unused: defaultdict[str, dict[str, list[Location]]] = defaultdict(dict)
    for kind, location in _configured(inventory):
        if kind not in running:
            unused[_top(location.file)].setdefault(kind, []).append(location)
    for folder, kinds in unused.items():
        yield _evidence(inventory, folder, kinds)
    yield from _as_shipped(inventory)


_DEFAULTS = {
    "Prometheus": ("prom/prometheus", "/etc/prometheus/prometheus.yml"),
    "Alertmanager": ("prom/alertmanager", "/etc/alertmanager/alertmanager.yml"),
}
"""By program its image and the configuration in it that it starts with (the images' Dockerfiles)."""


def _as_shipped(inventory: Inventory) -> Iterator[Evidence]:
    """Each program that runs with the example of its image, beside the one configuration that is written for it."""
    written = {
        "Prometheus": [item.file for item in inventory.prometheus],
        "Alertmanager": list(dict.fromkeys(item.file for item in inventory.receivers)),
    }
    for program, (image, path) in _DEFAULTS.items():
        running = [item for item in services.of_product(inventory, program) if not environments.only_for_tests(item)]
        meant = [file for file in written[program] if not _OTHERS.search(file)]
        alone = running and all(_is_as_shipped(item, image, path) for item in running)
        if alone and len(meant) == 1 and not _is_brought(inventory, meant[0]):
            yield _unmounted(running[0], meant[0], path, program)


def _is_as_shipped(service: Service, image: str, path: str) -> bool:
    """Whether nothing brings a file to the folder of the configuration, and no option names another path."""
    folder = posixpath.dirname(path)
    brought = any(mounts.is_below(path, item.target) or mounts.is_below(item.target, folder) for item in service.mounts)
    options = [word.partition("config.file=")[2] for word in service.command if "config.file" in word]
    own = images.repository(service.image) == image and not (service.build or service.entrypoint or service.configs)
    return own and not brought and all(option == path for option in options)


def _is_brought(inventory: Inventory, file: str) -> bool:
    """Whether a configuration may come into a container by another way: a template, a copy, a command, a document."""
    name = posixpath.basename(file)
    texts = [" ".join(item.words) for item in deployment.commands(inventory)]
    texts += [item.text for item in deployment.documented_commands(inventory)]
    elsewhere = deployment.uses_orchestrator(inventory) or monitoring.meant_runners(inventory, file)
    return bool(elsewhere or monitoring.is_template(file) or any(name in text for text in texts))


def _unmounted(service: Service, file: str, path: str, program: str) -> Evidence:
    return Evidence(
        f"No mount brings {file} into {service.name}: {program} starts with the example of its image, which knows "
        "nothing of this project.",
        service.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(Location(file), "nothing reads it"),),
        recommendation=f"Mount {file} at {path} in {service.name}.",
        example=compose_lines.mount_of(service, file, path),
    )


def _configured(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """What is configured to run with this repository, each file once, by the kind of program that reads it."""
    yield from ((kind, place) for kind, place in _written(inventory) if not _FOR_OTHERS.search(place.file))


def _written(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    yield from (("metrics", item.location) for item in inventory.prometheus)
    if not inventory.prometheus:  # rules alone tell it too
        rules = dict.fromkeys(item.file for item in inventory.alert_rules if not _OTHERS.search(item.file))
        yield from (("metrics", Location(file)) for file in rules)
    yield from (("alerting", Location(file)) for file in dict.fromkeys(item.file for item in inventory.receivers))
    provisioned = [item.file for item in inventory.datasources]
    provisioned += [item.file for item in inventory.dashboard_providers]
    if provisioned:  # dashboards alone are there to be imported
        files = dict.fromkeys([*provisioned, *(item.file for item in inventory.dashboards)])
        yield from (("dashboards", Location(file)) for file in files)
    yield from (("logs", item.location) for item in inventory.log_shippers)


def _running(inventory: Inventory) -> set[str]:
    """The kinds of monitoring programs that some service runs, by its product or by its own name."""
    found = {product.kind for item in inventory.services if (product := services.product(inventory, item))}
    names = " ".join(service.name.lower() for service in inventory.services)
    return found | {kind for kind, name in _NAMES.items() if name.lower() in names}


def _runs_elsewhere(inventory: Inventory) -> bool:
    """Whether a command, of a script or a document, starts monitoring outside Compose."""
    texts = [" ".join(item.words) for item in deployment.commands(inventory)]
    texts += [item.text for item in deployment.documented_commands(inventory)]
    starters = ("docker run", "podman run", "helm", "kubectl", "systemctl", "docker stack")
    return any(
        any(starter in text for starter in starters) and any(name in text.lower() for name in ("prometheus", "grafana"))
        for text in texts
    )


def _top(path: str) -> str:
    return path.partition("/")[0] if "/" in path else ""


_SERVICES = {
    "metrics": ("prometheus", "prom/prometheus", "/etc/prometheus/"),
    "alerting": ("alertmanager", "prom/alertmanager", "/etc/alertmanager/"),
    "dashboards": ("grafana", "grafana/grafana", "/etc/grafana/provisioning/"),
}
_COLLECTORS = {
    "alloy": ("grafana/alloy", "/etc/alloy/config.alloy"),
    "filebeat": ("docker.elastic.co/beats/filebeat", "/usr/share/filebeat/filebeat.yml"),
    "fluent-bit": ("fluent/fluent-bit", "/fluent-bit/etc/fluent-bit.conf"),
    "logstash": ("docker.elastic.co/logstash/logstash", "/usr/share/logstash/pipeline/logstash.conf"),
    "loki": ("grafana/loki", "/etc/loki/local-config.yaml"),
    "promtail": ("grafana/promtail", "/etc/promtail/config.yml"),
    "vector": ("timberio/vector", "/etc/vector/vector.yaml"),
}
"""What collects or stores logs: its image, and the file that this reads."""
_UNKNOWN = ("<its image>", "<the file that it reads>")


def _wired(inventory: Inventory, project: Project, kinds: dict[str, list[Location]]) -> str:
    """The services that are missing, each with the folder of its configuration."""
    home = posixpath.dirname(project.location.file) or "."
    configured = {item.file for item in inventory.prometheus} | {item.file for item in inventory.receivers}
    joined = compose_lines.joining(inventory, project, _partners(inventory, project, kinds))
    blocks = []
    for kind, places in kinds.items():
        file = places[0].file
        if kind == "logs":
            blocks += _of_logs(inventory, [place.file for place in places], home, joined)
            continue
        folder = posixpath.relpath(_folder(kind, file), home)
        more = _dashboards(inventory, home) if kind == "dashboards" else ""
        blocks.append(_service(kind, folder, posixpath.basename(file) if file in configured else "", joined, more))
    return files.into(project.location.file, "services:\n" + textwrap.indent("\n".join(blocks), "  "))


def _dashboards(inventory: Inventory, home: str) -> str:
    """The mount of dashboards at the place where a provider looks for them, if they lie outside of what is mounted."""
    boards = [item.file for item in inventory.dashboards if "provisioning/" not in item.file]
    provider = next((item for item in inventory.dashboard_providers if item.path.startswith("/")), None)
    if not boards or provider is None:
        return ""
    folder = posixpath.relpath(posixpath.dirname(boards[0]) or ".", home)
    return f"\n  - ./{folder.removeprefix('./')}:{provider.path}:ro"


def _of_logs(inventory: Inventory, places: list[str], home: str, joined: str) -> list[str]:
    """A service for each program of the logs, with the first of its files."""
    kinds = {item.file: item.kind for item in reversed(inventory.log_shippers)}
    first = {kinds.get(file, "<the collector>"): file for file in reversed(places)}
    blocks = []
    for kind, file in reversed(first.items()):
        image, inside = _COLLECTORS.get(kind, _UNKNOWN)
        mount = f"volumes:\n  - ./{posixpath.relpath(file, home)}:{inside}:ro"
        blocks.append(compose_lines.of_name(kind, f"image: {image}:<version>\n{mount}\n{joined}".rstrip()))
    return blocks


def _partners(inventory: Inventory, project: Project, kinds: Iterable[str]) -> Iterator[Service]:
    """What is scraped where Prometheus is to be added, and the monitoring that runs already."""
    asked = {target.host for job in inventory.scrape_jobs for target in job.targets} if "metrics" in kinds else set()
    for service in inventory.services_of(project.name).values():
        product = services.product(inventory, service)
        if service.name in asked or (product and product.kind in _NAMES):
            yield service


def _folder(kind: str, file: str) -> str:
    """The folder of a configuration; of Grafana's files the one that is called after provisioning."""
    above, found, _ = file.partition("provisioning/")
    return f"{above}provisioning" if kind == "dashboards" and found else posixpath.dirname(file) or "."


def _service(kind: str, folder: str, config: str, joined: str, more: str = "") -> str:
    """One service; a configuration that isn't called as the program expects is named in its command."""
    name, image, inside = _SERVICES[kind]
    lines = f"image: {image}:<version>\nvolumes:\n  - ./{folder.removeprefix('./')}:{inside.rstrip('/')}:ro{more}"
    if config and config != f"{name}.yml":
        lines += f"\ncommand: --config.file={inside}{config}"
    return compose_lines.of_name(name, f"{lines}\n{joined}".rstrip())


def _evidence(inventory: Inventory, folder: str, kinds: dict[str, list[Location]]) -> Evidence:
    places = [(kind, place) for kind, locations in kinds.items() for place in locations]
    elsewhere = deployment.uses_orchestrator(inventory)
    doubt = "; whether the orchestrator that the repository also deploys to runs it is not known" if elsewhere else ""
    alone = not inventory.prometheus and set(kinds) == {"metrics"}
    doubt = doubt or (", unless a Prometheus elsewhere loads its rules" if alone else "")
    names = listed(_NAMES[kind] for kind in kinds)
    projects = [item for item in inventory.projects if item.role == "base"] or list(inventory.projects)
    return Evidence(
        f"{folder + '/' if folder else 'The repository'} configures {names}, but no service of "
        f"{listed((item.location.file for item in projects), limit=3)} runs "
        f"{'it' if len(kinds) == 1 else 'them'}{doubt}.",
        places[0][1],
        subject=folder or "monitoring",
        related=(
            *(Related(place, f"configuration of {_NAMES[kind]}") for kind, place in places[1:]),
            *(Related(item.location, "this project has no such service") for item in projects[:3]),
        ),
        recommendation=f"Add {names} as {'a service that mounts' if len(kinds) == 1 else 'services that mount'} "
        f"{posixpath.dirname(places[0][1].file) or 'this folder'} to "
        f"{projects[0].location.file}, or document where they run.",
        severity=None if _ALERTING.intersection(kinds) and not alone else Severity.MEDIUM,
        confidence=Confidence.MEDIUM if elsewhere or alone else None,
        example=_wired(inventory, projects[0], kinds),
    )
