"""Records of environment files, of the settings that code reads, and of what code does with them."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.stack import Endpoint
from auditlib.model import Location
from auditlib.redaction import Value


class EnvLine(Struct, frozen=True):
    """One assignment of an environment file. `malformed` says what is wrong with a line that is none."""

    name: str
    value: Value | None
    location: Location
    commented: bool = False
    """Whether a template names the variable in a comment only (`# SENTRY_DSN=`)."""
    malformed: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    """The hosts that the value names."""
    made_by: str = ""
    """The command by which a comment of a template has people make the value, where its text is in Base64."""


class EnvFile(Struct, frozen=True):
    """An environment file; a template is there to be copied (`.env.example`), any other is used as it is."""

    path: str
    template: bool
    lines: tuple[EnvLine, ...]
    location: Location
    committed: bool | None = None
    """Whether Git tracks it; None without Git's index, where it is only known that no `.gitignore` leaves it out."""
    copied_to: str = ""
    """Of a template the path of the file that people make of it."""
    scripts: frozenset[str] = frozenset()
    """The names of the scripts that its comments name."""


class Setting(Struct, frozen=True):
    """A variable that code reads from its environment."""

    name: str
    """The environment variable, prefix and alias applied."""
    attribute: str
    """`Settings.secret_key` for a class's field; the function called otherwise (`os.getenv`)."""
    type: str
    default: Value | None
    default_kind: str
    """`none` (there is none), `null`, `literal`, `empty`, `expression`."""
    required: bool
    style: str
    """`pydantic`, `environ`, `getenv`, `decouple`, `django-environ`, `environs`, `javascript`, or another language."""
    location: Location
    aliases: tuple[str, ...] = ()
    """Other variables that it is read from if `name` is not set."""
    wants_json: bool = False
    """Whether pydantic reads a list or mapping from the variable, which has to be JSON then."""
    unused: bool = False
    """Whether no code names the field of the class that holds the value, so that nothing runs with it."""
    conditional: bool = False
    """Whether Python reads it below an `if`, as for a part that is switched on."""
    called: bool = False
    """Whether Python reads it inside a function, so only when that is called."""

    @property
    def is_prepared(self) -> bool:
        """Whether a validator changes what the environment says before the type is looked at."""
        return self.type.endswith("prepared by a validator")


class FixedSecret(Struct, frozen=True):
    """A secret that code or a configuration file sets to a literal, so that no environment can have one of its own."""

    name: str
    value: Value
    location: Location
    in_code: bool = True
    tells_itself: bool = False
    """Whether it is made of words that say what it is (`webhook-password`), as examples are."""


class SettingsFile(Struct, frozen=True):
    """An environment file that settings code loads (`env_file=".env"`, `load_dotenv()`)."""

    path: str
    location: Location


class EnvironmentBranch(Struct, frozen=True):
    """A place where code decides by the name of the environment: `if settings.ENVIRONMENT == "production"`."""

    variable: str
    values: tuple[str, ...]
    targets: tuple[str, ...]
    """The names assigned or returned below it (`allowed_origins`), or the function that it stands in."""
    location: Location


class LogFile(Struct, frozen=True):
    """A file that code writes its log to; the path as code gives it."""

    path: str
    location: Location
    echoed: bool = False
    """Whether the logger that writes it writes the same to the console."""


class ConfigAddress(Struct, frozen=True):
    """A host and its port that the configuration of a program names in a URL."""

    end: Endpoint
    location: Location
    late: bool = False
    """Whether the program looks the name up only when it is asked, and starts without it."""


class SpringProfile(Struct, frozen=True):
    """A profile of Spring for which the repository has a file, a part of one, or code; `*` is any other one."""

    name: str
    location: Location


class MemoryDatabase(Struct, frozen=True):
    """A place where the configuration of a Spring application keeps its data in the memory of its own process."""

    profile: str
    """The profile that the file is for; empty for what holds always."""
    location: Location
    of_tests: bool = False
    """Whether the file is one of the tests (`src/test/resources`), which the application itself never reads."""


class ConfigVariable(Struct, frozen=True):
    """A variable without which the program of a configuration file refuses to start."""

    name: str
    program: str
    location: Location


class UnrotatedLog(Struct, frozen=True):
    """A place where code opens a log file by a handler that never begins a new one; `handler` is what it is called."""

    location: Location
    handler: str = "logging.FileHandler"


OF_CLIENT = "password for MySQL"
"""The kind of a committed secret that an option file of MySQL's programs holds."""
OF_SCRIPT = "password"
"""The kind of a committed secret that a shell script holds, in a variable or for `sshpass`."""
IN_URL = "password in a URL"
"""The kind of a committed secret that is a part of a connection string."""


class CommittedSecret(Struct, frozen=True):
    """A secret that any text file holds, known by its own form and not by the name before it."""

    kind: str
    """Who gave it out (`GitHub token`), `private key`, or IN_URL."""
    value: Value
    location: Location
    commented: bool = False
    """Whether it stands in a comment."""
    name: str = ""
    """The variable of a script that holds it."""
    replaceable: bool = False
    """Whether a schema of variables falls back to it where the environment gives none."""


class AllowedOrigin(Struct, frozen=True):
    """An origin whose pages may call the application: what code gives to its CORS middleware, or keeps for it."""

    origin: str
    """`*` for every one; empty where code takes the origins from elsewhere."""
    holder: str
    """The name that holds it: `allowed_origins`, `CORS_ALLOWED_ORIGINS`, or the function called."""
    credentials: bool
    """Whether the same call lets browsers send cookies."""
    location: Location
    written: str = "*"
    """How code says that it is every one: `*`, `true`, or nothing where it is the default."""


