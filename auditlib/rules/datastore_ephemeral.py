"""A database keeps its data in no lasting volume.

The data lives in the container's own layer, or in an anonymous volume that the next container doesn't get.
`docker compose down`, a renamed service or a new host, and it is gone.

Anti-pattern:

    db:
      image: postgres:16
      volumes: ["pgdata:/var/lib/postgres"]      # not where PostgreSQL writes

Better:

    db:
      image: postgres:16
      volumes: ["pgdata:/var/lib/postgresql/data"]

Recommendation:

    Mount a named volume at the very path where the image keeps its data, which publishers and releases choose
    differently: PostgreSQL's own image has /var/lib/postgresql/data, from 18 on /var/lib/postgresql. A volume that an
    image declares below the path of yours lies over it.

References:

- https://docs.docker.com/engine/storage/volumes/
- https://hub.docker.com/_/postgres
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, kept_data, mounts, services, stacks
from auditlib.conventions.images import Product
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed, specified
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_OTHER_PLACE = regex(r"(?:PGDATA|DATA_?DIR|DATA_PATH|DBPATH|--datadir|--dbpath|--data-dir)", re.I)
_TRACKED_ELSEWHERE = regex(r"store[-_]uri|artifact|s3|\$", re.I)
_STORES = "# mlflow server --backend-store-uri sqlite:////mlflow/runs.db --artifacts-destination /mlflow/artifacts"
_UNKNOWN = "<the folder where its image keeps the data>"
_NATS_FILE = regex(r"-{1,2}(?:c|config)(?:=|$)|.*(?:\.conf|\$)")
"""What has NATS read a file, which may name another folder (https://docs.nats.io/running-a-nats-service/configuration)."""
_KEEPER = regex(
    r"(?:^|[-_])(?:carts?|baskets?|wishlists?|sessions?|bookings?|reservations?|votes?|polls?|leaderboards?)(?:$|[-_])"
)
"""Names of programs after what their users put in."""
_OTHER_STORE = regex(r"DATABASE|POSTGRES|MYSQL|MARIADB|MONGO|DYNAMO|(?:^|_)DB_|SQL|DSN")
_TEMPORARY = regex(r"(?:^|[-_])(?:tests?|tmp|temp|ephemeral|ci|e2e)(?:$|[-_])")


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project with databases or brokers whose data no volume or folder holds."""
    declared = stacks.by_project(inventory.distinct_services)
    for project in inventory.projects:
        if environments.in_development_file(inventory, project.location.file):
            continue
        mine = declared.get(project.name, [])
        known = [(item, found) for item in mine if (found := services.product(inventory, item))]
        lost = [(item, kept_data.as_told(item, found)) for item, found in known if _loses(item, found)]
        for group in ([pair for pair in lost if pair[1].home], [pair for pair in lost if not pair[1].home]):
            if group:
                yield _evidence(inventory, project, group)
        for item in mine:
            if _is_forgetful_tracker(inventory, item):
                yield _of_tracker(item)
            if _is_forgetful_nats(inventory, item):
                yield _of_nats(item)
            found = services.product(inventory, item)
            if found and (mount := _in_temporary(item, found)):
                yield _of_temporary(item, found, mount)
            if found and found.kind == "cache" and _keeps_nothing(item, found):
                told = list(_of_queue(inventory, graph, item, found))
                yield from told or _of_only_store(inventory, item, found)


def _loses(service: Service, product: Product) -> bool:
    """Whether a database or broker keeps nothing, with no sign that it is meant to."""
    return product.kind in ("datastore", "broker") and _keeps_nothing(service, product)


def _keeps_nothing(service: Service, product: Product) -> bool:
    if not product.data or _TEMPORARY.search(service.name) or kept_data.is_copy(service):
        return False
    if environments.only_for_development(service) or not kept_data.loses_data(service, product):
        return False
    texts = [*service.command, *(entry.name for entry in service.environment if not _is_known_place(entry))]
    temporary = [mount.target for mount in service.mounts if mount.kind == "tmpfs"]
    meant = any(mounts.is_below(target, path) for target in temporary for path in (*product.data, product.home))
    return not meant and not any(_OTHER_PLACE.search(text) for text in texts)


def _is_known_place(entry: EnvironmentEntry) -> bool:
    """Whether a variable names the folder of the data itself, which has been looked at."""
    return entry.name == "PGDATA" and entry.value is not None and entry.value.text.startswith("/")


def _in_temporary(service: Service, product: Product) -> Mount | None:
    """The folder for temporary files of the host that holds the data of a database or broker."""
    if product.kind not in ("datastore", "broker") or _TEMPORARY.search(service.name):
        return None
    mount = None if environments.only_for_development(service) else kept_data.keeps_data(service, product)
    return mount if mount and mount.kind == "bind" and mount.source.startswith("/tmp/") else None  # noqa: S108


def _of_temporary(service: Service, product: Product, mount: Mount) -> Evidence:
    return Evidence(
        f"{specified(service.name, product.name)} keeps its data in {mount.source} of the host, a folder for temporary "
        "files: on most systems it is empty after a restart of the host.",
        mount.location,
        subject=f"{service.name}/temporary",
        service=service.name,
        recommendation=f"Mount a named volume of {service.name} at {mount.target} in place of {mount.source}, and copy "
        "the data into it.",
        severity=Severity.MEDIUM if product.kind == "broker" else None,
        confidence=Confidence.MEDIUM,
        example=compose_lines.named_volume(service, mount.target),
    )


def _is_forgetful_tracker(inventory: Inventory, service: Service) -> bool:
    """Whether MLflow keeps its runs and models in its own container, as it does unless it is told of a place."""
    commands = [set(command.words) for command in services.commands(inventory, service)]
    serves = any("mlflow" in words and words & {"server", "ui"} for words in commands)
    if not serves or kept_data.lasting(service) or environments.only_for_development(service):
        return False
    unread = services.lacks_env_file(inventory, service)
    texts = (*service.command, *(item.name for item in service.environment))
    told = any(_TRACKED_ELSEWHERE.search(text) for text in texts)
    return not (unread or told or _TEMPORARY.search(service.name))


def _of_tracker(service: Service) -> Evidence:
    return Evidence(
        f"{service.name} (MLflow) is told of no store and has no lasting volume: runs and models are gone with the "
        "container.",
        service.location,
        subject=f"{service.name}/runs",
        service=service.name,
        recommendation=f"Mount a named volume of {service.name}, and name it in --backend-store-uri and "
        "--artifacts-destination.",
        severity=Severity.MEDIUM,
        example=f"{compose_lines.named_volume(service, '/mlflow')}\n{_STORES}",
    )


def _is_forgetful_nats(inventory: Inventory, service: Service) -> bool:
    """Whether the streams of a NATS, which are in files unless somebody says otherwise, are in no volume."""
    words = [part for word in service.command for part in word.split()]
    told = any(_NATS_FILE.match(word) for word in words) or services.lacks_env_file(inventory, service)
    streams = service.image.partition(":")[0] in ("nats", "library/nats") and not {"-js", "--jetstream"}.isdisjoint(
        words
    )
    aside = environments.only_for_development(service) or _TEMPORARY.search(service.name)
    return streams and not (told or kept_data.lasting(service) or service.configs or aside)


def _of_nats(service: Service) -> Evidence:
    return Evidence(
        f"{service.name} (NATS) has JetStream keep streams, and no lasting volume: the messages, and how far they were "
        "taken, are gone with the container.",
        service.command_location or service.location,
        subject=f"{service.name}/streams",
        service=service.name,
        recommendation=f"Mount a named volume of {service.name} at /data, and add `--store_dir /data` to its command.",
        severity=Severity.MEDIUM,
        example=compose_lines.named_volume(service, "/data"),
    )


def _elsewhere(service: Service, product: Product) -> str:
    """The volume that was probably meant for the data, and why it doesn't hold it."""
    above = next((item for item in kept_data.lasting(service) if mounts.is_below(product.home, item.target)), None)
    if above and product.declared:
        return (
            f", {above.source or 'a volume'} is mounted at {above.target}, but the image declares a volume of its own "
            f"at {product.home}, which lies over it and is new with each container"
        )
    mount = next((mount for mount in service.mounts if mount.kind == "volume" and mount.source), None)
    return f", its volume {mount.source} is mounted at {mount.target}" if mount else ""


def _serves_brokers(inventory: Inventory, service: Service) -> bool:
    """Whether a ZooKeeper holds no more than what brokers know of themselves, which keep no data either.

    Brokers that keep theirs refuse to start without it: their cluster has another id then.
    """
    if "zookeeper" not in service.image:
        return False
    others = inventory.services_of(service.project).values()
    known = ((item, services.product(inventory, item)) for item in others)
    brokers = [(item, found) for item, found in known if found and found.kind == "broker"]
    return bool(brokers) and all(_keeps_nothing(item, found) for item, found in brokers)


def _evidence(inventory: Inventory, project: Project, lost: list[tuple[Service, Product]]) -> Evidence:
    parts = [f"{item.name} ({product.name}{_elsewhere(item, product)})" for item, product in lost]
    first, product = lost[0]
    brokers = all(product.kind == "broker" or _serves_brokers(inventory, item) for item, product in lost)
    return Evidence(
        f"{listed(parts)} {'keeps' if len(lost) == 1 else 'keep'} data in no lasting volume: it is gone with the "
        "container.",
        first.location,
        subject=f"{project.name}/ephemeral{'' if product.home else ' at an unknown folder'}",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} keeps nothing either", member=True) for item, _ in lost[1:]),
        recommendation=_advice(first, product),
        severity=Severity.MEDIUM if brokers else None,
        confidence=None if product.home else Confidence.MEDIUM,
        example=_kept(first, product),
    )


