"""Where the repository holds the value of a secret, and what the secret is for.

Sources: the variables that the official images document, and the settings of Django, Flask, Rails and FastAPI's
template for signing keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Variable
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.redaction import Value, is_credential_name

_IN_URL = regex(r"://[^/\s]*‹secret")
_PURPOSES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (purpose, regex(pattern))
    for purpose, pattern in (
        ("the database", r"MONGO(?:DB)?_(?:INITDB_)?ROOT_"),  # the image makes no other user
        ("the root user of the database", r"(?:MYSQL|MARIADB|DB)_(?:INITDB_)?ROOT_|^ROOT_"),
        ("an OAuth client", r"CLIENT_SECRET|(?:OIDC|OAUTH2?|SSO)_SECRET"),
        (
            "the database",  # of whatever program: Keycloak's `KC_DB_PASSWORD` is the login that PostgreSQL is given
            r"^GF_(?:DATABASE|SESSION)_|"
            r"^(?!.*(?:REDIS|VALKEY))(?:\w+_)?(?:DB|DATABASE|POSTGRES(?:QL)?|PG|MYSQL|MARIADB|MONGO(?:DB)?)_"
            r"(?:ADMIN_|USER_|SUPERUSER_)?PASS",
        ),
        ("web hooks", r"WEBHOOK"),
        ("mail", r"SMTP|(?:^|_)(?:E?MAIL|MAILER)_"),
        ("Redis", r"REDIS|VALKEY"),
        ("Grafana", r"^GF_|GRAFANA"),
        ("Keycloak", r"^(?:KC|KEYCLOAK)_"),
        ("object storage", r"MINIO|(?:^|_)S3_"),
        ("the message broker", r"RABBITMQ|AMQP|(?:^|_)BROKER_"),
        ("search", r"ELASTIC|OPENSEARCH|MEILI|TYPESENSE"),
        ("refresh tokens", r"REFRESH"),
        ("signing tokens", r"JWT|TOKEN_(?:SECRET|KEY)|ACCESS_TOKEN_SECRET"),
        ("encrypting data", r"ENCRYPT|FERNET|CIPHER"),
        ("sessions", r"SESSION|COOKIE"),
        ("forms", r"CSRF"),
        ("calls between services", r"(?:^|_)(?:INTERNAL|INTER_?SERVICE|S2S)_\w*(?:TOKEN|KEY|SECRET)$"),
        ("an administrator's login", r"(?:ADMIN|SUPERUSER)_(?:USER_)?(?:PASSWORD|PASS|PWD)"),
        (
            "the database",
            r"POSTGRES|(?:^|_)(?:PG|DB|DATABASE|DATASOURCE|MYSQL|MARIADB|MONGO(?:DB)?|SQL)_?(?:USER_)?PASS|DATABASE_URL",
        ),
        ("signing in the application", r"^(?:[A-Z]+_)?SECRET_KEY(?:_BASE)?$|^APP_(?:SECRET|KEY)$"),
        (
            "a provider's interface",  # less those whose keys are logins to mail or object storage, too
            r"(?:^|_)(?:WHATSAPP|SLACK|DISCORD|TELEGRAM|TWILIO|OPENAI|ANTHROPIC|GEMINI|STRIPE|PAYPAL|GITHUB|GITLAB)_"
            r"\w*(?:TOKEN|KEY|SECRET)$",
        ),
    )
)  # fmt: skip

_PUBLIC = regex(
    r"^(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|EXPO_PUBLIC|PUBLIC|GATSBY|VUE_APP)_|PUBLISHABLE|SITE_KEY|SENTRY_DSN$|"
    r"(?:^|_)(?:REVERB|PUSHER|SOKETI)_(?:DEFAULT_)?(?:APP_)?KEY$|PUBLIC_(?:API_)?KEY$|(?:^|_)(?:ANON|SUPABASE_ANON)_KEY$|"
    r"(?:^|_)ALGOLIA_SEARCH_(?:API_)?KEY$|(?:^|_)POSTHOG_(?:PROJECT_)?(?:API_)?KEY$"
)
"""Prefixes of what goes into pages, and the keys that browsers send: https://laravel.com/docs/reverb,
https://pusher.com/docs/channels, https://supabase.com/docs/guides/api/api-keys and the like.
"""

_OF_PROVIDER = regex(
    r"(?:^|_)(?:OPENAI|ANTHROPIC|CLAUDE|GEMINI|GOOGLE|YOUTUBE|FACEBOOK|INSTAGRAM|TWITTER|LINKEDIN|SPOTIFY|NOTION|OPENWEATHER|GROQ|MISTRAL|COHERE|HUGGINGFACE|HF|STRIPE|PAYPAL|SENDGRID|TWILIO|"
    r"MAILGUN|POSTMARK|RESEND|DAGSHUB|MLFLOW_TRACKING|WANDB|DEEPSEEK|DEEPL|ELEVENLABS|REPLICATE|PUSHOVER|DOCKER_?HUB|SLACK|DISCORD|TELEGRAM|GITHUB|GITLAB|AWS|AZURE|GCP|CLOUDINARY|CLOUDFLARE|SENTRY|DATADOG|"
    r"NEW_RELIC|ALGOLIA|MAPBOX|PINECONE|FIREBASE|SUPABASE|AUTH0|OKTA|CLERK|SMTP|E?MAIL|MAILER)_"
)
"""Names of credentials that a company, or a mail server, gives out: what is made up opens nothing there."""

_SERVERS = {
    "POSTGRES": regex(r"POSTGRES|(?:^|_)PG(?!ADMIN|P_)"), "MYSQL": regex(r"MYSQL|MARIADB"), "MONGO": regex(r"MONGO"),
    "REDIS": regex(r"REDIS|VALKEY"), "RABBITMQ": regex(r"RABBITMQ|AMQP"),
}  # fmt: skip
"""By what a server's variables are called after the signs of it, in their names and in the scheme of an address."""
_OF_DATABASE = regex(r"(?:^|_)(?:DB|DATABASE)(?:_|$)")

