"""Tables of Compose projects."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.stack import Service
from auditlib.tables._facts import Facts, Row, at, joined, value


def services(facts: Facts) -> Iterator[Row]:
    """A row for each service."""
    for service in facts.inventory.services:
        node = facts.graph.service(service.project, service.name) or ""
        yield {
            **_who(service),
            "changed": service.changed_at is not None,
            "image": service.image,
            "build": service.build.dockerfile if service.build else "",
            "command": " ".join((*service.entrypoint, *service.command)),
            "profiles": joined(service.profiles),
            "layer": facts.layers.get(node),
            "depends_on": joined(item.service for item in service.dependencies),
            "ports": joined(f"{port.host_port or '?'}:{port.target}" for port in service.ports),
            "networks": joined(item.network for item in service.networks),
            "volumes": joined(dict.fromkeys(m.source for m in service.mounts if m.kind == "volume" and m.source)),
            "healthcheck": service.healthcheck is not None and not service.healthcheck.disabled,
            "restart": service.restart,
            "replicas": service.replicas,
            "cpu_limit": service.cpu_limit,
            "memory_limit": service.memory_limit,
            "log_driver": service.log_driver,
            "container_name": service.container_name,
            "user": service.user,
            "privileged": service.privileged,
            "read_only": service.read_only,
            "breaks": facts.broken_by.get(node, 0),
            **at(service.changed_at or service.location),
        }


def _who(service: Service) -> Row:
    return {"project": service.project, "service": service.name}


def ports(facts: Facts) -> Iterator[Row]:
    """A row for each published port."""
    for service in facts.inventory.services:
        for port in service.ports:
            yield {
                **_who(service),
                "host_ip": port.host_ip,
                "host_port": port.host_port,
                "container_port": port.target,
                "protocol": port.protocol,
                "public": not port.host_ip.startswith(("127.", "::1", "[::1]", "localhost")),
                **at(port.location),
            }


def mounts(facts: Facts) -> Iterator[Row]:
    """A row for each mount."""
    for service in facts.inventory.services:
        for mount in service.mounts:
            yield {
                **_who(service),
                "kind": mount.kind,
                "source": mount.source,
                "target": mount.target,
                "read_only": mount.read_only,
                "outside": mount.outside,
                **at(mount.location),
            }


def volumes(facts: Facts) -> Iterator[Row]:
    """A row for each named volume."""
    users: dict[str, dict[str, bool]] = {}
    for edge in facts.graph.edges_of("mounts"):
        writes = users.setdefault(edge.target, {})
        writes[edge.source] = writes.get(edge.source, False) or not edge.attributes["read_only"]
    for volume in facts.inventory.volumes:
        found = users.get(facts.graph.declared("volume", volume.project, volume.name) or "", {})
        yield {
            "project": volume.project,
            "volume": volume.name,
            "driver": volume.driver,
            "external": volume.external,
            "used_by": joined(sorted(facts.name(node) for node in found)),
            "writers": sum(found.values()),
            **at(volume.location),
        }


def networks(facts: Facts) -> Iterator[Row]:
    """A row for each network."""
    users: dict[str, dict[str, None]] = {}
    for edge in facts.graph.edges_of("joins"):
        users.setdefault(edge.target, {})[edge.source] = None
    for network in facts.inventory.networks:
        found = users.get(facts.graph.declared("network", network.project, network.name) or "", {})
        yield {
            "project": network.project,
            "network": network.name,
            "driver": network.driver,
            "external": network.external,
            "internal": network.internal,
            "services": joined(sorted(facts.name(node) for node in found)),
            **at(network.location),
        }


def healthchecks(facts: Facts) -> Iterator[Row]:
    """A row for each service."""
    for service in facts.inventory.services:
        check = service.healthcheck
        if check is None:
            yield {**_who(service), "defined": False, "disabled": False, **at(service.location)}
            continue
        yield {
            **_who(service),
            "defined": not check.disabled,
            "disabled": check.disabled,
            "test": " ".join(check.test),
            "interval": check.interval,
            "timeout": check.timeout,
            "retries": check.retries,
            "start_period": check.start_period,
            **at(check.location),
        }


def dependencies(facts: Facts) -> Iterator[Row]:
    """A row for each edge between services, declared or inferred."""
    for edge in facts.graph.edges_of("depends_on"):
        source, target = facts.graph.nodes[edge.source], facts.graph.nodes[edge.target]
        yield {
            "project": edge.attributes["overlay"] or source["project"],
            "service": source["name"],
            "needs": target["name"],
            "condition": edge.attributes["condition"],
            "required": edge.attributes["required"],
            "declared": edge.attributes["declared"],
            "inferred": edge.attributes["inferred"],
            "variable": edge.attributes.get("variable", ""),
            "healthcheck": target["healthcheck"],
            **at(edge.location),
        }


def profiles(facts: Facts) -> Iterator[Row]:
    """A row for each service and profile."""
    for service in facts.inventory.services:
        for profile in service.profiles:
            yield {**_who(service), "profile": profile, **at(service.profiles_location or service.location)}


def environment(facts: Facts) -> Iterator[Row]:
    """A row for each variable of each container."""
    for service in facts.inventory.services:
        for entry in service.environment:
            yield {
                **_who(service),
                "variable": entry.name,
                **value(entry.value),
                "interpolated": joined(entry.variables),
                "origin": entry.origin,
                **at(entry.location),
            }
