"""Records of Compose projects, as they are after Compose's own resolution."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.delivery import Command
from auditlib.model import Location
from auditlib.redaction import Value


class Variable(Struct, frozen=True):
    """One `${NAME}` in a Compose file."""

    project: str
    name: str
    operator: str
    """`:-`, `-`, `:?`, `?`, `:+`, `+`, or empty for a bare `${NAME}` or `$NAME`."""
    default: Value | None
    """What stands after the operator; of `:?` and `?` the error message."""
    source: str
    """Where the resolved value came from: `default`, `unset`, or the env file."""
    location: Location
    service: str | None = None
    target: str = ""
    """The key that it is used in, dotted: `services.api.environment.DB_PASSWORD`."""


class Endpoint(Struct, frozen=True):
    """A host that a value names: `redis://redis:6379/0`, `db:5432`, `CHROMA_HOST=chroma`. Never a password."""

    scheme: str
    """Of a URL, lower-cased; empty for a bare host."""
    host: str
    port: str
    """Empty if the value gives none."""


class Port(Struct, frozen=True):
    """A port that a service publishes on the host. `host_port` is empty when Docker chooses one.

    `host_ip` is `${NAME}` where a variable holds the address and no file its value.
    """

    target: str
    host_port: str
    host_ip: str
    protocol: str
    location: Location
    variable: str = ""
    """What stands for `host_port` in the file where a variable holds it: `${REDIS_PORT:-6379}`."""

    @property
    def written(self) -> str:
        """The port of the host as the file has it; empty when Docker chooses one."""
        return self.variable or self.host_port


class Mount(Struct, frozen=True):
    """What a service mounts: `kind` is bind, volume, tmpfs …; a bind's source is relative to the root if inside it."""

    kind: str
    source: str
    target: str
    read_only: bool
    location: Location
    outside: bool = False
    """Whether a bind's source lies outside the repository (on the host)."""
    is_config: bool = False
    """Whether it is the file of one of the project's `configs`, without which Compose doesn't start the service."""


class Dependency(Struct, frozen=True):
    """One entry of `depends_on`; `implicit` ones follow from links, volumes_from or shared namespaces."""

    service: str
    condition: str
    required: bool
    location: Location
    implicit: bool = False
    restarts: bool = False
    """Whether Compose starts the service again when it makes the other one anew (`restart: true`)."""
    says_condition: bool = False
    """Whether the condition is written down; a list of names has none."""
    explained: bool = False
    """Whether a comment beside it says why no more is waited for."""


class EnvironmentEntry(Struct, frozen=True):
    """A variable as one container gets it. `value` is None for a name that is passed through from the host."""

    name: str
    value: Value | None
    variables: tuple[str, ...]
    """The `${…}` that its value was made of."""
    origin: str
    """`environment`, or the env file's path."""
    location: Location
    endpoints: tuple[Endpoint, ...] = ()
    """The hosts that its value names, read before secrets were masked."""


class EnvFileReference(Struct, frozen=True):
    """A file named by `env_file`."""

    path: str
    required: bool
    location: Location


class RedisFile(Struct, frozen=True):
    """A configuration file of Redis or Valkey, with what it writes to disk: `log`, `snapshots` or `off`."""

    path: str
    persistence: str
    location: Location


class ToldProfile(Struct, frozen=True):
    """A profile of Compose that a file of another program activates; `*` where a variable holds its name."""

    name: str
    location: Location


class Attachment(Struct, frozen=True):
    """A network that a service joins, with its aliases there."""

    network: str
    aliases: tuple[str, ...]
    location: Location
    address: str = ""
    """The IPv4 address that it asks for there."""


class Healthcheck(Struct, frozen=True):
    """How a container's health is probed. `test` is the command without its `CMD` or `CMD-SHELL`, secrets masked."""

    test: tuple[str, ...]
    shell: bool
    disabled: bool
    interval: str
    timeout: str
    retries: str
    start_period: str
    location: Location
    commands: tuple[Command, ...] = ()
    """What the test executes, taken apart."""
    test_location: Location | None = None
    """Where `test` stands."""


class Build(Struct, frozen=True):
    """How a service's image is built; paths relative to the root."""

    context: str
    dockerfile: str
    target: str
    arguments: tuple[tuple[str, Value | None], ...]
    location: Location
    outside: bool = False
    """Whether the context lies outside the repository or is a URL."""
    inline: bool = False
    """Whether the Dockerfile stands in the Compose file (`dockerfile_inline`)."""
    additional_contexts: tuple[str, ...] = ()
    """The names of further contexts, which `COPY --from` may use."""
    target_location: Location | None = None
    """Where `target` stands."""
    context_paths: tuple[str, ...] = ()
    """What each of the further contexts is: a folder relative to the root, or an address as it is written."""
    secrets: tuple[str, ...] = ()
    """The secrets of the project that the build may read."""
    argument_locations: tuple[Location, ...] = ()
    """Where each of the arguments stands."""

    @property
    def folder(self) -> str:
        """The context as the start of its files' paths: empty for the root, where `context` is `.`."""
        return "" if self.context == "." else self.context


class Label(Struct, frozen=True):
    """A label of a service."""

    name: str
    value: str
    location: Location


