"""What well-known images are, which port they listen on, and whether they bring a health check of their own.

Sources: the images' pages on https://hub.docker.com and the Dockerfiles that these link to
(https://github.com/docker-library, https://github.com/prometheus, https://github.com/grafana …).
"""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct


class Product(Struct, frozen=True):
    """A well-known program that is run as a container."""

    name: str
    """As people write it (`PostgreSQL`)."""
    kind: str
    """`datastore`, `cache`, `broker`, `proxy`, `exporter`, `metrics`, `alerting`, `dashboards`, `logs`, `tracing`,
    `mail`, `tool`, `test`, `backup`, `identity`, `automation` or `coordination`."""
    servers: tuple[str, ...] = ()
    """The programs whose presence in a command says that the server itself is started."""
    data: tuple[str, ...] = ()
    """Where its images keep their data; below one of these a volume holds what must not be lost."""
    home: str = ""
    """The one folder of these that this image uses; empty where nobody knows (`data_folders`)."""
    newest_home: str = ""
    """The folder that its newest release uses, where the tag names no release and releases differ."""
    declared: bool = False
    """Whether the image declares a volume at its home, which lies over whatever is mounted at a folder above."""


_POSTGRES = Product(
    "PostgreSQL", "datastore", ("postgres", "docker-entrypoint.sh"), ("/var/lib/postgresql", "/bitnami/postgresql")
)
_MYSQL = Product("MySQL", "datastore", ("mysqld", "mariadbd", "docker-entrypoint.sh"), ("/var/lib/mysql", "/bitnami"))
_REDIS = Product("Redis", "cache", ("redis-server", "valkey-server", "keydb-server"), ("/data", "/bitnami/redis"))
SENTINEL = Product("Redis Sentinel", "coordination")
"""What watches a Redis and chooses another one in its place: it keeps what it was told, and no data."""
_ELASTIC = Product("Elasticsearch", "datastore", (), ("/usr/share/elasticsearch/data", "/usr/share/opensearch/data"))
_KAFKA = Product("Kafka", "broker", (), ("/var/lib/kafka", "/bitnami/kafka", "/kafka"))

