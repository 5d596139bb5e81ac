"""What well-known names mean."""

import pytest

from auditlib.conventions import environments, images, tools


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
