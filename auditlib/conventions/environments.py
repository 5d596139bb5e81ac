"""Names of environments and of the variables that hold them, and what is for development only.

Sources: the conventions of Node (`NODE_ENV`), Rails (`RAILS_ENV`), Flask, Django, ASP.NET and Spring.
"""

from __future__ import annotations

from auditlib import stages
from auditlib.compose.discovery import BASES, is_compose_file
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.patterns import regex

_VARIABLE = regex(r"(?:^|_)(?:ENV|ENVIRONMENT|STAGE|PROFILES_ACTIVE)$")
_PRODUCTION = frozenset({"production", "prod"})
_DEVELOPMENT = frozenset({"development", "dev", "develop", "local", "debug"})
VARIABLES_OF_DOCKER = (
    r"DOCKER_(?:API_VERSION|CERT_PATH|CONFIG|CONTENT_TRUST\w*|CONTEXT|DEFAULT_PLATFORM|HIDE_LEGACY_COMMANDS|HOST|TLS\w*|"
    r"BUILDKIT|CLI_\w+|SOCK(?:ET)?|GID)"
)
"""Its own (https://docs.docker.com/reference/cli/docker/#environment-variables), and what names its socket."""
_HOST_VARIABLES = regex(
    r"^(?:HOME|PWD|USER|USERNAME|UID|GID|PUID|PGID|PATH|SHELL|HOSTNAME|TZ|LANG|DISPLAY|XAUTHORITY|SSH_AUTH_SOCK|CI|"
    r"TMPDIR|LOGNAME|EDITOR|TERM|(?:HTTPS?|NO|ALL)_PROXY|(?:https?|no|all)_proxy|(?:COMPOSE|BUILDKIT|GITHUB)_\w+|"
    r"npm_(?:package|config|lifecycle)_\w+|npm_execpath|npm_node_execpath|"  # npm gives these to what it runs
    r"SERVICE_(?:FQDN|URL|USER|PASSWORD|BASE64)_\w+|"  # Coolify makes these
    rf"{VARIABLES_OF_DOCKER})$"
)


_TEST_PROFILE = regex(
    r"(?:load|stress|perf|performance|smoke|integration|chaos)[-_]?tests?|bench(?:mark)?s?|stubs?|mocks?"
)

is_for_development = stages.is_for_development


def names_environment(variable: str) -> bool:
    """Whether a variable of this name says which environment the software runs in (`ENVIRONMENT`, `APP_ENV`)."""
    return bool(_VARIABLE.search(variable.upper()))


def is_development(value: str) -> bool:
    """Whether a value names a development environment."""
    return value.strip().strip("\"'").lower() in _DEVELOPMENT


def production_entry(service: Service) -> EnvironmentEntry | None:
    """The variable that tells a service that it is in production, as it is for users and not for a trial before."""
    named = (entry for entry in service.environment if entry.value and names_environment(entry.name))
    return next((item for item in named if item.value and item.value.text.strip().lower() in _PRODUCTION), None)


def prominence(path: str) -> tuple[bool, bool, int]:
    """What puts the file first that matters most: development last, and files that Compose has to be told of later."""
    name = path.rpartition("/")[2]
    return stages.is_for_development(path), is_compose_file(name) and name not in BASES, path.count("/")


def is_document(path: str) -> bool:
    """Whether a file is there to be read by people, so that what it holds is an example."""
    return path.lower().endswith((".md", ".rst", ".txt", ".adoc"))


def is_aside(path: str) -> bool:
    """Whether what a file holds is not what runs: it is for development, an example for people, or a workflow's."""
    return stages.is_for_development(path) or is_document(path) or "/workflows/" in path


def comes_from_the_host(variable: str) -> bool:
    """Whether the shell or a program sets a variable of this name by itself, so that nobody has to document it."""
    return bool(_HOST_VARIABLES.match(variable))


def only_for_development(service: Service) -> bool:
    """Whether a service is declared in a development file, or gated behind profiles for development alone."""
    gated = bool(service.profiles) and all(map(_names_development, service.profiles))
    return gated or is_for_development(service.location.file)


def only_for_tests(service: Service) -> bool:
    """Whether a service starts only with a profile of load tests, mocks and the like."""
    return bool(service.profiles) and all(_TEST_PROFILE.fullmatch(profile.lower()) for profile in service.profiles)


def _names_development(profile: str) -> bool:
    return stages.names_development(profile) or bool(_TEST_PROFILE.fullmatch(profile.lower()))


def in_development_file(inventory: Inventory, file: str) -> bool:
    """Whether a Compose file is for development, by its name or by its first comment."""
    return is_for_development(file) or file in inventory.development_files


def is_for_developers(inventory: Inventory, service: Service) -> bool:
    """Whether a service is for development by its profiles, or by the name or the first comment of its file."""
    return only_for_development(service) or service.location.file in inventory.development_files