_PRODUCTS: tuple[tuple[str, Product], ...] = (
    # Exporters and backup images first: their names hold the name of what they serve.
    (r"(?:.+[-_])?exporter|cadvisor|pushgateway", Product("exporter", "exporter")),
    (r".*(?:backup|wal-g|pgbackrest|barman|restic|velero|borgmatic|"
    r"duplicati).*", Product("backup", "backup")),
    (r"adminer|pgadmin\d?|phpmyadmin|mongo-express|redis-?(?:commander|insight)|pgweb|dbgate|cloudbeaver|"
     r"portainer(?:-c[eb])?|watchtower|dozzle|flower|swagger-ui|kafka-ui|akhq|kafdrop|kibana|opensearch-dashboards|"
     r"uptime-kuma|homepage|heimdall", Product("administration tool", "tool")),
    (r"mailpit|mailhog|maildev|mailcatcher|smtp4dev|inbucket|"
    r"greenmail.*", Product("mail catcher", "mail")),
    (r"playwright.*|cypress.*|selenium.*|standalone-(?:chrome|firefox|chromium)|node-chrome|k6|locust|newman|wiremock|"
     r"chrome|browserless", Product("test tool", "test")),
    (r"postgres|postgresql(?:-repmgr)?|postgis|timescaledb(?:-ha)?|pgvector|pgvecto-rs|supabase-postgres|cockroach|"
     r"spilo.*|alloydbomni", _POSTGRES),
    (r"mysql(?:-server)?|mariadb(?:-galera)?|percona(?:-server)?", _MYSQL),
    (r"mongo|mongodb(?:-community-server)?|percona-server-mongodb|ferretdb", Product(
        "MongoDB", "datastore", ("mongod",), ("/data/db", "/bitnami/mongodb"))),
    (r"redis|redis-stack(?:-server)?|keydb|dragonfly", _REDIS),
    (r"(?:redis|valkey)-sentinel", SENTINEL),
    (r"valkey", Product("Valkey", "cache", _REDIS.servers, _REDIS.data)),
    (r"memcached", Product("Memcached", "cache")),
    (r"rabbitmq", Product("RabbitMQ", "broker", ("rabbitmq-server",), ("/var/lib/rabbitmq", "/bitnami"))),
    (r"kafka|cp-kafka|redpanda|cp-server", _KAFKA),
    (r"nats|nats-streaming|activemq.*|artemis|emqx|eclipse-mosquitto|mosquitto|pulsar", Product("broker", "broker")),
    (r"elasticsearch|opensearch", _ELASTIC),
    (r"chroma", Product("Chroma", "datastore", data=("/chroma/chroma", "/data"))),
    (r"qdrant", Product("Qdrant", "datastore", data=("/qdrant/storage",))),
    (r"weaviate", Product("Weaviate", "datastore", data=("/var/lib/weaviate",))),
    (r"milvus", Product("Milvus", "datastore", data=("/var/lib/milvus",))),
    (r"minio", Product("MinIO", "datastore", data=("/data", "/bitnami/minio"))),
    (r"neo4j", Product("Neo4j", "datastore", data=("/data",))),
    (r"cassandra|scylla", Product("Cassandra", "datastore", data=("/var/lib/cassandra", "/var/lib/scylla"))),
    (r"clickhouse(?:-server)?", Product("ClickHouse", "datastore", data=("/var/lib/clickhouse",))),
    (r"influxdb", Product("InfluxDB", "datastore", data=("/var/lib/influxdb", "/var/lib/influxdb2"))),
    (r"couchdb|couchbase|arangodb|surrealdb|rethinkdb|questdb|dgraph", Product("database", "datastore", data=("/",))),
    (r"meilisearch", Product("Meilisearch", "datastore", data=("/meili_data",))),
    (r"typesense|solr", Product("search index", "datastore", data=("/data", "/var/solr"))),
    (r"mssql|mssql-server|server", Product("SQL Server", "datastore", data=("/var/opt/mssql",))),
    (r"etcd|zookeeper|cp-zookeeper|consul", Product("coordination store", "datastore", data=("/",))),
    (r"nginx|nginx-unprivileged|nginx-proxy|openresty", Product("Nginx", "proxy")),
    (r"traefik", Product("Traefik", "proxy")),
    (r"caddy", Product("Caddy", "proxy")),
    (r"haproxy|envoy|kong|httpd|apisix|varnish|squid|oauth2-proxy|cloudflared|swag|acme-companion|certbot",
     Product("proxy", "proxy")),
    (r"prometheus|victoria-metrics|vmagent|thanos|mimir", Product("Prometheus", "metrics")),
    (r"alertmanager|vmalert", Product("Alertmanager", "alerting")),
    (r"grafana|grafana-oss|grafana-enterprise", Product("Grafana", "dashboards")),
    (r"loki|promtail|alloy|agent|fluent-bit|fluentd|fluentd-kubernetes-daemonset|vector|filebeat|logstash|graylog|seq|"
     r"syslog-ng|rsyslog|logspout|vlogs|victoria-logs|openobserve|parseable|datadog-agent|newrelic-infra.*|"
     r"docker-collector-logs|logdna-agent|signoz.*", Product("log collection", "logs")),
    (r"all-in-one|jaeger(?:-.*)?|tempo|zipkin|opentelemetry-collector(?:-contrib)?|otel-collector.*|otel-lgtm|phoenix",
     Product("tracing", "tracing")),
    (r"keycloak|authentik|dex|hydra|kratos|vault", Product("identity service", "identity")),
    (r"n8n|temporal|auto-setup|airflow|prefect", Product("workflow engine", "automation")),
)  # fmt: skip

_NEEDS_OWNER = {
    "server": {"mssql", "authentik"},
    "chroma": {"chromadb", "ghcr.io/chroma-core", "chroma-core"},
    "agent": {"grafana", "datadog", "gcr.io/datadoghq"},
    "vector": {"timberio"},
    "all-in-one": {"jaegertracing"},
    "seq": {"datalust"},
    "chrome": {"browserless", "selenium"},
    "homepage": {"gethomepage"},
    "prefect": {"prefecthq"},
    "phoenix": {"arizephoenix"},
    "tempo": {"grafana"},
}
"""Names that many use: they mean the product only from these publishers."""

