"""Kafka creates any topic that somebody names, though a job creates them as they are meant.

A misspelt name, or a client that is faster than the job, makes a topic with the broker's defaults: one partition and
no copy. The producer gets no error, the consumer waits at the other topic, and `--if-not-exists` leaves the wrong one
as it is.

Anti-pattern:

    kafka:
      environment: {KAFKA_AUTO_CREATE_TOPICS_ENABLE: "true"}
    kafka-init:
      command: kafka-topics --create --if-not-exists --topic orders --partitions 6 --bootstrap-server kafka:9092

Better:

    kafka:
      environment: {KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false"}

Recommendation:

    Switch the creation of topics by clients off where a job creates them.

References:

- https://kafka.apache.org/documentation/#brokerconfigs_auto.create.topics.enable
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SWITCH = regex(r"KAFKA_(?:CFG_)?AUTO_CREATE_TOPICS_ENABLE")
_MAKES_TOPICS = regex(r"debezium|connect|ksql|maxwell")
_CREATES = regex(r"\bkafka-topics(?:\.sh)?\b.*\s--create\b")


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Kafka that is told to create topics, in a project where a service creates them by a command."""
    for service in inventory.distinct_services:
        switch = next((item for item in service.environment if _is_on(item)), None)
        job = _creator(inventory, service) if switch and not _is_relied_on(inventory, service) else None
        if switch and job:
            yield _evidence(service, switch, *job)


def _is_on(entry: EnvironmentEntry) -> bool:
    told = entry.value is not None and entry.value.text.lower() == "true"
    return told and _SWITCH.fullmatch(entry.name) is not None


def _is_relied_on(inventory: Inventory, broker: Service) -> bool:
    """Whether a program of the project makes topics for the tables that it finds, as Debezium does."""
    mine = inventory.services_of(broker.project).values()
    return any(_MAKES_TOPICS.search(f"{item.image} {item.name}") for item in mine)


def _creator(inventory: Inventory, broker: Service) -> tuple[Service, Location] | None:
    """The service of the same project that creates topics, with the command."""
    for service in inventory.services_of(broker.project).values():
        for command in service.commands:
            if _CREATES.search(" ".join(command.words)):
                return service, command.location
    return None


def _evidence(broker: Service, switch: EnvironmentEntry, job: Service, place: Location) -> Evidence:
    return Evidence(
        f"{broker.name} creates any topic that a client names ({switch.name}), though {job.name} creates those that "
        "there are to be: a misspelt name makes one more, without an error.",
        switch.location,
        subject=f"{broker.project}/{broker.name}",
        service=broker.name,
        related=(Related(place, f"{job.name} creates topics"),),
        recommendation=f'Set {switch.name} of {broker.name} to "false".',
        example=compose_lines.of_service(broker, f'environment:\n  {switch.name}: "false"'),
    )
