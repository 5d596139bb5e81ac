"""Kafka is to keep more copies than it has brokers.

A topic with a replication factor of 3 can't be made on one broker. The broker starts and answers all the same: it is
the first consumer group that fails, since Kafka makes the topic of its offsets with three copies unless it is told
otherwise. `min.insync.replicas` above the number of brokers lets producers wait in vain.

Anti-pattern:

    services:
      kafka:
        image: confluentinc/cp-kafka:7.7.1
        environment:
          KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092     # one broker, and no word on its offsets

Better:

    services:
      kafka:
        image: confluentinc/cp-kafka:7.7.1
        environment:
          KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092
          KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1

Recommendation:

    Set the replication factors to the number of brokers at most, and run three brokers where messages must not be lost.

References:

- https://docs.confluent.io/platform/current/installation/docker/config-reference.html
- https://kafka.apache.org/documentation/#brokerconfigs_offsets.topic.replication.factor
- https://kafka.apache.org/documentation/#brokerconfigs_min.insync.replicas
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OFFSETS = "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"
_COPIES = regex(r"^KAFKA_(?:CFG_)?(?:\w+_REPLICATION_FACTOR|(?:TRANSACTION_STATE_LOG_)?MIN_(?:ISR|INSYNC_REPLICAS))$")
_FOR_ALL = regex(r"_(?:OFFSETS_TOPIC|DEFAULT)_REPLICATION_FACTOR$|KAFKA_(?:CFG_)?MIN_(?:ISR|INSYNC_REPLICAS)$")
"""What each consumer or producer needs; the others are for transactions and the like alone."""
_IDENTITIES = ("KAFKA_NODE_ID", "KAFKA_CFG_NODE_ID", "KAFKA_BROKER_ID", "KAFKA_CFG_BROKER_ID")
_HOST = regex(r"(?:^|[,@])(?:\d+@)?([^,@:/\s]+):\d+")
"""The hosts of `1@kafka1:9093,2@kafka2:9093` and `zookeeper1:2181,zookeeper2:2181/kafka`."""
_OF_JVM = regex(r"_OPTS$|_JMX_|_LOG4J_")
_ASKED = regex(r"--replication-factor[ =](?P<number>\d)\b")
_BY_VARIABLES = frozenset({"confluentinc/cp-kafka", "confluentinc/cp-server", "apache/kafka", "apache/kafka-native"})
"""Images that take no setting but those of their variables; Bitnami's has settings for one broker."""
_DOCUMENTED = "confluentinc/"
_USUAL = 3
"""The copies of the offsets that Kafka makes by itself."""


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each project with brokers of Kafka of which a setting or a command asks for more copies than they can keep."""
    for project in inventory.base_projects:
        mine = [item for name in inventory.family(project.name) for item in inventory.services_of(name).values()]
        brokers = {item.name: item for item in mine if _is_broker(inventory, item)}
        aside = environments.in_development_file(inventory, project.location.file)
        if not brokers or aside or any(_is_of_more(inventory, item, mine) for item in brokers.values()):
            continue
        number = sum(item.replicas if item.replicas is not None else 1 for item in brokers.values())
        for broker in brokers.values():
            if found := _unmet(broker, number):
                yield _of_settings(broker, found, number)
                break
            if number < _USUAL and _is_silent(inventory, broker):
                yield _of_offsets(broker, number)
                break
        yield from _of_commands(mine, number)


def _is_broker(inventory: Inventory, service: Service) -> bool:
    """Whether a service is one of Kafka's brokers, and no client of them in the same image, nor a controller alone."""
    found = services.product(inventory, service)
    if found is None or found.name != "Kafka" or "redpanda" in service.image or service.build:
        return False
    roles = _text(service, "KAFKA_PROCESS_ROLES") or _text(service, "KAFKA_CFG_PROCESS_ROLES")
    words = " ".join((*service.entrypoint, *service.command))
    client = "kafka-topics" in words or "--bootstrap-server" in words
    told = any(item.name.startswith(("KAFKA_", "KRAFT_")) for item in service.environment) or service.env_files
    return (not roles or "broker" in roles) and not client and bool(told or not words)


