"""Lines of Compose files that several rules advise to write, in the names of the repository."""

from __future__ import annotations

import itertools
import posixpath
import textwrap

from auditlib.conventions import exporters, published_images, services
from auditlib.conventions.exporters import Exporter
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Port, Service

_LOOKED_AT = 300


def of_service(service: Service, lines: str) -> str:
    """Lines of one service, below its name; nothing without lines."""
    return of_name(service.name, lines)


def of_name(name: str, lines: str) -> str:
    """Lines of a service that may not be there yet."""
    return f"{name}:\n{textwrap.indent(lines, '  ')}" if lines else ""


def new_service(inventory: Inventory, host: str) -> str:
    """A service that something asks by name, with the image that the name stands for and whom it has to ask."""
    known = exporters.of_host(host, "")
    told = published_images.told(known.name, _watched(inventory, known)) if known else ""
    lines = "\n".join(filter(None, (f"image: {published_images.image_for(host)}", told)))
    return f"services:\n{textwrap.indent(of_name(host, lines), '  ')}"


def _watched(inventory: Inventory, exporter: Exporter) -> Service | None:
    """The service that an exporter tells about; of a great many the first ones are looked at."""
    few = itertools.islice(inventory.distinct_services, _LOOKED_AT) if exporter.watches else ()
    found = ((item, services.product(inventory, item)) for item in few)
    return next((item for item, product in found if product and product.name in exporter.watches), None)


def waiting(service: Service, needed: str, condition: str) -> str:
    """All that a service waits for, one of it under this condition; a list knows no conditions, so it is a mapping."""
    waits = {item.service: item.condition for item in service.dependencies if not item.implicit} | {needed: condition}
    lines = "".join(f"\n  {name}: {{condition: {each}}}" for name, each in waits.items())
    return of_service(service, f"depends_on:{lines}")


def on_loopback(port: Port) -> tuple[str, str]:
    """A port in the short form, published to the host alone; nothing where it is written in another way."""
    if not port.host_port or port.host_ip:
        return "", ""
    plain = f"{port.host_port}:{port.target}"
    return plain, f"127.0.0.1:{plain}"


def mounted_at(mount: Mount, target: str) -> tuple[str, str]:
    """A mount in the short form, at another place of the container; another form has no such text."""
    mode = ":ro" if mount.read_only else ""
    return f":{mount.target}{mode}", f":{target}{mode}"


def mount_of(service: Service, source: str, target: str, mode: str = ":ro") -> str:
    """A file or folder of the repository at a place of a service's container."""
    path = posixpath.relpath(source, posixpath.dirname(service.location.file) or ".")
    shown = path if path.startswith(".") else f"./{path}"
    return of_service(service, f"volumes:\n  - {shown}:{target}{mode}")


def named_volume(service: Service, folder: str, content: str = "data") -> str:
    """A named volume for a folder of a service, and its declaration."""
    name = f"{service.name}-{content}"
    return f"services:\n  {service.name}:\n    volumes:\n      - {name}:{folder}\nvolumes:\n  {name}:"