_FOLDED = 3
"""Lines that a setting with its default may take: the variable on the first, its value on the last."""
_DISTINCT, _DISTINCT_WORD = 8, 10
"""Characters from which two equal values are hardly equal by chance, and of well-known ones."""


class Sighting(Struct, frozen=True):
    """One place where the value of a secret stands."""

    name: str
    """The variable; empty where none is named."""
    value: Value
    location: Location
    kind: str
    """`default` or `literal` in Compose, `env_file`, `template`, `setting`, `file`."""
    service: str = ""
    replaceable: bool = False
    """Whether it only stands in for a variable (`name`, if known), so that a value of the environment takes its place.
    """


def sightings(inventory: Inventory) -> Iterator[Sighting]:
    """Every place where a secret's value stands in a file, Compose first; a setting that no code uses is none, and what
    every visitor is shown neither.
    """
    return (item for item in _all_sightings(inventory) if not is_public(item.name))


def _all_sightings(inventory: Inventory) -> Iterator[Sighting]:
    yield from _in_compose(inventory)
    idle = {item.location for item in inventory.settings if item.unused}
    for setting in inventory.settings:
        if setting.default is None or setting.unused:
            continue
        if setting.default.secret and setting.default_kind == "literal":
            yield Sighting(setting.name, setting.default, setting.location, "setting", replaceable=True)
    for fixed in inventory.fixed_secrets:
        yield Sighting(fixed.name, fixed.value, fixed.location, "setting")
    for file in inventory.env_files:
        kind = "template" if file.template else "env_file"
        for line in file.lines:
            if line.value is not None and line.value.secret and not line.commented:
                yield Sighting(line.name, line.value, line.location, kind)
    known = {file.path for file in inventory.env_files}
    told = {_spot(item.default.identity, item.location, below) for item in inventory.settings if item.default
            for below in range(_FOLDED)}  # fmt: skip
    for item in inventory.committed_secrets:
        again = _spot(item.value.identity, item.location) in told
        if not item.commented and item.location.file not in known and not again and not _stands_at(item.location, idle):
            yield Sighting("", item.value, item.location, "file", replaceable=item.replaceable)


