"""Lines of Prometheus' configuration that several rules advise to write, with the services that they ask."""

from __future__ import annotations

import posixpath
import textwrap
from urllib.parse import urlsplit

from auditlib import scraping
from auditlib.conventions import exporters, listening, monitoring, services
from auditlib.conventions.exporters import Exporter
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files

_UNKNOWN = "<a service to watch>"
_UNKNOWN_PORT = "<port of its metrics>"
_WITHOUT_METRICS = ("Nginx", "proxy")
"""Products that give no metrics by themselves."""
_APART = "{name} is in the project of {file}: {host} has to be in its network too, declared here with `external: true`"
_ASKED = regex(r"http://(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0):(\d+)")
"""The port that a health check asks inside its own container."""
_PREFIX = regex(r"--web\.(route-prefix|external-url)[= ]\s*[\"']?([^\s\"']+)")
_BLACKBOX = exporters.of_host("blackbox-exporter", "")
_LOOKED_AT = 300
"""Services of a very large repository that are looked at, each time lines are written."""

TARGET_DOWN = """groups:
  - name: availability
    rules:
      - alert: TargetDown
        expr: up == 0
        for: 2m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.job }} is not answering"}"""
"""Rules that tell when a target stops answering."""
PROBE = """scrape_configs:
  - job_name: {}
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs:
      - targets: ["{}"]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{}"}}"""
"""A job by which the blackbox exporter asks a server."""


_SITE = "https://<the name of the site>"
_ALERTING = """alerting:
  alertmanagers:
    - static_configs:
        - targets: ["{}:9093"]"""
_RECEIVER = """route: {receiver: team}
receivers:
  - name: team
    webhook_configs:
      - url: <the address that takes the alerts>"""


def job(name: str, target: str, path: str = "/metrics") -> str:
    """A scrape job with one target."""
    told = "" if path == "/metrics" else f"\n    metrics_path: {path}"
    return f'scrape_configs:\n  - job_name: {name}{told}\n    static_configs:\n      - targets: ["{target}"]'


def for_exporter(
    inventory: Inventory, config: str, exporter: Exporter, watched: Service | None = None, name: str = ""
) -> str:
    """What scrapes an exporter, and where none runs the service of one as well; `name` is a job that is there."""
    if exporter is exporters.APPLICATION:
        return files.into(config, job(*_application(inventory)))
    some = inventory.distinct_services[:_LOOKED_AT]
    running = next((item for item in some if exporters.of_image(item.image) is exporter), None)
    host = running.name if running else exporter.name.lower().replace(" ", "-")
    itself = (
        running is not None and "exporter" not in running.image
    )  # a product that has its metrics on a port of its own
    port = exporter.ports[-1 if itself else 0] if exporter.ports else "<port>"
    called = name or _free(inventory, config, host)
    asked = PROBE.format(called, _SITE, f"{host}:{port}") if exporter is _BLACKBOX else job(called, f"{host}:{port}")
    lines = files.into(config, asked)
    return lines if running else f"{lines}{_added(inventory, config, host, watched)}"


def _added(inventory: Inventory, config: str, host: str, watched: Service | None) -> str:
    """An exporter beside the Prometheus that asks it, and what it takes to reach a service of another project."""
    askers = monitoring.runners(inventory, config)
    home = compose_lines.home(inventory, askers)
    if not home:
        return ""
    lines = f"\n{files.into(home.location.file, compose_lines.new_service(inventory, host, askers))}"
    if watched is None or watched.project in (home.name, home.base) or _meets(inventory, home, watched):
        return lines
    return f"{lines}\n    # {_APART.format(host=host, name=watched.name, file=watched.location.file)}"


def _meets(inventory: Inventory, home: Project, watched: Service) -> bool:
    """Whether a project has a network of which it says that others make it, and that the service is in too."""
    named = {item.network for item in watched.networks}
    both = (home.name, watched.project)
    return any(item.external and (item.project == both[0] or item.name in named) for item in inventory.networks
               if item.project in both)  # fmt: skip


