"""Where well-known programs are published as images, and how an exporter is told whom to ask.

Sources: the README of each program, and https://hub.docker.com for the official images.
"""

from __future__ import annotations

from auditlib.conventions import exporters
from auditlib.inventory.stack import Service

_OFFICIAL = frozenset({
    "adminer", "caddy", "cassandra", "elasticsearch", "haproxy", "httpd", "influxdb", "mariadb", "memcached", "mongo",
    "mysql", "nats", "neo4j", "nginx", "postgres", "rabbitmq", "redis", "solr", "traefik", "zookeeper",
})  # fmt: skip
_OTHERS = {
    "mailpit": "axllent/mailpit", "mailhog": "axllent/mailpit", "minio": "quay.io/minio/minio",
    "chroma": "chromadb/chroma", "qdrant": "qdrant/qdrant", "jaeger": "jaegertracing/jaeger",
    "keycloak": "quay.io/keycloak/keycloak", "valkey": "valkey/valkey",
}  # fmt: skip
_MONITORING = {
    "node exporter": "prom/node-exporter", "cAdvisor": "gcr.io/cadvisor/cadvisor", "Prometheus": "prom/prometheus",
    "PostgreSQL exporter": "quay.io/prometheuscommunity/postgres-exporter", "MySQL exporter": "prom/mysqld-exporter",
    "Redis exporter": "oliver006/redis_exporter", "MongoDB exporter": "percona/mongodb_exporter",
    "Memcached exporter": "prom/memcached-exporter", "Nginx exporter": "nginx/nginx-prometheus-exporter",
    "Elasticsearch exporter": "quay.io/prometheuscommunity/elasticsearch-exporter", "Loki": "grafana/loki",
    "Celery exporter": "danihodovic/celery-exporter", "blackbox exporter": "prom/blackbox-exporter",
    "Kafka exporter": "danielqsj/kafka-exporter", "Alertmanager": "prom/alertmanager", "Grafana": "grafana/grafana",
    "Pushgateway": "prom/pushgateway", "StatsD exporter": "prom/statsd-exporter",
}  # fmt: skip
_TOLD = {
    "node exporter": 'command: ["--path.rootfs=/host"]\npid: host\nvolumes: ["/:/host:ro,rslave"]',
    "PostgreSQL exporter": (
        "environment:\n"
        '  DATA_SOURCE_URI: "{host}:5432/postgres?sslmode=disable"\n'
        "  DATA_SOURCE_USER: ${{EXPORTER_USER:?a user with the role pg_monitor}}\n"
        "  DATA_SOURCE_PASS: ${{EXPORTER_PASSWORD:?set it in .env}}"
    ),
    "Redis exporter": "environment:\n  REDIS_ADDR: redis://{host}:6379",
    "cAdvisor": (
        'volumes: ["/:/rootfs:ro", "/var/run:/var/run:ro", "/sys:/sys:ro", "/var/lib/docker:/var/lib/docker:ro"]'
    ),
    "Memcached exporter": 'command: ["--memcached.address={host}:11211"]',
    "Elasticsearch exporter": 'command: ["--es.uri=http://{host}:9200"]',
    "Nginx exporter": 'command: ["--nginx.scrape-uri=http://{host}/<path of stub_status>"]',
    "Celery exporter": "environment:\n  CE_BROKER_URL: <the broker's address, as the workers get it>",
    "Kafka exporter": 'command: ["--kafka.server={host}:9092"]',
    "MySQL exporter": (
        'command: ["--mysqld.address={host}:3306", "--mysqld.username=exporter"]\n'
        "environment:\n"
        "  MYSQLD_EXPORTER_PASSWORD: ${{EXPORTER_PASSWORD:?set it in .env}}"
    ),
    "MongoDB exporter": "environment:\n  MONGODB_URI: ${{EXPORTER_MONGODB_URI:?set it in .env}}",
}
"""How an exporter is told whom to ask, or is shown the host that it tells about."""


def image_for(host: str) -> str:
    """The image of a program that answers to a name; a placeholder where the name tells none."""
    known = exporters.of_host(host, "")
    published = _MONITORING.get(known.name, "") if known else host if host in _OFFICIAL else _OTHERS.get(host, "")
    return f"{published or f'<the image of {host}>'}:<version>"


def told(exporter: str, watched: Service | None) -> str:
    """The lines of a service by which an exporter is told what to look at; empty if it needs none."""
    lines = _TOLD.get(exporter, "").format(host=watched.name if watched else f"<the host that the {exporter} asks>")
    locked = exporter == "Redis exporter" and watched is not None and _asks_password(watched)
    return lines + ("\n  REDIS_PASSWORD: ${REDIS_PASSWORD:?the one that the server asks for}" if locked else "")


def _asks_password(service: Service) -> bool:
    """Whether a server of Redis is told to ask for one."""
    given = any(entry.name in ("REDIS_PASSWORD", "VALKEY_PASSWORD") for entry in service.environment)
    return given or any("requirepass" in word for word in service.command)
