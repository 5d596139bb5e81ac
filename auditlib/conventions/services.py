"""What a service of a Compose project is: which product it runs, what starts in it, whether it stays up."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from re import Pattern

from auditlib import stages
from auditlib.conventions import data_folders, mounts
from auditlib.conventions.images import SENTINEL, Product
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once_each
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

AUXILIARY = frozenset({"exporter", "tool", "mail", "test", "backup"})
"""Kinds that help people or other services; nothing that users do waits for them."""
OBSERVABILITY = frozenset({"exporter", "metrics", "alerting", "dashboards", "logs", "tracing"})
DATASTORES = frozenset({"datastore", "cache", "broker"})
PASSING = frozenset({"cache", "broker"})
"""Kinds of stores whose data is copies, or work on its way; beside a database nobody restores them."""
REDIS = frozenset({"Redis", "Valkey"})
"""The products that speak Redis' protocol and are configured as it is."""

_CLIENTS = regex(
    r"(?:^|/)(?:sh|bash|ash|pg_dump(?:all)?|pg_restore|psql|pg_isready|mysql|mysqldump|mariadb-dump|mongosh|mongo|mongodump|"
    r"kafka-(?:topics|configs|acls|console-\w+)(?:\.sh)?|cub|clickhouse-client|cqlsh|rabbitmqadmin|redis-cli|mc|"
    r"sleep|tail|cat|echo|wait-for\S*|alembic|flyway|migrate|crond?|supercronic|restic|rclone|curl|wget|"
    r"[\w.-]*(?:backup|restore)[\w.-]*)$"
)
_UNMISTAKABLE = frozenset({
    "docker-entrypoint.sh", "mysqld", "mariadbd", "mongod", "redis-server", "valkey-server", "keydb-server",
    "rabbitmq-server",
})  # fmt: skip
"""Names of servers that are no user's, host's or database's."""
_SENTINEL = regex(r"(?:^|[\s/])(?:redis|valkey)-sentinel(?![\w.-])|\s--sentinel(?!\S)")
"""What starts Redis' server as one that watches others (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/)."""
_ONE_SHOT = regex(
    r"\b(?:migrate|migrations?|alembic upgrade|collectstatic|db:migrate|prisma migrate|flyway|liquibase|"
    r"createsuperuser|"
    r"loaddata|seed|init|setup|bootstrap(?!-expect)|create[-_]buckets?|playwright test|pytest|cypress run|vitest|"
    r"npm (?:run )?test)\b"
)
_SERVES = regex(
    r"\b(?:gunicorn|uvicorn|hypercorn|daphne|granian|uwsgi|runserver|celery\b.{0,200}?\b(?:worker|beat|flower)|php-fpm|"
    r"artisan (?:serve|queue:work|horizon|schedule:work|octane:start)|puma|sidekiq|rails s(?:erver)?|streamlit|"
    r"flask run|fastapi (?:run|dev)|(?:npm|yarn|pnpm)(?: run)? (?:start|dev|serve)|next (?:start|dev)|nodemon|"
    r"java\b.{0,200}? -jar|dotnet \S+\.dll)\b|(?:&&|;)\s*(?:exec\s+)?node\s+(?!\S*(?:migrat|seed|setup|init))[^&;]+$"
)
"""What starts a server, though a migration may come before it in the same command."""
_ENDLESS = regex(r"\bwhile (?::|true|sleep\b)|\bsleep inf|\btail -[fF]\b")
"""What goes on for as long as the container runs: a loop around `certbot renew`."""
_ONE_SHOT_NAME = regex(
    r"(?:^|[-_])(?:migrate|migrations?|migrator|init|setup|seed|seeder|bootstrap|prestart|createbuckets?|e2e|tests?|"
    r"restore|drill|certbot|playwright|cypress|k6|locust|stressor|load[-_]?test(?:er)?)(?:$|[-_])|[-_]schema$"
)
_ON_DEMAND = frozenset({"tools", "tool", "manual", "cli", "ops", "maintenance", "once"})
"""Profiles of what people call for once."""
_CALLED_ONCE = frozenset({
    "restore", "restores", "drill", "drills", "migrate", "migration", "migrations", "seed", "e2e", "bench", "benchs",
    "benchmark", "benchmarks",
})  # fmt: skip
"""Words in the names of such profiles."""


def dockerfile(inventory: Inventory, service: Service) -> Dockerfile | None:
    """The Dockerfile that a service is built from, if the repository has it."""
    if service.build is None or service.build.outside:
        return None
    name = service.build.dockerfile or "Dockerfile"
    inside = posixpath.normpath(posixpath.join(service.build.context, name))
    return inventory.dockerfiles_by_path.get(inside) or inventory.dockerfiles_by_path.get(posixpath.normpath(name))


def built_stage(found: Dockerfile, target: str = "") -> str:
    """The stage that a build makes: the target, if there is one of that name, or the last."""
    names = [stage.name for stage in found.stages]
    return target if target in names else next(reversed(names), "")


