"""The short syntax of a published port: `ip:host-range:container-range/protocol`.

Follows docker's `nat.ParsePortSpec`, with which Compose reads it.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from auditlib.compose.errors import UnparsedError


def parse_ports(spec: str) -> list[dict[str, Any]]:
    """The long form of a short port, one for each port of a range, in the order in which Compose lists them."""
    *rest, container = spec.split(":")
    host_ip, host = (":".join(rest[:-1]), rest[-1]) if rest else ("", "")
    container, protocol = _protocol(container)
    address = _address(host_ip)
    if not container:
        raise UnparsedError(f"expected a port, found {spec!r}")
    first, last = _range(container, "container port")
    host_first, host_last = _range(host, "host port") if host else (0, 0)
    if host and last != first and last - first != host_last - host_first:
        raise UnparsedError(f"port ranges of different length: {host} and {container}")
    if protocol.lower() not in ("tcp", "udp", "sctp"):
        raise UnparsedError(f"expected protocol tcp, udp or sctp, found {protocol!r}")
    ports = []
    for offset in range(last - first + 1):
        port: dict[str, Any] = {"mode": "ingress"}
        if address:
            port["host_ip"] = address
        port["target"] = first + offset
        if host:
            single = str(host_first + offset)
            port["published"] = f"{single}-{host_last}" if first == last and host_first != host_last else single
        port["protocol"] = protocol.lower()
        ports.append(port)
    return sorted(ports, key=lambda p: f"{p['target']}/{p['protocol']}")


def _protocol(container: str) -> tuple[str, str]:
    parts = container.split("/")
    if not parts[0]:
        return "", ""
    return parts[0], parts[1] if len(parts) > 1 and parts[1] else "tcp"


def _address(text: str) -> str:
    if text.startswith("["):
        inner, bracket, after = text[1:].partition("]")
        if not bracket or after:
            raise UnparsedError(f"expected an IP address, found {text!r}")
        text = inner
    elif ":" in text or "]" in text:
        raise UnparsedError(f"expected an IP address in brackets, found {text!r}")
    if text and not is_ip(text):
        raise UnparsedError(f"expected an IP address, found {text!r}")
    return text


def is_ip(text: str) -> bool:
    """Whether Go's `net.ParseIP` takes the text for an address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _range(text: str, what: str) -> tuple[int, int]:
    parts = text.split("-")
    numbers = [_number(part, what, text) for part in (parts[:2] if len(parts) > 1 else parts)]
    if numbers[-1] < numbers[0]:
        raise UnparsedError(f"expected an ascending range of ports, found {text!r}")
    return numbers[0], numbers[-1]


def _number(text: str, what: str, whole: str) -> int:
    if not (text.isascii() and text.isdigit()) or (len(text) > 9 and text.lstrip("0")[9:]) or int(text) > 65535:
        raise UnparsedError(f"expected a {what} from 0 to 65535, found {whole!r}")
    return int(text)
