"""Variables, environment files and settings as nodes and edges."""

from __future__ import annotations

from auditlib.graph._builder import Builder
from auditlib.inventory.stack import Service


def declare(builder: Builder) -> None:
    """Name the settings, which belong to the file that reads them."""
    for setting in builder.inventory.settings:
        builder.declare("setting", setting.location.file, setting.name)


def add(builder: Builder) -> None:
    """Add who sets a variable and who reads it."""
    _add_env_files(builder)
    for service in builder.inventory.services:
        node = builder.id("service", service.project, service.name)
        if node is not None:
            _add_service(builder, service, node)
    _add_interpolation(builder)
    for setting in builder.inventory.settings:
        node = builder.scoped(
            "setting", setting.location.file, setting.name, setting.location, file=setting.location.file,
            required=setting.required, default_kind=setting.default_kind,
        )  # fmt: skip
        builder.edge(
            node, builder.shared("env_var", setting.name), "reads_env", setting.location, required=setting.required
        )


def _add_env_files(builder: Builder) -> None:
    for file in builder.inventory.env_files:
        node = builder.shared("env_file", file.path, file.location, template=file.template, exists=True)
        for line in file.lines:
            if line.name:
                variable = builder.shared("env_var", line.name)
                builder.edge(node, variable, "sets_env", line.location, commented=line.commented)


def _add_service(builder: Builder, service: Service, node: str) -> None:
    overlay = service.project if builder.base.get(service.project) else ""
    for entry in service.environment:
        variable = builder.shared("env_var", entry.name)
        if entry.value is None:
            builder.edge(node, variable, "reads_env", entry.location, required=False, operator="", overlay=overlay)
        else:
            builder.edge(node, variable, "sets_env", entry.location, origin=entry.origin, overlay=overlay)
    for reference in service.env_files:
        exists = reference.path in builder.inventory.file_set
        file = builder.shared("env_file", reference.path, None, template=False, exists=exists)
        builder.edge(node, file, "reads_env", reference.location, required=reference.required, overlay=overlay)


def _add_interpolation(builder: Builder) -> None:
    for variable in builder.inventory.variables:
        node = builder.id("service", variable.project, variable.service) if variable.service else None
        target = builder.shared("env_var", variable.name)
        if node is not None:
            overlay = variable.project if builder.base.get(variable.project) else ""
            builder.edge(
                node, target, "reads_env", variable.location,
                required=variable.operator in (":?", "?"), operator=variable.operator, overlay=overlay,
            )  # fmt: skip
