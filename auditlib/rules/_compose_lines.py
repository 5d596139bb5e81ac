"""Lines of Compose files that several rules advise to write, in the names of the repository."""

from __future__ import annotations

import textwrap

from auditlib.conventions import exporters, published_images, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service


def of_service(service: Service, lines: str) -> str:
    """Lines of one service, below its name; nothing without lines."""
    return of_name(service.name, lines)


def of_name(name: str, lines: str) -> str:
    """Lines of a service that may not be there yet."""
    return f"{name}:\n{textwrap.indent(lines, '  ')}" if lines else ""


def new_service(inventory: Inventory, host: str) -> str:
    """A service that something asks by name, with the image that the name stands for and whom it has to ask."""
    known = exporters.of_host(host, "")
    watched = [item for product in (known.watches if known else ()) for item in services.of_product(inventory, product)]
    told = published_images.told(known.name, watched[0] if watched else None) if known else ""
    lines = "\n".join(filter(None, (f"image: {published_images.image_for(host)}", told)))
    return f"services:\n{textwrap.indent(of_name(host, lines), '  ')}"


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


def named_volume(service: Service, folder: str, content: str = "data") -> str:
    """A named volume for a folder of a service, and its declaration."""
    name = f"{service.name}-{content}"
    return f"services:\n  {service.name}:\n    volumes:\n      - {name}:{folder}\nvolumes:\n  {name}:"
