"""Names of environments and of the variables that hold them, and what is for development only.

Sources: the conventions of Node (`NODE_ENV`), Rails (`RAILS_ENV`), Flask, Django, ASP.NET and Spring.
"""

from __future__ import annotations

from auditlib import stages
from auditlib.compose.discovery import BASES, is_compose_file
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_VARIABLE = regex(r"(?:^|_)(?:ENV|ENVIRONMENT|STAGE|PROFILES_ACTIVE)$")
_DEVELOPMENT = frozenset({"development", "dev", "develop", "local", "debug"})
VARIABLES_OF_DOCKER = (
    r"DOCKER_(?:API_VERSION|CERT_PATH|CONFIG|CONTENT_TRUST\w*|CONTEXT|DEFAULT_PLATFORM|HIDE_LEGACY_COMMANDS|HOST|TLS\w*|"
    r"BUILDKIT|CLI_\w+|SOCK(?:ET)?|GID)"
)
"""Its own (https://docs.docker.com/reference/cli/docker/#environment-variables), and what names its socket."""
_HOST_VARIABLES = regex(
    r"^(?:HOME|PWD|USER|USERNAME|UID|GID|PUID|PGID|PATH|SHELL|HOSTNAME|TZ|LANG|DISPLAY|XAUTHORITY|SSH_AUTH_SOCK|CI|"
    r"TMPDIR|LOGNAME|EDITOR|TERM|(?:HTTPS?|NO|ALL)_PROXY|(?:https?|no|all)_proxy|(?:COMPOSE|BUILDKIT|GITHUB)_\w+|"
    rf"{VARIABLES_OF_DOCKER})$"
)


is_for_development = stages.is_for_development


def names_environment(variable: str) -> bool:
    """Whether a variable of this name says which environment the software runs in (`ENVIRONMENT`, `APP_ENV`)."""
    return bool(_VARIABLE.search(variable.upper()))


def is_development(value: str) -> bool:
    """Whether a value names a development environment."""
    return value.strip().strip("\"'").lower() in _DEVELOPMENT


def prominence(path: str) -> tuple[bool, bool, int]:
    """What puts the file first that matters most: development last, and files that Compose has to be told of later."""
    name = path.rpartition("/")[2]
    return stages.is_for_development(path), is_compose_file(name) and name not in BASES, path.count("/")


def is_document(path: str) -> bool:
    """Whether a file is there to be read by people, so that what it holds is an example."""
    return path.endswith((".md", ".rst", ".txt", ".adoc"))


def is_aside(path: str) -> bool:
    """Whether what a file holds is not what runs: it is for development, an example for people, or a workflow's."""
    return stages.is_for_development(path) or is_document(path) or "/workflows/" in path


def comes_from_the_host(variable: str) -> bool:
    """Whether the shell or a program sets a variable of this name by itself, so that nobody has to document it."""
    return bool(_HOST_VARIABLES.match(variable))


def only_for_development(service: Service) -> bool:
    """Whether a service is declared in a development file, or gated behind profiles for development alone."""
    gated = bool(service.profiles) and all(stages.names_development(profile) for profile in service.profiles)
    return gated or is_for_development(service.location.file)
