"""Compose projects as nodes and edges: services and all that they declare."""

from __future__ import annotations

from auditlib.graph._builder import Builder
from auditlib.inventory.stack import Port, Service


def declare(builder: Builder) -> None:
    """Name everything that belongs to a project."""
    inventory = builder.inventory
    for service in inventory.distinct_services:
        builder.declare("service", service.project, service.name)
    for service in inventory.services:
        for profile in service.profiles:
            builder.declare("profile", builder.base.get(service.project) or service.project, profile)
    for volume in inventory.volumes:
        builder.declare("volume", volume.project, volume.name)
    for network in inventory.networks:
        builder.declare("network", network.project, network.name)
    for item in inventory.file_objects:
        builder.declare(item.kind, item.project, item.name)


def add(builder: Builder) -> None:
    """Add all services first, in the order of the files, then what they use."""
    inventory = builder.inventory
    for project in inventory.projects:
        builder.graph.hosts.add_project(project)
    for service in inventory.distinct_services:
        _add_service(builder, service)
    _add_objects(builder)
    for service in inventory.services:
        node = builder.id("service", service.project, service.name)
        if node is not None:
            overlay = service.project if builder.base.get(service.project) else ""
            _add_images(builder, service, node, overlay)
            _add_storage(builder, service, node, overlay)
            _add_surroundings(builder, service, node, overlay)
            _add_dependencies(builder, service, node, overlay)


def _add_service(builder: Builder, service: Service) -> None:
    node = builder.scoped(
        "service", service.project, service.name, service.location,
        project=service.project, base=builder.base.get(service.project, ""), image=service.image,
        built=service.build is not None, profiles=service.profiles, replicas=service.replicas, restart=service.restart,
        healthcheck=service.healthcheck is not None and not service.healthcheck.disabled,
        aliases=tuple(name for name in (service.container_name, service.hostname) if name),
    )  # fmt: skip
    builder.graph.hosts.add_service(service, node)


def _add_objects(builder: Builder) -> None:
    for volume in builder.inventory.volumes:
        builder.scoped(
            "volume", volume.project, volume.name, volume.location, project=volume.project, external=volume.external
        )
    for network in builder.inventory.networks:
        builder.scoped(
            "network", network.project, network.name, network.location,
            project=network.project, external=network.external, internal=network.internal,
        )  # fmt: skip
    for item in builder.inventory.file_objects:
        builder.scoped(item.kind, item.project, item.name, item.location, project=item.project, source=item.source)


def _add_images(builder: Builder, service: Service, node: str, overlay: str) -> None:
    if service.image:
        image = builder.shared("image", service.image, None, built=service.build is not None)
        builder.edge(node, image, "runs", service.image_location, overlay=overlay)
    if build := service.build:
        target = f"#{build.target}" if build.target else ""
        name = service.image or (build.context if build.outside else build.dockerfile or build.context) + target
        image = builder.shared("image", name, None, built=True)
        builder.edge(
            node, image, "builds", build.location,
            context=build.context, dockerfile=build.dockerfile, stage=build.target, overlay=overlay,
        )  # fmt: skip


def _add_storage(builder: Builder, service: Service, node: str, overlay: str) -> None:
    for mount in service.mounts:
        target = None
        if mount.kind == "volume" and mount.source:
            target = builder.id("volume", service.project, mount.source)
        elif mount.kind == "bind":
            target = builder.shared("bind_path", mount.source, None, outside=mount.outside)
        if target is not None:
            builder.edge(
                node, target, "mounts", mount.location, path=mount.target, read_only=mount.read_only, overlay=overlay
            )
    for kind, names in (("secret", service.secrets), ("config", service.configs)):
        for name in names:
            if (target := builder.id(kind, service.project, name)) is not None:
                builder.edge(node, target, "mounts", service.location, path="", read_only=True, overlay=overlay)


def _add_surroundings(builder: Builder, service: Service, node: str, overlay: str) -> None:
    for attachment in service.networks:
        network = builder.id("network", service.project, attachment.network)
        if network is not None:
            builder.edge(node, network, "joins", attachment.location, aliases=attachment.aliases, overlay=overlay)
    for port in service.ports:
        if port.host_port:
            host_port = builder.shared("host_port", _port_name(port), None)
            builder.edge(node, host_port, "publishes", port.location, container_port=port.target, overlay=overlay)
    for profile in service.profiles:
        place = service.profiles_location or service.location
        owner = builder.base.get(service.project) or service.project
        target = builder.scoped("profile", owner, profile, place, project=owner)
        builder.edge(node, target, "gated_by", place, overlay=overlay)


def _port_name(port: Port) -> str:
    ip = f"{port.host_ip}:" if port.host_ip not in ("", "0.0.0.0", "::") else ""  # noqa: S104 - nothing is bound here
    return ip + port.host_port + ("" if port.protocol in ("", "tcp") else f"/{port.protocol}")


def _add_dependencies(builder: Builder, service: Service, node: str, overlay: str) -> None:
    for dependency in service.dependencies:
        needed = builder.id("service", service.project, dependency.service)
        if needed is not None:
            builder.edge(
                node, needed, "depends_on", dependency.location,
                condition=dependency.condition, required=dependency.required, implicit=dependency.implicit,
                declared=True, inferred=False, overlay=overlay,
                namespace=service.network_mode == f"service:{dependency.service}",
            )  # fmt: skip