def final_stage(found: Dockerfile, target: str = "") -> tuple[str, tuple[Instruction, ...]]:
    """The image that the built stage starts from, and all instructions that shape it, earlier stages' first."""
    bases = {stage.name: stage.base for stage in found.stages}
    name = built_stage(found, target)
    chain: list[str] = []
    while name in bases and name not in chain:
        chain.append(name)
        name = bases[name]
    order = {stage: index for index, stage in enumerate(reversed(chain))}
    mine = [item for item in found.instructions if item.stage in order]
    return name, tuple(sorted(mine, key=lambda item: order[item.stage]))


def meant_stage(file: Dockerfile) -> str:
    """The stage that is meant where the last one is for development: the one before it that starts something."""
    names = [stage.name for stage in file.stages]
    if not names or not stages.names_development(names[-1]) or stages.is_for_development(file.path):
        return ""
    starting = {item.stage for item in file.instructions if item.keyword in ("CMD", "ENTRYPOINT")}
    before = (name for name in reversed(names[:-1]) if name in starting and not stages.names_development(name))
    return next(before, "")


def shipped(file: Dockerfile, target: str) -> list[Instruction]:
    """The instructions of the built stage, and of those whose whole working folder it copies."""
    _, final = final_stage(file, target)
    taken = [item for item in final if item.copies_image]
    sources = {posixpath.normpath(posixpath.join("/", word)) for item in taken for word in item.words[:-1]}
    folders = {
        item.stage: posixpath.normpath(item.argument.strip("\"' "))
        for item in file.instructions
        if item.keyword == "WORKDIR"
    }
    return [item for item in file.instructions if item in final or folders.get(item.stage) in sources]


def built_from(inventory: Inventory, service: Service) -> tuple[str, tuple[Instruction, ...]]:
    """The image and the instructions that a service is built from; nothing where no Dockerfile of it is known."""
    found = dockerfile(inventory, service)
    return final_stage(found, service.build.target) if found and service.build else ("", ())


def commands(inventory: Inventory, service: Service) -> tuple[Command, ...]:
    """The commands that a service starts with: Compose's own words in the place of those of its Dockerfile."""
    if service.entrypoint or service.clears_entrypoint or dockerfile(inventory, service) is None:
        return service.commands
    last = {item.keyword: item for item in built_from(inventory, service)[1]}
    entry, usual = last.get("ENTRYPOINT"), last.get("CMD")
    if service.command:
        words, place, given = service.command, service.command_location, service.commands
    else:
        words, place, given = (usual.words, usual.location, usual.commands) if usual else ((), None, ())
    if entry is None or entry.shell:
        return (*(entry.commands if entry else ()), *given)
    joined = Command((*entry.words, *words), place or entry.location)
    return (joined, *entry.commands[1:], *given[1:])


@answered_once_each
def product(inventory: Inventory, service: Service) -> Product | None:
    """What a service is, by its image or by the image that its Dockerfile starts from; None for an application.

    An image of a database whose command is a client of it (a dump, a migration) is no database.
    """
    if service.build is None:
        found = data_folders.product(service.image)
        if found and found.name in REDIS and _SENTINEL.search(" ".join(_words(service))):
            return SENTINEL
        return found if found is None or _starts_server(inventory, service, found) else None
    base, instructions = built_from(inventory, service)
    found = data_folders.product(base)
    own_program = any(item.keyword == "ENTRYPOINT" for item in instructions) or _copies_application(instructions, found)
    usual = next((item.words for item in reversed(instructions) if item.keyword == "CMD"), ())
    stores = found is not None and found.kind in DATASTORES
    own_program = own_program or (found is not None and stores and not (_words(service) or _is_served(usual, found)))
    return None if own_program or found is None or not _starts_server(inventory, service, found) else found


def is_datastore(inventory: Inventory, service: Service) -> bool:
    """Whether a service keeps data, as a database, cache, queue or the like."""
    found = product(inventory, service)
    return found is not None and found.kind in DATASTORES


