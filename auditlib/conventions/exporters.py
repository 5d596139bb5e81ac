"""Exporters of Prometheus by their images, with the prefixes of the metrics that they give and their ports.

Sources: https://prometheus.io/docs/instrumenting/exporters/, the default ports of
https://github.com/prometheus/prometheus/wiki/Default-port-allocations, and each exporter's own list of metrics.
"""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct

from auditlib.conventions import images


class Exporter(Struct, frozen=True):
    """Something that gives metrics. `image` matches the last part of an image's name, and of a host that names it."""

    name: str
    image: str
    prefixes: tuple[str, ...]
    ports: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    """The products (`Product.name`) that it tells about."""
    own: bool = True
    """Whether nothing but this exporter gives such metrics; an application may well have `celery_…` of its own."""
    gives: tuple[str, ...] = ()
    """All its metrics that begin as the first of them does, where they are few; empty where they aren't known."""
    lacks: tuple[str, ...] = ()
    """Metrics that people ask it for by mistake: no release of it has them."""
    relays: bool = False
    """Whether it passes on whatever others send to it."""

    def never_gives(self, metric: str) -> bool:
        """Whether a metric is, though called so, none of its own."""
        if metric in self.lacks:
            return True
        first = "_".join(self.gives[0].split("_")[:2]) if self.gives else ""
        return bool(first) and metric.startswith(f"{first}_") and metric not in self.gives

    @property
    def one(self) -> str:
        """`a node exporter`, `an instrumented application`; a program's own name as it is."""
        if not self.name.rpartition(" ")[2].islower():
            return self.name
        return f"{'an' if self.name[0] in 'aeioAEIO' else 'a'} {self.name}"


APPLICATION = Exporter(
    "instrumented application", r"(?!)",
    ("http_request", "http_response", "http_server_", "flask_", "django_", "fastapi_", "starlette_", "gunicorn_"),
    own=False,
)  # fmt: skip
"""What client libraries and web frameworks give (https://prometheus.io/docs/practices/naming/)."""

_OF_NGINX = (
    "nginx_http_requests_total", "nginx_up", "nginx_connections_accepted", "nginx_connections_active",
    "nginx_connections_handled", "nginx_connections_reading", "nginx_connections_waiting", "nginx_connections_writing",
)  # fmt: skip
"""What `stub_status` tells (https://github.com/nginx/nginx-prometheus-exporter#exported-metrics)."""

_NONE_OF_CADVISOR = ("container_restart_count", "container_restart_total", "container_restarts_count")
"""Restarts aren't counted: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md."""