def _spot(identity: int, place: Location, below: int = 0) -> tuple[int, str, int]:
    return identity, place.file, place.line + below


def _stands_at(place: Location, others: Collection[Location]) -> bool:
    return any(place.file == other.file and other.line <= place.line <= other.last_line for other in others)


def _in_compose(inventory: Inventory) -> Iterator[Sighting]:
    for variable in inventory.variables:
        if variable.operator in (":-", "-") and is_default(variable) and variable.default is not None:
            yield Sighting(variable.name, variable.default, variable.location, "default", variable.service or "", True)
    for service in inventory.services:
        for entry in service.environment:
            if entry.origin == "environment" and entry.value and entry.value.secret and not entry.variables:
                yield Sighting(entry.name, entry.value, entry.location, "literal", service.name)


def is_default(variable: Variable) -> bool:
    """Whether a variable's default is a secret of its own, not a user's name that is the password as well."""
    value = variable.default
    if value is None or not value.secret:
        return False
    return is_credential_name(variable.name) or stands_in_url(value) or value.generated


def is_distinct(value: Value) -> bool:
    """Whether two equal values are hardly equal by chance: eight characters, and more of what people often choose."""
    return value.length >= (_DISTINCT_WORD if value.weak else _DISTINCT)


def stands_in_url(value: Value) -> bool:
    """Whether a value is an address that holds its password."""
    return value.secret and bool(_IN_URL.search(value.text))


def server(text: str) -> str:
    """The server of which a scheme or a variable's name speaks: `REDIS`; empty where it speaks of none."""
    return next((name for name, signs in _SERVERS.items() if signs.search(text.upper())), "")


def server_of(value: Value) -> str:
    """The server that an address asks, by its scheme."""
    scheme, separator, _ = value.text.partition("://")
    return server(scheme) if separator else ""


def may_be_of(name: str, asked: str) -> bool:
    """Whether a variable may hold the password of a server, as its name speaks of no other one."""
    if asked in ("REDIS", "RABBITMQ") and _OF_DATABASE.search(name):
        return False
    return not asked or server(name) in ("", asked)


def opens_nothing(name: str, value: Value) -> bool:
    """Whether a value is a placeholder for what only a provider can give out."""
    return value.placeholder and _OF_PROVIDER.search(name.upper()) is not None


def is_public(variable: str) -> bool:
    """Whether a value of this name is shown to every visitor anyway, as Sentry's address and keys in pages are."""
    return bool(_PUBLIC.search(variable.upper()))


def may_be_one(one: str, other: str) -> bool:
    """Whether two names may be of one credential: neither speaks of another purpose, but for a database's users."""
    purposes = {purpose(name) for name in (one, other)} - {""}
    return len(purposes) < 2 or all(item.endswith("the database") for item in purposes)


def purpose(variable: str) -> str:
    """What a credential of this name protects, in words; empty where the name doesn't tell."""
    name = variable.upper()
    return next((words for words, pattern in _PURPOSES if pattern.search(name)), "")


@answered_once
def guards(inventory: Inventory) -> dict[str, Location]:
    """By variable where code refuses one of the values that templates or defaults have for it."""
    refused = {item.identity: item.location for item in inventory.refused_values}
    known = [(item.name, item.default) for item in inventory.settings]
    known += [(line.name, line.value) for file in inventory.env_files for line in file.lines]
    found = ((name, refused.get(value.identity)) for name, value in known if value is not None and value.identity)
    return {name: place for name, place in found if place is not None and is_credential_name(name)}