WITHOUT_HEALTHCHECK = frozenset({
    "adminer", "alpine", "busybox", "caddy", "cassandra", "couchdb", "debian", "elasticsearch", "fluentd", "golang",
    "haproxy", "httpd", "influxdb", "mariadb", "memcached", "mongo", "mongo-express", "mysql", "nats", "neo4j", "nginx",
    "node", "openjdk", "php", "postgres", "python", "rabbitmq", "redis", "ruby", "solr", "tomcat", "traefik", "ubuntu",
    "zookeeper", "eclipse-temurin",
    "prom/prometheus", "prom/alertmanager", "prom/pushgateway", "prom/node-exporter", "prom/blackbox-exporter",
    "grafana/grafana", "grafana/loki", "grafana/promtail", "grafana/tempo", "nginxinc/nginx-unprivileged",
    "oliver006/redis_exporter", "prometheuscommunity/postgres-exporter", "chromadb/chroma", "qdrant/qdrant",
    "minio/minio", "jaegertracing/jaeger", "jaegertracing/all-in-one", "keycloak/keycloak", "pgvector/pgvector",
    "postgis/postgis", "valkey/valkey",
    "eclipse-mosquitto", "flink", "ghost", "kibana", "logstash", "nextcloud", "registry", "telegraf", "wordpress",
    "otel/opentelemetry-collector", "otel/opentelemetry-collector-contrib", "grafana/grafana-oss",
    "confluentinc/cp-kafka", "confluentinc/cp-zookeeper", "confluentinc/cp-schema-registry", "apache/kafka",
    "elasticsearch/elasticsearch", "kibana/kibana", "logstash/logstash", "mailhog/mailhog", "prom/mysqld-exporter",
})  # fmt: skip
"""Images whose published Dockerfile has no HEALTHCHECK. The Docker Official Images leave it out as a matter of policy
(https://github.com/docker-library/faq#healthcheck); the others were looked up."""


@cache
def repository(image: str) -> str:
    """The repository of an image reference, without registry, tag and digest: `library/postgres:15` is `postgres`."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = head + slash + tail.partition(":")[0]
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        name = rest
    return name.removeprefix("library/").lower()


def tag(image: str) -> str:
    """The tag of a reference; empty without one."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def precision(image: str) -> int:
    """How firmly a reference fixes what is run.

    0 is a digest: the same bytes; 1 a release; 2 any release of a series; 3 a name such as `alpine`; 4 whatever is
    newest. PostgreSQL's releases have two numbers since version 10 (https://www.postgresql.org/support/versioning/).
    """
    if "@sha256:" in image:
        return 0
    if tag(image) in ("", "latest"):
        return 4
    numbers = re.findall(r"\d+", tag(image).partition("-")[0])
    found = product(image)
    full = 2 if found and found.name == "PostgreSQL" and int(numbers[0] if numbers else 0) >= 10 else 3
    return 1 if len(numbers) >= full else 2 if numbers else 3


@cache
def product(image: str) -> Product | None:
    """What an image is, by the name of its repository; None for one that is not well known."""
    path = repository(image)
    owner, _, name = path.rpartition("/")
    if name in _NEEDS_OWNER and owner not in _NEEDS_OWNER[name]:
        return None
    return next((found for pattern, found in _PRODUCTS if name and re.fullmatch(pattern, name)), None)


WITH_HEALTHCHECK = frozenset({
    "authelia/authelia", "axllent/mailpit", "cadvisor/cadvisor", "gethomepage/homepage", "goauthentik/server",
    "google/cadvisor", "immich-app/immich-machine-learning", "immich-app/immich-server", "immich-app/postgres",
    "jellyfin/jellyfin", "louislam/uptime-kuma", "matrixdotorg/synapse", "netdata/netdata", "open-webui/open-webui",
    "paperless-ngx/paperless-ngx", "pihole/pihole", "qmcgaw/gluetun", "rediscommander/redis-commander",
    "vaultwarden/server",
})  # fmt: skip
"""Images whose published Dockerfile has one (https://github.com/google/cadvisor/blob/master/deploy/Dockerfile,
https://github.com/axllent/mailpit/blob/develop/Dockerfile and so on)."""


def brings_healthcheck(image: str) -> bool | None:
    """Whether the image has a HEALTHCHECK of its own; None where that isn't known."""
    known = repository(image)
    if known.startswith("distroless/"):
        return False  # they hold no shell and no program that a check could run
    return True if known in WITH_HEALTHCHECK else False if known in WITHOUT_HEALTHCHECK else None