class AnyHost(Struct, frozen=True):
    """A place where Django is told to answer requests for whatever host (`ALLOWED_HOSTS = ["*"]`)."""

    location: Location


class ExpressFile(Struct, frozen=True):
    """A file of code with what it does of an Express application, as far as a proxy before that matters.

    `kind` is `application` where it is made, `limit` where requests are counted by address, `cookie` where a session's
    cookie is for HTTPS alone, or `trust` where the application is told of its proxy.
    """

    kind: str
    location: Location


class SpringSettings(Struct, frozen=True):
    """A file that configures a Spring application."""

    publishes_histograms: bool
    """Whether it, or the code, says that some metric is published with its buckets."""
    asks_elsewhere: bool
    """Whether it imports more from outside of the repository (a config server, Vault, Consul)."""
    location: Location


class CommentInValue(Struct, frozen=True):
    """A line of Spring's properties whose value goes on with what is meant as a comment."""

    name: str
    comment: str
    location: Location


class DjangoSettings(Struct, frozen=True):
    """A module with settings of Django."""

    fixed: tuple[tuple[str, Location], ...]
    """What its top level assigns once, as a constant or a list of constants."""
    main: bool
    """Whether it has `INSTALLED_APPS`."""
    collects: bool
    """Whether it says where static files are collected, or names a storage or library that may."""
    location: Location
    types: tuple[tuple[str, str], ...] = ()
    """What kind of constant each of these is: `bool`, `int`, `str`, `list` …"""
    taken_over: int = 0
    """The last line by which all names of another module are taken over (`from .local import *`); 0 without one."""
    cache_of_broker: Location | None = None
    """Where a cache in Redis is given the very address that Celery's broker has."""
    stores_away: str = ""
    """The setting by which files of users go to an object store, whatever the environment says; empty without one."""


DJANGO_MODULE = "DJANGO_SETTINGS_MODULE"
"""The variable, or the option of pytest, that names the module of Django's settings."""


class SettingsModule(Struct, frozen=True):
    """A place that names the module of Django's settings (`DJANGO_SETTINGS_MODULE`)."""

    module: str
    location: Location


class DebugSwitch(Struct, frozen=True):
    """A place where code turns debugging on by a literal: `DEBUG = True`, `app.run(debug=True)`."""

    name: str
    main: bool
    """Whether it counts only where the file itself is run (`if __name__ == "__main__"`)."""
    location: Location


class SwitchComparison(Struct, frozen=True):
    """A place where code takes a variable for on only if it is spelled so: `os.getenv("DEBUG") == "True"`."""

    variable: str
    value: str
    location: Location


class RefusedValue(Struct, frozen=True):
    """A value of a secret at which code ends: `if key == "change-me": raise …`."""

    identity: int
    """The secret's, as `Value` has it."""
    location: Location
    always: bool
    """Whether nothing else decides, such as the environment's name."""


class DevelopmentServer(Struct, frozen=True):
    """A call with which a file of code, where it is started itself, serves by Flask's own server (`app.run()`)."""

    location: Location


class NamedVariables(Struct, frozen=True):
    """The variables of Compose and environment files that another file names, whatever it does with them."""

    path: str
    names: frozenset[str]
    """In lower case."""
    location: Location
    commented: bool = False
    """Whether they stand in the comments of a Compose file, for services that somebody may want, or in other lines of
    an environment file.
    """


class ServerTrait(Struct, frozen=True):
    """What code says of how a server takes requests and ends.

    `kind` is `shutdown` (it waits so many seconds for requests at hand), `body` (it takes uploads of so many bytes),
    `form` (it takes forms of so many bytes, with all their files),
    `interrupt` (it ends in order on SIGINT alone), `tls` (it speaks TLS itself), `ready` (it has a route that tells
    whether it can work), `constant` (a route on its health gives the same answer always), `manual` (a page of its
    documentation), `queue` (it hands on work through Redis), `exposed` (the endpoints of Spring's Actuator, in place of
    a route), `unregistered` (it has Actuator, and no registry for Prometheus), `unmetered` (no code in a language, by
    its ending, speaks of metrics), `prefix` (all routes of NestJS are below a path; of 1 they have versions as well),
    `refuses` (beside that of its readiness, a route on its health that may answer 503), `beside` (something answers
    without that prefix) or `metrics` (it serves its metrics at a path, or its rules of access let everybody read them).
    """

    kind: str
    amount: int
    location: Location
    path: str = ""
    """The route."""


class MadeLogin(Struct, frozen=True):
    """Where a script makes a user or a database, or gives one its rights."""

    location: Location


class ToldLogin(Struct, frozen=True):
    """Where a document or a script says how to log in to Grafana as its administrator; `used`: by a request."""

    password: Value
    used: bool
    location: Location


class SeededUser(Struct, frozen=True):
    """A place where code creates a user with a password that stands in it; `at_start`: whether each start runs it."""

    password: Value
    at_start: bool
    location: Location
    kind: str = ""
    """`sql` for a hash that a script inserts into a table, `table` for one in a table of the code itself, `words`
    for the password itself in such a table, `seeder` for what Laravel's `db:seed` creates."""


class UndefinedSetting(Struct, frozen=True):
    """A setting of Django that code asks for and that no settings module of the repository names."""

    name: str
    location: Location


class PhpLimit(Struct, frozen=True):
    """A limit that the configuration of PHP sets: `upload_max_filesize` and `post_max_size` in bytes,
    `max_execution_time` in seconds; 0 for none."""

    name: str
    amount: int
    location: Location