def _is_of_more(inventory: Inventory, broker: Service, mine: list[Service]) -> bool:
    """Whether a broker belongs to a cluster of more hosts than this one."""
    told = inventory.variables_of.get((broker.project, broker.name), ())
    if any(item.target.endswith(_IDENTITIES) for item in told):
        return True
    voters = _text(broker, "KAFKA_CONTROLLER_QUORUM_VOTERS") or _text(broker, "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS")
    keepers = _text(broker, "KAFKA_ZOOKEEPER_CONNECT") or _text(broker, "KAFKA_CFG_ZOOKEEPER_CONNECT")
    here = {name for item in mine for name in (item.name, item.hostname, item.container_name) if name}
    here |= {"localhost", "127.0.0.1"} | {name for item in mine for each in item.networks for name in each.aliases}
    hosts = _HOST.findall(f"{voters},{keepers}")
    return any("$" in host or host not in here for host in hosts)


def _text(service: Service, name: str) -> str:
    return next((item.value.text for item in service.environment if item.name == name and item.value), "")


def _unmet(broker: Service, number: int) -> list[EnvironmentEntry]:
    """The variables that ask for more copies than there are brokers."""
    asked = (item for item in broker.environment if _COPIES.match(item.name) and item.value)
    return [item for item in asked if item.value and item.value.text.isdigit() and int(item.value.text) > number]


def _is_silent(inventory: Inventory, broker: Service) -> bool:
    """Whether a broker is told by variables, and nothing of how many copies of the offsets to keep."""
    named = (item.name for item in broker.environment if item.name.startswith("KAFKA_"))
    given = [name for name in named if not _OF_JVM.search(name)]
    told = any(mount.target.endswith((".properties", "/config", "/etc/kafka")) for mount in broker.mounts)
    told = told or bool(broker.configs) or services.lacks_env_file(inventory, broker)
    plain = images.repository(broker.image) in _BY_VARIABLES and not broker.entrypoint and not broker.command
    return plain and bool(given) and _OFFSETS not in given and not told


def _of_settings(broker: Service, found: list[EnvironmentEntry], number: int) -> Evidence:
    first, *others = found
    names = listed(item.name for item in found)
    values = "\n".join(f"  {item.name}: {number}" for item in found)
    return Evidence(
        f"{broker.name} is told of {names}, more than the {_brokers(number)} of the project can keep: Kafka refuses to "
        "make such topics, or to take what producers want confirmed by all.",
        first.location,
        subject=f"{broker.name}/copies",
        service=broker.name,
        related=tuple(Related(item.location, f"{item.name} is more too", member=True) for item in others),
        severity=None if any(_FOR_ALL.search(item.name) for item in found) else Severity.MEDIUM,
        recommendation=f"Set {names} of {broker.name} to {number}, or run more brokers.",
        example=compose_lines.of_service(broker, f"environment:\n{values}"),
    )


def _of_offsets(broker: Service, number: int) -> Evidence:
    sure = images.repository(broker.image).startswith(_DOCUMENTED)
    unless = "" if sure else ", unless the settings of the image count beside its variables"
    return Evidence(
        f"{broker.name} isn't told how many copies of the offsets to keep, so that it wants {_USUAL} and has "
        f"{_brokers(number)}: no consumer group can begin{unless}.",
        broker.location,
        subject=f"{broker.name}/offsets",
        service=broker.name,
        recommendation=f"Set {_OFFSETS} of {broker.name} to {number}.",
        confidence=None if sure else Confidence.MEDIUM,
        example=compose_lines.of_service(broker, f"environment:\n  {_OFFSETS}: {number}"),
    )


def _of_commands(mine: list[Service], number: int) -> Iterator[Evidence]:
    """Services that make topics with too many copies."""
    for service in mine:
        asked = [int(match["number"]) for match in _ASKED.finditer(" ".join((*service.entrypoint, *service.command)))]
        if asked and max(asked) > number:
            yield _of_topics(service, max(asked), number, service.command_location or service.location)


def _of_topics(service: Service, asked: int, number: int, place: Location) -> Evidence:
    return Evidence(
        f"{service.name} makes topics with {asked} copies, and the project has {_brokers(number)}: Kafka refuses them.",
        place,
        subject=f"{service.name}/topics",
        service=service.name,
        recommendation=f"Let {service.name} ask for {counted(number, 'copy', 'copies')} at most, or run more brokers.",
        example=f"--replication-factor {number}",
    )


def _brokers(number: int) -> str:
    return counted(number, "broker")
