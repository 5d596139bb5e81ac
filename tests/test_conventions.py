"""What well-known names mean."""

import pytest

from auditlib.conventions import data_folders, environments, git_ignores, images, tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import GitIgnore
from auditlib.model import Location


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("postgres:16", "PostgreSQL"),
        ("library/postgres:15-alpine", "PostgreSQL"),
        ("docker.io/pgvector/pgvector:pg16", "PostgreSQL"),
        ("localhost:5000/redis@sha256:abc", "Redis"),
        ("ghcr.io/chroma-core/chroma:1.0", "Chroma"),
        ("quay.io/prometheuscommunity/postgres-exporter:v0.15.0", "exporter"),
        ("prodrigestivill/postgres-backup-local:16", "backup"),
        ("grafana/grafana-oss", "Grafana"),
        ("ghcr.io/acme/api:1.4", None),
        ("acme/server", None),
        ("", None),
    ],
)
def test_images_by_their_repository(image, name):
    found = images.product(image)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("image", "home"),
    [
        ("postgres:16", "/var/lib/postgresql/data"),
        ("postgres:18-alpine", "/var/lib/postgresql"),
        ("pgvector/pgvector:0.8.0-pg17", "/var/lib/postgresql/data"),
        ("postgis/postgis:18-3.6", "/var/lib/postgresql"),
        ("postgres:latest", ""),
        ("postgres@sha256:abc", ""),
        ("acme/postgres:16", ""),
        ("cockroachdb/cockroach:v24.1.0", ""),
        ("docker.io/bitnami/postgresql:18", "/bitnami/postgresql"),
        ("bitnami/mysql:8.4", "/bitnami/mysql/data"),
        ("bitnami/mongodb:7.0", "/bitnami/mongodb"),
        ("bitnamilegacy/redis:7.4", "/bitnami/redis/data"),
        ("bitnami/kafka:3.9", "/bitnami/kafka"),
        ("confluentinc/cp-kafka:7.6.0", "/var/lib/kafka/data"),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.15.0", "/usr/share/elasticsearch/data"),
        ("opensearchproject/opensearch:2", "/usr/share/opensearch/data"),
        ("ghcr.io/chroma-core/chroma:1.0", "/data"),
        ("influxdb:1.8", "/var/lib/influxdb"),
    ],
)
def test_the_folder_of_data_is_that_of_publisher_and_release(image, home):
    found = data_folders.product(image)
    assert found is not None
    assert found.home == home


def test_a_health_check_is_known_to_be_missing_by_publisher_only():
    assert images.brings_healthcheck("postgres:16") is False
    assert images.brings_healthcheck("ghcr.io/acme/postgres:16") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("compose.override.yaml", True),
        ("docker-compose.dev.yml", True),
        (".devcontainer/docker-compose.yml", True),
        ("docker-compose.prod.yml", False),
        ("backend/app/settings.py", False),
        ("device/compose.yaml", False),
        ("_archived/bot/compose.yaml", True),
        ("archive/compose.yaml", True),
        ("backend/app/archive/settings.py", False),
    ],
)
def test_files_for_development_by_their_name(path, expected):
    assert environments.is_for_development(path) is expected


def test_names_of_environments():
    assert [
        name
        for name in ("ENVIRONMENT", "APP_ENV", "NODE_ENV", "ENVOY", "STAGE")
        if environments.names_environment(name)
    ] == [
        "ENVIRONMENT",
        "APP_ENV",
        "NODE_ENV",
        "STAGE",
    ]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("docker build -t api .", True),
        ("docker buildx bake release", True),
        ("docker compose -f compose.yaml build", True),
        ("docker compose up -d --build", True),
        ("docker compose down -v", False),
        ("docker push api", False),
    ],
)
def test_commands_that_build_images(command, expected):
    assert tools.builds_image(command.split()) is expected


def test_an_installation_is_no_run():
    assert tools.INSTALLS.search("python -m pip install --upgrade pytest")
    assert tools.INSTALLS.search("npm ci") is None
    assert tools.INSTALLS.search("uv run pytest") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/.env.example", ".gitignore"),
        ("kept/.env.example", ""),
        ("data/db/base/1", ".gitignore"),
        ("sub/out/1", "sub/.gitignore"),
        ("out/1", ""),
    ],
)
def test_what_git_leaves_out(path, expected):
    lines = {".gitignore": (".env.*", "data/"), "kept/.gitignore": ("!.env.example",), "sub/.gitignore": ("out",)}
    ignores = [GitIgnore(file, patterns, Location(file)) for file, patterns in lines.items()]
    assert git_ignores.left_out_by(Inventory.of(ignores, name="x", root="", commit=""), path) == expected
