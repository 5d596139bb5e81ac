"""In which folder an image keeps its data: publishers of the same product choose different ones, and releases move.

Sources: the images' pages on https://hub.docker.com and their Dockerfiles (https://github.com/docker-library,
https://github.com/bitnami/containers, https://github.com/confluentinc/kafka-images …).
"""

from __future__ import annotations

import re
from functools import cache

import msgspec
from msgspec import Struct

from auditlib.conventions import images
from auditlib.conventions.images import Product


class _Home(Struct, frozen=True):
    """Where the images of a publisher keep their data."""

    pattern: str
    """The repositories, without registry and tag."""
    releases: tuple[tuple[int, str], ...]
    """The folder from a release on, by its first number; one entry holds for every release."""
    declared: bool = False
    """Whether the Dockerfile has a VOLUME just there."""


_HOMES = (
    _Home(
        r"postgres|(?:postgis|imresamu)/postgis|pgvector/pgvector|timescale/timescaledb",
        ((0, "/var/lib/postgresql/data"), (18, "/var/lib/postgresql")),
        declared=True,
    ),
    _Home(r"bitnami\w*/postgresql(?:-repmgr)?", ((0, "/bitnami/postgresql"),)),
    _Home(r"mysql|mariadb|percona|mysql/mysql-server|percona/percona-server", ((0, "/var/lib/mysql"),), declared=True),
    _Home(r"bitnami\w*/mysql", ((0, "/bitnami/mysql/data"),)),
    _Home(r"bitnami\w*/mariadb(?:-galera)?", ((0, "/bitnami/mariadb"),)),
    _Home(r"mongo", ((0, "/data/db"),), declared=True),
    _Home(r"mongodb/mongodb-community-server|percona/percona-server-mongodb", ((0, "/data/db"),)),
    _Home(r"bitnami\w*/mongodb", ((0, "/bitnami/mongodb"),)),
    _Home(r"redis|redis/redis-stack(?:-server)?|valkey/valkey|eqalpha/keydb", ((0, "/data"),)),
    _Home(r"bitnami\w*/(redis|valkey)", ((0, r"/bitnami/\1/data"),)),
    _Home(r"rabbitmq", ((0, "/var/lib/rabbitmq"),)),
    _Home(r"bitnami\w*/rabbitmq", ((0, "/bitnami/rabbitmq/mnesia"),)),
    _Home(r"confluentinc/(?:cp-kafka|cp-server)", ((0, "/var/lib/kafka/data"),)),
    _Home(r"bitnami\w*/kafka", ((0, "/bitnami/kafka"),)),
    _Home(r"(?:redpandadata|vectorized)/redpanda", ((0, "/var/lib/redpanda/data"),)),
    _Home(r"elasticsearch(?:/elasticsearch)?", ((0, "/usr/share/elasticsearch/data"),)),
    _Home(r"opensearchproject/opensearch", ((0, "/usr/share/opensearch/data"),)),
    _Home(r"bitnami\w*/(elasticsearch|opensearch)", ((0, r"/bitnami/\1/data"),)),
    _Home(r"(?:chromadb|chroma-core)/chroma", ((0, "/chroma/chroma"), (1, "/data"))),
    _Home(r"qdrant/qdrant", ((0, "/qdrant/storage"),)),
    _Home(r"milvusdb/milvus", ((0, "/var/lib/milvus"),)),
    _Home(r"minio/minio", ((0, "/data"),)),
    _Home(r"neo4j", ((0, "/data"),)),
    _Home(r"cassandra", ((0, "/var/lib/cassandra"),)),
    _Home(r"scylladb/scylla", ((0, "/var/lib/scylla"),)),
    _Home(r"clickhouse(?:/clickhouse-server)?", ((0, "/var/lib/clickhouse"),)),
    _Home(r"influxdb", ((0, "/var/lib/influxdb"), (2, "/var/lib/influxdb2"))),
    _Home(r"getmeili/meilisearch", ((0, "/meili_data"),)),
    _Home(r"solr", ((0, "/var/solr"),)),
    _Home(r"mssql/server", ((0, "/var/opt/mssql"),)),
)


_APPLICATIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"vaultwarden/server", "Vaultwarden", ("/data",)),
    (r"n8nio/n8n", "n8n", ("/home/node/.n8n",)),
    (r"nextcloud", "Nextcloud", ("/var/www/html", "/var/www/html/data", "/var/www/html/config")),
    (r"(?:gitea/gitea|forgejo/forgejo|codeberg/forgejo)", "Gitea", ("/data", "/var/lib/gitea")),
    (r"louislam/uptime-kuma", "Uptime Kuma", ("/app/data",)),
    (r"(?:homeassistant/home-assistant|home-assistant/home-assistant)", "Home Assistant", ("/config",)),
    (r"immich-app/immich-server", "Immich", ("/data", "/usr/src/app/upload")),
    (r"paperless-ngx/paperless-ngx", "Paperless", ("/usr/src/paperless/data", "/usr/src/paperless/media")),
    (r"wordpress", "WordPress", ("/var/www/html", "/var/www/html/wp-content")),
    (r"ghost", "Ghost", ("/var/lib/ghost/content",)),
    (r"gitlab/gitlab-(?:ce|ee)", "GitLab", ("/var/opt/gitlab",)),
    (r"jenkins/jenkins", "Jenkins", ("/var/jenkins_home",)),
    (r"sonatype/nexus3", "Nexus", ("/nexus-data",)),
    (r"nodered/node-red", "Node-RED", ("/data",)),
)
"""Applications of others with data of their users: the repositories of their images, their names, their folders, by the
installation guides of each."""


@cache
def application(image: str) -> tuple[str, tuple[str, ...]]:
    """An application of others that keeps data of its users, with the folders for it; empty for any other image."""
    path = images.repository(image)
    return next(((name, homes) for pattern, name, homes in _APPLICATIONS if re.fullmatch(pattern, path)), ("", ()))


@cache
def product(image: str) -> Product | None:
    """What an image is, as `images.product` says, with the folder that this one keeps its data in, where known."""
    found = images.product(image)
    if found is None:
        return None
    path = images.repository(image)
    for entry in _HOMES:
        if match := re.fullmatch(entry.pattern, path):
            folder = match.expand(_of_release(entry, images.tag(image)))
            newest = "" if folder else entry.releases[-1][1]
            declared = entry.declared and bool(folder)
            return msgspec.structs.replace(found, home=folder, newest_home=newest, declared=declared)
    return found


def _of_release(entry: _Home, tag: str) -> str:
    """The folder of the release that a tag names; empty where it names none and the releases differ."""
    if len(entry.releases) == 1:
        return entry.releases[0][1]
    number = _release(tag)
    return max(((first, folder) for first, folder in entry.releases if first <= number), default=(0, ""))[1]


def _release(tag: str) -> int:
    """The first number of a release; of PostgreSQL's where the tag names that beside an extension's (`0.8.0-pg16`)."""
    found = re.search(r"(?:^|-)pg(\d+)", tag) or re.match(r"v?(\d+)", tag)
    return int(found[1]) if found else -1