def is_redis(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a Redis, or the fork of it that is configured in the same way."""
    found = product(inventory, service)
    return found is not None and found.name in REDIS


def image_key(service: Service) -> tuple[str, ...]:
    """What services have in common that run one image: the build that makes it, or its name."""
    build = service.build
    return (build.context, build.dockerfile, build.target) if build else (service.image,)


def _copies_application(instructions: tuple[Instruction, ...], found: Product | None) -> bool:
    """Whether a proxy's image is only the vehicle of an application (`COPY --from=build /app/dist …`)."""
    from_stage = any(item.copies_image for item in instructions)
    return found is not None and found.kind == "proxy" and from_stage


def runs_server(inventory: Inventory, service: Service) -> bool:
    """Whether a service runs what its image is for, and not a client in it that asks or backs up another service."""
    found = data_folders.product(service.image) if service.build is None else None
    return found is None or _starts_server(inventory, service, found)


def _starts_server(inventory: Inventory, service: Service, found: Product) -> bool:
    """Whether the image's own server runs; none can where it may only read its data."""
    if any(mount.read_only and found.home and mounts.is_below(found.home, mount.target) for mount in service.mounts):
        return found.kind not in DATASTORES
    scripts = [inventory.scripts_by_path.get(mounts.path_outside(service, word)) for word in _words(service)]
    called = [" ".join(command.words) for script in scripts if script for command in script.commands]
    if any(_calls(server).search(text) for text in called for server in _servers(found)):
        return True
    return _is_told_to_serve(service, found) and not _only_asks(called)


def _only_asks(called: list[str]) -> bool:
    """Whether a script calls clients, and hands on to no other program."""
    goes_on = any(text.startswith("exec ") or "$@" in text or text.endswith("/run") for text in called)
    return not goes_on and any(_CLIENTS.search(text.partition(" ")[0]) for text in called)


def _is_told_to_serve(service: Service, found: Product) -> bool:
    """Whether the words of a service leave the start to the image, or call its server."""
    return _is_served(_words(service), found)


def _is_served(words: tuple[str, ...], found: Product) -> bool:
    own = not words or not _CLIENTS.search(words[0])
    return own or any(_calls(server).search(" ".join(words)) for server in _servers(found))


def _servers(found: Product) -> tuple[str, ...]:
    """The programs that serve; of a product of which none is known, the one of its name."""
    return found.servers or (found.name.lower(),)


def _words(service: Service) -> tuple[str, ...]:
    return (*service.entrypoint, *service.command)


@cache
def _calls(server: str) -> Pattern[str]:
    """Where a text calls a server; of a plain name, as PostgreSQL's user and database have it too, its place tells."""
    before = r"(?:^|[;&|({\n]|\b(?:exec|then|else|do)\s|\s-c\s|(?:gosu|su-exec)\s\S+\s|entrypoint\.sh\s)\s*[\"']?"
    place = r"(?<![\w.-])" if server in _UNMISTAKABLE else before
    return regex(rf"{place}(?:[\w./-]*/)?{re.escape(server)}(?![\w.-])")


def serves_operators(inventory: Inventory, service: Service) -> bool:
    """Whether a service watches, shows or keeps what others do, so that users don't notice when it is gone."""
    found = product(inventory, service)
    return found is not None and found.kind in AUXILIARY | OBSERVABILITY


def lacks_env_file(inventory: Inventory, service: Service) -> bool:
    """Whether a service is given an environment file that the repository lacks, so that its variables aren't known."""
    return any(item.path not in inventory.file_set for item in service.env_files)


def is_one_shot(service: Service, waited_for: bool = False) -> bool:
    """Whether a service does its work and ends: a migration, a seed, a run of tests, or what is called on demand."""
    text = " ".join((*service.entrypoint, *service.command))
    keeps_running = service.restart in ("always", "unless-stopped")
    if is_on_demand(service) or _is_told_to_end(service) or _is_thrown_away(service):
        return True
    ends = bool(_ONE_SHOT_NAME.search(service.name)) or bool(_ONE_SHOT.search(text) and not _SERVES.search(text))
    return waited_for or (not keeps_running and ends and not repeats(service))


def repeats(service: Service) -> bool:
    """Whether a service does one task again and again, and serves nobody: a loop around `certbot renew`."""
    text = " ".join((*service.entrypoint, *service.command))
    serves = bool(_SERVES.search(text) or service.ports)
    return bool(_ENDLESS.search(text)) and "break" not in text and not serves


def _is_told_to_end(service: Service) -> bool:
    """Whether a service is by its own words not to be started again, and nothing of it speaks of one that stays: a
    port, a health check, an image of a server.
    """
    once = service.restart == "no" or service.restart_condition == "none"
    stays = service.ports or service.expose or service.healthcheck is not None
    found = None if stays or service.build else data_folders.product(service.image)
    return once and not stays and (found is None or not _is_told_to_serve(service, found))


def _is_thrown_away(service: Service) -> bool:
    """Whether a database is called by its profile and keeps its data in memory only, as for a trial of a restore."""
    if not service.profiles or service.restart not in ("", "no") or service.build:
        return False
    found = data_folders.product(service.image)
    homes = (found.home, *found.data) if found and found.kind in DATASTORES else ()
    kept = [mount.target for mount in service.mounts if mount.kind == "tmpfs"]
    return any(mounts.is_below(target, home) for target in kept for home in homes if home)


def is_on_demand(service: Service) -> bool:
    """Whether a service is there for `docker compose run`: by a profile of tools, without a port or a restart."""
    tools = bool(service.profiles) and all(map(_is_called_once, service.profiles))
    return tools and not service.ports and service.restart in ("", "no")


def _is_called_once(profile: str) -> bool:
    return profile in _ON_DEMAND or not _CALLED_ONCE.isdisjoint(profile.replace("-", "_").split("_"))


def of_product(inventory: Inventory, name: str) -> tuple[Service, ...]:
    """The services that run a product, by its name (`Grafana`)."""
    found = ((item, product(inventory, item)) for item in inventory.distinct_services)
    return tuple(item for item, kind in found if kind is not None and kind.name == name)


def is_watching(inventory: Inventory, service: Service) -> bool:
    """Whether a service belongs to the monitoring, so that its users are operators."""
    found = product(inventory, service)
    return found is not None and found.kind in OBSERVABILITY