class Service(Struct, frozen=True):
    """One service of a resolved project, whatever its profiles.

    An overlay project holds only the services that it adds or changes, each whole, as it is with the base. One that it
    changes has `changed_at`; its `location` stays the base's, and each part has the place that won: a fault that the
    base has already shows at the same place again, one that the overlay brings at a place in the overlay.
    """

    project: str
    name: str
    image: str
    location: Location
    image_location: Location
    build: Build | None = None
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    clears_entrypoint: bool = False
    """Whether it takes the image's entry point away (`entrypoint: []`), so that the command is all that runs."""
    command_location: Location | None = None
    profiles: tuple[str, ...] = ()
    profiles_location: Location | None = None
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    environment: tuple[EnvironmentEntry, ...] = ()
    env_files: tuple[EnvFileReference, ...] = ()
    networks: tuple[Attachment, ...] = ()
    network_mode: str = ""
    devices: tuple[str, ...] = ()
    """Devices of the host, as `/dev/sda:/dev/xvda:r`; without the permissions where they are the usual ones."""
    device_rules: tuple[str, ...] = ()
    """`device_cgroup_rules`."""
    healthcheck: Healthcheck | None = None
    keeps_image_check: bool = False
    """Whether it says that the image's health check stays on (`disable: false`)."""
    restart: str = ""
    restart_condition: str = ""
    """`deploy.restart_policy.condition`, which counts where `restart` says nothing."""
    container_name: str = ""
    container_name_location: Location | None = None
    hostname: str = ""
    replicas: int | None = None
    cpu_limit: str = ""
    memory_limit: str = ""
    limited_by_old_key: bool = False
    """Whether that limit is written as `mem_limit`, and not below `deploy`."""
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()
    labels: tuple[Label, ...] = ()
    placed: bool = False
    """Whether `deploy.placement` says on which hosts of a Swarm it may run."""
    secrets: tuple[str, ...] = ()
    secret_files: tuple[str, ...] = ()
    """Where its container finds each of these: `/run/secrets/db_password`."""
    configs: tuple[str, ...] = ()
    user: str = ""
    privileged: bool = False
    read_only: bool = False
    init: bool = False
    stop_grace_period: str = ""
    stop_signal: str = ""
    platform: str = ""
    working_dir: str = ""
    command_endpoints: tuple[Endpoint, ...] = ()
    """The hosts that command and entry point name."""
    commands: tuple[Command, ...] = ()
    """What entry point and command execute, taken apart."""
    extra_hosts: tuple[str, ...] = ()
    """The names that `extra_hosts` and `external_links` make known, and the aliases of `links`."""
    has_terminal: bool = False
    """Whether `tty` or `stdin_open` keeps a shell waiting for input."""
    changed_at: Location | None = None
    """Where an overlay changes this service of its base."""

    @property
    def key(self) -> str:
        """What tells it from every other service of the repository: `project/name`."""
        return f"{self.project}/{self.name}"


class Volume(Struct, frozen=True):
    """A named volume of a project."""

    project: str
    name: str
    driver: str
    external: bool
    location: Location
    fixed_name: bool = False
    """Whether the files say what Docker calls it, by a name of its own or of the project; else the folder does."""
    called: str = ""
    """The name that Docker knows it by, where the file gives one or it is external."""
    has_options: bool = False
    """Whether it has options of its driver, by which it may be a share of the network."""


class Network(Struct, frozen=True):
    """A network of a project."""

    project: str
    name: str
    driver: str
    external: bool
    internal: bool
    location: Location
    called: str = ""
    """The name that Docker knows it by, where the file gives one (`name: shop`) or it is external."""
    pools: tuple[tuple[str, str], ...] = ()
    """Its subnets, each with the range in it that Docker takes addresses from, which is empty for all of it."""


class FileObject(Struct, frozen=True):
    """A `secret` or `config` of a project. `source` is its file, the name of its variable, `external`, or `inline`."""

    project: str
    kind: str
    name: str
    source: str
    location: Location


class Project(Struct, frozen=True):
    """A Compose project: a base with what is deployed or read with it, or an overlay on a base."""

    name: str
    """Unique in a repository and the same in every checkout: the project's folder, or the path of its file where it
    stands in the root, is an overlay, or is not the only project of its folder."""
    files: tuple[str, ...]
    role: str
    """`base`, or `overlay` for files that are meant to be used with a base."""
    base: str
    """The project that an overlay goes with; empty for a base."""
    location: Location
    env_file: str = ""
    started_at: tuple[Location, ...] = ()
    """The commands that put just these files into operation for production; none if nothing tells what is deployed."""
    called: str = ""
    """The name that a file of it says (`name: shop`), so that Compose doesn't take that of the folder."""
    aside: bool = False
    """Whether what is deployed is known to leave it out: an overlay for development, or a base in whose place another
    one of its folder is started."""
    for_development: bool = False
    """Whether the file says in its first comment that it is for development, and nothing starts it for production."""
    for_one_host: bool = False
    """Whether a comment of its files says that it is meant for one host."""
    tells_network: bool = False
    """Whether a comment of its files has the command that makes a network."""
    tells_volume: bool = False
    """Whether a comment of its files names the command that makes volumes."""
    first_starts: tuple[Location, ...] = ()
    """The comments of its files that say that something runs once, on an empty volume or at the first start."""
    told_profiles: tuple[str, ...] = ()
    """The profiles that a comment of its files has people activate."""
    told_variables: tuple[tuple[str, Location], ...] = ()
    """The variables that a comment of its files sets before a call of Compose, each with its line."""
    header_words: frozenset[str] = frozenset()
    """The words in capitals of the comments at the head of its files, among them variables that these explain."""
    told_calls: tuple[str, ...] = ()
    """The calls of Compose that a comment of its files shows."""
    for_swarm: bool = False
    """Whether it is deployed as a stack of Swarm and nothing starts it by Compose. Its services have no dependencies,
    names of containers, profiles and `restart`, which Swarm passes over, and the labels of `deploy`."""