def _kept(service: Service, product: Product) -> str:
    """A volume; RabbitMQ finds its data again only under the name of the same host."""
    lines = compose_lines.named_volume(service, product.home or _UNKNOWN)
    named = product.name != "RabbitMQ" or service.hostname
    head = f"  {service.name}:\n"
    return lines if named else lines.replace(head, f"{head}    hostname: {service.name}\n", 1)


def _advice(service: Service, product: Product) -> str:
    where = f"at {product.home}" if product.home else "where its image keeps the data (see the image's documentation)"
    return f"Mount a named volume of {service.name} {where}, in {service.location.file}."


def _of_queue(inventory: Inventory, graph: DependencyGraph, store: Service, product: Product) -> Iterator[Evidence]:
    """A cache may forget, unless it is also the queue of tasks."""
    told = [(user, edge.location) for user, edge in durability.queue_users(inventory, graph, store)]
    if users := told or _waiting(inventory, store):
        names = listed(user.name for user, _ in users)
        idle = durability.is_idle(inventory, [user for user, _ in users])
        yield Evidence(
            f"{specified(store.name, product.name)} holds the queue of {names} in no lasting volume: tasks that wait "
            f"are gone with the container.{' No code of the repository asks for a task yet.' if idle else ''}",
            store.location,
            subject=f"{store.name}/queue",
            service=store.name,
            related=tuple(Related(place, f"{user.name} queues its tasks there") for user, place in users),
            recommendation=_advice(store, product),
            severity=Severity.LOW if idle else Severity.MEDIUM,
            confidence=Confidence.MEDIUM,
            example=compose_lines.named_volume(store, product.home or _UNKNOWN),
        )