_ALL: tuple[Exporter, ...] = (
    Exporter("node exporter", r"node[-_]?exporter", ("node_",), ("9100",)),
    Exporter("cAdvisor", r"cadvisor", ("container_", "machine_", "cadvisor_"), ("8080",), lacks=_NONE_OF_CADVISOR),
    Exporter("Windows exporter", r"windows[-_]?exporter", ("windows_", "wmi_"), ("9182",)),
    Exporter(
        "PostgreSQL exporter", r"(?:postgres(?:ql)?|pg)[-_]?exporter", ("pg_", "postgres_exporter_"), ("9187",),
        ("PostgreSQL",),
    ),
    Exporter("MySQL exporter", r"mysqld?[-_]?exporter", ("mysql_", "mysqld_exporter_"), ("9104",), ("MySQL",)),
    Exporter("Redis exporter", r"(?:redis|valkey)[-_]?exporter", ("redis_",), ("9121",), ("Redis", "Valkey")),
    Exporter("MongoDB exporter", r"mongo(?:db)?[-_]?exporter", ("mongodb_",), ("9216",), ("MongoDB",)),
    Exporter("Memcached exporter", r"memcached[-_]?exporter", ("memcached_",), ("9150",), ("Memcached",)),
    Exporter(
        "Elasticsearch exporter", r"elasticsearch[-_]?exporter", ("elasticsearch_",), ("9114",), ("Elasticsearch",)
    ),
    Exporter(
        "RabbitMQ exporter", r"rabbitmq(?:[-_]?exporter)?", ("rabbitmq_",), ("9419", "15692"), ("RabbitMQ",), own=False
    ),
    Exporter("Kafka exporter", r"kafka[-_]?exporter", ("kafka_",), ("9308",), ("Kafka",), own=False),
    Exporter("Nginx exporter", r"nginx[-_]?(?:prometheus[-_]?|vts[-_]?)?exporter", ("nginx_",), ("9113",), ("Nginx",),
             gives=_OF_NGINX),
    Exporter("HAProxy exporter", r"haproxy(?:[-_]?exporter)?", ("haproxy_",), ("9101", "8404")),
    Exporter("Apache exporter", r"apache[-_]?exporter", ("apache_",), ("9117",)),
    Exporter("PHP-FPM exporter", r"php[-_]?fpm[-_]?exporter", ("phpfpm_",), ("9253",)),
    Exporter("uWSGI exporter", r"uwsgi[-_]?exporter", ("uwsgi_",), ("9117",), own=False),
    Exporter("Celery exporter", r"celery[-_](?:prometheus[-_])?exporter", ("celery_",), ("9808",), own=False),
    Exporter("Flower", r"flower", ("flower_",), ("5555",), own=False),
    Exporter("blackbox exporter", r"blackbox[-_]?exporter", ("probe_",), ("9115",)),
    Exporter("process exporter", r"process[-_]?exporter", ("namedprocess_",), ("9256",)),
    Exporter("NVIDIA exporter", r"dcgm[-_]?exporter", ("DCGM_",), ("9400",)),
    Exporter("kube-state-metrics", r"kube-state-metrics", ("kube_",), ("8081",)),
    Exporter("Postfix exporter", r"postfix[-_]?exporter", ("postfix_",), ("9154",)),
    Exporter("PM2 exporter", r"pm2(?:[-_](?:prometheus[-_]?)?exporter)?", ("pm2_",), ("9209",), own=False),
    Exporter("mailcow exporter", r"mailcow(?:[-_]exporter)?", ("mailcow_",), ("9099",)),
    Exporter("Jenkins", r"jenkins", ("jenkins_", "default_jenkins_")),
    Exporter("Gitea", r"gitea|forgejo", ("gitea_",)),
    Exporter("Prometheus", r"prometheus", ("prometheus_",), ("9090",)),
    Exporter("Alertmanager", r"alertmanager", ("alertmanager_",), ("9093",)),
    Exporter("Grafana", r"grafana", ("grafana_",), ("3000",)),
    Exporter("Loki", r"loki", ("loki_",), ("3100",)),
    Exporter("Traefik", r"traefik", ("traefik_",)),
    Exporter("Caddy", r"caddy", ("caddy_",)),
    Exporter("MinIO", r"minio", ("minio_",)),
    Exporter("Pushgateway", r"push-?gateway", ("pushgateway_", "push_"), ("9091",), relays=True),
    Exporter("StatsD exporter", r"statsd[-_]?exporter|graphite[-_]?exporter", ("statsd_exporter_",), relays=True),
    Exporter(
        "collector", r"(?:otel|opentelemetry)-?collector.*|otel-lgtm|telegraf|alloy|vmagent|vector",
        ("otelcol_",), ("8889",), relays=True,
    ),
    Exporter(
        "custom exporter", r"(?:json|sql|script|snmp|jmx|yace|cloudwatch|stackdriver|query|mtail|grok)[-_]?exporter.*",
        (), relays=True,
    ),
)  # fmt: skip


_OF_ANYTHING = frozenset({"3000", "5555", "8080", "8081"})
"""Ports that applications listen on as well, so that they don't tell what does."""


@cache
def of_image(image: str) -> Exporter | None:
    """The exporter that an image is, by the last part of its name."""
    name = images.repository(image).rpartition("/")[2]
    return next((item for item in _ALL if name and re.fullmatch(item.image, name)), None)


@cache
def of_host(host: str, port: str) -> Exporter | None:
    """What is probably scraped at an address that no service has: by the host's name, else by the port."""
    named = (item for item in _ALL if re.search(rf"(?:^|[-_.]){item.image}(?:$|[-_.\d])", host.lower()))
    return next(named, None) or next((item for item in _ALL if port not in _OF_ANYTHING and port in item.ports), None)


@cache
def watching(product: str) -> Exporter | None:
    """The exporter that tells about a product."""
    return next((item for item in _ALL if product in item.watches), None)


@cache
def of_metric(metric: str) -> Exporter | None:
    """What gives a metric, by its prefix; None for one that anything may give."""
    if ":" in metric:  # a recording rule's, by convention
        return None
    found = [(prefix, item) for item in (*_ALL, APPLICATION) for prefix in item.prefixes if metric.startswith(prefix)]
    return max(found, key=lambda pair: len(pair[0]))[1] if found else None
