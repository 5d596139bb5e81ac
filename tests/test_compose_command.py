"""What calls of Docker Compose name: files, services and a project."""

import pytest

from auditlib import compose_command
from auditlib.conventions import compose_calls


@pytest.mark.parametrize(("text", "verb", "files", "services"), [
    ("docker compose up -d", "up", (), ()),
    ("docker compose -f a.yml --file=b.yml up -d --no-deps api web", "up", ("a.yml", "b.yml"), ("api", "web")),
    ("docker-compose --env-file .env.prod up --scale api=2", "up", (), ()),
    ("sudo docker compose logs -f api", "logs", (), ("api",)),
    ("docker compose down -v", "down", (), ()),
    ("docker compose exec -T db pg_dump shop", "exec", (), ("db",)),
])  # fmt: skip
def test_what_a_call_names(text, verb, files, services):
    """Values of options are no services, and what a container is to run isn't either."""
    call = compose_command.of(text.split())
    assert (call.verb, call.files, call.services, call.is_for_all) == (verb, files, services, not services)


def test_the_name_of_the_project():
    """By an option, with or without an equals sign."""
    calls = compose_calls.in_text("docker compose -p shop up -d && docker compose --project-name=other down")
    assert [call.project for call in calls] == ["shop", "other"]


@pytest.mark.parametrize("text", ["", "docker run alpine", "docker compose", "composer install", "make up"])
def test_other_commands(text):
    """They are no call of Compose."""
    assert compose_command.of(text.split()) is None