def _of_only_store(inventory: Inventory, store: Service, product: Product) -> Iterator[Evidence]:
    """A cache may forget, unless a program named after what it keeps has no other store."""
    if not services.is_redis(inventory, store) or durability.redis_persistence(inventory, store) == "off":
        return
    keepers = [item for item in inventory.services_of(store.project).values() if _keeps_only(inventory, item, store)]
    if keepers:
        names = listed(item.name for item in keepers)
        verb = "has" if len(keepers) == 1 else "have"
        yield Evidence(
            f"{names} {verb} no other store than {specified(store.name, product.name)}, "
            f"which has no lasting volume: what {'it keeps' if len(keepers) == 1 else 'they keep'} there is gone with "
            "the container.",
            store.location,
            subject=f"{store.name}/only store",
            service=store.name,
            related=tuple(Related(item.location, f"{item.name} is given no other store") for item in keepers),
            recommendation=_advice(store, product),
            severity=Severity.MEDIUM,
            confidence=Confidence.MEDIUM,
            example=compose_lines.named_volume(store, product.home or _UNKNOWN),
        )


def _keeps_only(inventory: Inventory, service: Service, store: Service) -> bool:
    """Whether a program whose name says that it keeps something is given this store and no database."""
    if not service.build or not _KEEPER.search(service.name) or services.lacks_env_file(inventory, service):
        return False
    mine = inventory.services_of(store.project)
    named = {end.host for entry in service.environment for end in entry.endpoints}
    named |= {item.service for item in service.dependencies}
    others = (services.product(inventory, mine[name]) for name in named if name in mine and name != store.name)
    databases = any(found is not None and found.kind == "datastore" for found in others)
    told = any(_OTHER_STORE.search(entry.name) for entry in service.environment)
    return store.name in named and not (databases or told or kept_data.lasting(service))


def _waiting(inventory: Inventory, store: Service) -> list[tuple[Service, Location]]:
    """The workers that wait for the store, where no other service of the project could hold their queue."""
    mine = inventory.services_of(store.project)
    others = (services.product(inventory, item) for item in mine.values() if item.name != store.name)
    if any(found is not None and found.kind in ("broker", "cache") for found in others):
        return []
    return [
        (item, waits.location)
        for item in mine.values()
        for waits in item.dependencies
        if waits.service == store.name and durability.is_worker(inventory, item)
    ]
