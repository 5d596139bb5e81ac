"""Administration consoles of databases, brokers and workflows, and how each of them is opened or closed.

Sources: the documentation of each image, https://www.pgadmin.org/docs/pgadmin4/latest/container_deployment.html and
https://flower.readthedocs.io/en/latest/auth.html among them.
"""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from auditlib.conventions import images, networks, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.patterns import regex


class _Console(Struct, frozen=True):
    """How a console is opened or closed: variables or words that give it a login, or settings that take it away."""

    login: tuple[str, ...] = ()
    """Parts of names of variables and of options; empty for a console that has no login at all."""
    opened: tuple[tuple[str, str], ...] = ()
    """Variables that together open it, with their values if these matter; such a console is closed by default."""
    of_users: bool = False
    """Whether people do their daily work with it, so that it is to be reached, behind its login."""
    in_values: bool = False
    """Whether a variable holds its whole configuration, so that the words that give it a login stand in a value."""
    opening: re.Pattern[str] | None = None
    """Words of its command that open it, where it is closed by default."""


_FLOWER = _Console(
    login=("FLOWER_BASIC_AUTH", "FLOWER_OAUTH", "FLOWER_AUTH", "basic_auth", "basic-auth", "--auth", "--conf")
)
_JUPYTER = _Console(
    of_users=True, opening=regex(r"(?:NotebookApp|ServerApp|IdentityProvider)\.token=(?:''|\"\")?(?:\s|$)")
)
"""https://jupyter-server.readthedocs.io/en/latest/operators/security.html"""
_MLFLOW = _Console(of_users=True, login=("basic-auth", "app-name", "MLFLOW_AUTH"))
"""https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/"""
_BY_COMMAND = (
    (frozenset({"celery", "flower"}), _FLOWER),
    (frozenset({"mlflow", "server"}), _MLFLOW),
    (frozenset({"mlflow", "ui"}), _MLFLOW),
    (frozenset({"jupyter", "lab"}), _JUPYTER),
    (frozenset({"jupyter", "notebook"}), _JUPYTER),
    (frozenset({"start-notebook.sh"}), _JUPYTER),
    (frozenset({"start-notebook.py"}), _JUPYTER),
    (frozenset({"prefect", "server", "start"}), _Console(of_users=True, login=("PREFECT_SERVER_API_AUTH",))),
    (frozenset({"dagster-webserver"}), _Console(of_users=True)),
)
"""Programs that are started from images of any name."""
_CONSOLES = (
    (regex(r"(?:.*/)?pgadmin4?"), _Console(opened=(("PGADMIN_CONFIG_SERVER_MODE", "false"),))),
    (regex(r"(?:.*/)?phpmyadmin"), _Console(opened=(("PMA_USER", ""), ("PMA_PASSWORD", "")))),
    (regex(r"(?:.*/)?mongo-express"), _Console(opened=(("ME_CONFIG_BASICAUTH", "false"),))),
    (regex(r"(?:.*/)?redis-commander"), _Console(login=("HTTP_USER", "http-auth"))),
    (regex(r"redis/redisinsight|redislabs/redisinsight"), _Console()),
    (regex(r"(?:provectuslabs|kafbat)/kafka-ui"), _Console(login=("AUTH_", "DYNAMIC_CONFIG", "SPRING_", "spring."))),
    (regex(r"obsidiandynamics/kafdrop"), _Console()),
    (regex(r"tchiotludo/akhq"), _Console(login=("security", "basic-auth", "SECURITY"), in_values=True)),
    (regex(r"amir20/dozzle"), _Console(login=("DOZZLE_AUTH", "DOZZLE_USERNAME", "--auth-provider", "--username"))),
    (regex(r"mher/flower"), _FLOWER),
    (regex(r"(?:redpandadata|vectorized)/console"), _Console(login=("LOGIN", "AUTHENTICATION", "CONFIG_"))),
    (regex(r"temporalio/(?:ui|web)"), _Console(login=("TEMPORAL_AUTH", "TEMPORAL_WEB"))),
    (regex(r"dbgate/dbgate"), _Console(login=("LOGIN", "AUTH_", "OAUTH_"))),
    (regex(r"lmenezes/cerebro"), _Console(login=("AUTH_TYPE",))),
    (regex(r"(?:.*/)?mlflow"), _MLFLOW),
)
_DATABASE_LOGIN = regex(r"(?:.*/)?(?:adminer|phpmyadmin)")
"""Whoever has a user and a password of the database is let in; there is no other login, and nothing slows guesses."""


_OWN_LOGIN = regex(r"(?:.*/)?(?:portainer(?:-[ce]e)?|cloudbeaver|adminmongo|nosqlclient)")
"""Further consoles, which ask for a login of their own from the first start on."""


def _console(inventory: Inventory, service: Service) -> _Console | None:
    """Which console a service is, by its image or by its command."""
    for command in services.commands(inventory, service):
        for words, console in _BY_COMMAND:
            if words <= set(command.words):
                return console
    name = images.repository(service.image) if service.build is None else ""
    return next((item for pattern, item in _CONSOLES if pattern.fullmatch(name)), None)


def is_console(inventory: Inventory, service: Service) -> bool:
    """Whether a service is there for people who look after the data, and for no other service."""
    found = _console(inventory, service)
    of_operators = found is not None and not found.of_users
    return of_operators or has_database_login(service) or _has_own_login(service)


def _has_own_login(service: Service) -> bool:
    return service.build is None and bool(_OWN_LOGIN.fullmatch(images.repository(service.image)))


def is_open(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a console that asks for no login and that somebody may reach, as far as the files tell."""
    return asks_nobody(inventory, service) and not networks.closed_around(inventory, service)


def asks_nobody(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a console that asks for no login, whoever may reach it."""
    console = _console(inventory, service)
    if console is None:
        return False
    values = {entry.name: entry.value.text.strip().lower() for entry in service.environment if entry.value}
    if console.opening:
        return any(console.opening.search(" ".join(item.words)) for item in services.commands(inventory, service))
    if console.opened:
        return all(name in values and value in ("", values[name]) for name, value in console.opened)
    unread = services.lacks_env_file(inventory, service) or service.configs or service.secrets
    mounted = any(posixpath.splitext(mount.target)[1] not in ("", ".sock") for mount in service.mounts)
    words = " ".join((*service.entrypoint, *service.command, *(entry.name for entry in service.environment)))
    words += "".join(f" {entry.value.text}" for entry in service.environment if entry.value and console.in_values)
    passed = console.in_values and any(entry.value is None for entry in service.environment)
    return not (console.login and (unread or passed or mounted or any(word in words for word in console.login)))


def has_database_login(service: Service) -> bool:
    """Whether a service is a console that asks for nothing but a login of the database itself."""
    return service.build is None and bool(_DATABASE_LOGIN.fullmatch(images.repository(service.image)))