def for_service(inventory: Inventory, config: str, service: Service) -> str:
    """What watches a service: the exporter of its product, or its own metrics."""
    product = services.product(inventory, service)
    exporter = exporters.watching(product.name) if product else None
    if exporter:
        return for_exporter(inventory, config, exporter, service)
    port = _port(inventory, service)
    silent = product is None or product.name in _WITHOUT_METRICS
    if silent and port != _UNKNOWN_PORT and not scraping.exposes(inventory, service, "/metrics"):
        encrypted = any(item.target == "443" for item in service.ports)  # its certificate is for its name alone
        url = _SITE if encrypted else f"http://{service.name}:{port}"
        return _probe(inventory, config, service, url)
    return files.into(config, job(_free(inventory, config, service.name), f"{service.name}:{port}", _path(service)))


def alertmanager(inventory: Inventory, config: str) -> str:
    """The lines by which Prometheus knows Alertmanager, and where none runs its service and one receiver as well."""
    askers, running = monitoring.runners(inventory, config), services.of_product(inventory, "Alertmanager")
    home = compose_lines.home(inventory, askers)
    name = running[0].name if running else "alertmanager" if home else "<the service of Alertmanager>"
    lines = [files.into(config, _ALERTING.format(name))]
    if home and not running:
        configured = next((item.file for item in inventory.receivers), "")
        path = configured or posixpath.join(posixpath.dirname(config), "alertmanager.yml")
        mount = compose_lines.of_mount(home.location.file, path, "/etc/alertmanager/alertmanager.yml", ":ro")
        service = f"{compose_lines.new_service(inventory, name, askers)}\n{textwrap.indent(mount, '    ')}"
        lines += [files.into(home.location.file, service), *([] if configured else [files.into(path, _RECEIVER)])]
    return "\n".join(lines)


def _path(service: Service) -> str:
    """Where a program of Prometheus has its metrics, below the path that its options say it is reached at."""
    found = {match[1]: match[2] for match in _PREFIX.finditer(" ".join(service.command))}
    prefix = found.get("route-prefix", urlsplit(found.get("external-url", "")).path)
    return "/metrics" if "$" in prefix else f"/{prefix.strip('/')}/metrics".replace("//", "/")


def _probe(inventory: Inventory, config: str, service: Service, url: str) -> str:
    """What asks a server that gives no metrics of its own, by the blackbox exporter."""
    some = inventory.distinct_services[:_LOOKED_AT]
    running = next((item for item in some if exporters.of_image(item.image) is _BLACKBOX), None)
    host = running.name if running else "blackbox-exporter"
    lines = files.into(config, PROBE.format(_free(inventory, config, service.name), url, f"{host}:9115"))
    return lines if running else f"{lines}{_added(inventory, config, host, service)}"


def _free(inventory: Inventory, config: str, name: str) -> str:
    """A name for a job that no other job of the configuration has, as Prometheus refuses the same name twice."""
    taken = {item.name for item in inventory.scrape_jobs if item.file == config}
    return f"{name}-metrics" if name in taken else name


def _application(inventory: Inventory) -> tuple[str, str]:
    """The first service that is built here and listens: its name, and where it is asked."""
    built = (item for item in inventory.distinct_services[:_LOOKED_AT] if item.build)
    first = next((item for item in built if listening.to_ask(inventory, item)), None)
    return (first.name, f"{first.name}:{_port(inventory, first)}") if first else (_UNKNOWN, f"{_UNKNOWN}:<its port>")


def _port(inventory: Inventory, service: Service) -> str:
    found = next(iter(listening.to_ask(inventory, service)), "")
    check = service.healthcheck
    asked = _ASKED.search(" ".join(check.test)) if check and not found else None
    return found or (asked[1] if asked else _UNKNOWN_PORT)
