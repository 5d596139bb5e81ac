"""The lines that compose-lint's advice comes to, under the service that it is about."""

from __future__ import annotations

import itertools
import re
import textwrap

from auditlib.conventions import exporters
from auditlib.patterns import regex

_INDENTED = regex(r"\s+\S")
_PUBLIC = ("80:", "443:")
"""Ports of the host that a web server is likely to have for others."""
_BOUND = regex(r"127\.0\.0\.1:(?P<port>[\d:/a-z-]+)$", re.M)
_REMOVED = regex(r"^Remove '(?P<line>(?:pid|ipc): host)'")
_IMAGE = regex(r"image: (?P<image>\S+)")
_QUOTED = regex(r"'(?P<name>[^']+)'")
_BY_RULE = {
    "CL-0013": "volumes:\n  # without {name}, or with the one file of it that is read\n  - {name}/<file>:<its path>:ro",
    "CL-0001": "volumes:\n  # without {name}, or with the folders of it that are read\n  - <folder>:<its path>:ro",
    "CL-0005": 'ports:\n  - "127.0.0.1:{name}"  # unless other hosts are to reach it',
    "CL-0016": "{key}: [<those that stay without {name}>]  # if none does, without the whole block",
    "CL-0020": "environment:\n  {name}: ${{{name}:?set it in .env}}",
    "CL-0021": "environment:\n  {name}: <the address, with ${{PASSWORD:?set it in .env}} for its password>",
}
"""By rule the lines with what its text names in quotes."""
_PROXY = """{service}:
  environment:
    DOCKER_HOST: tcp://docker-proxy:2375  # or the option by which {service} is told
docker-proxy:
  # with a network of {service}, if it names any
  image: tecnativa/docker-socket-proxy:<version>
  environment: {{CONTAINERS: 1}}
  volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]"""
_BRIDGED = """{service}:
  # without network_mode; services of the same network ask {service}:{port}, and only others need
  ports:
    - "127.0.0.1:{port}:{port}\""""


def is_public(rule: str, fix: str) -> bool:
    """Whether the advice closes a port that a web server or a proxy is likely to have for others."""
    bound = _BOUND.search(fix) if rule == "CL-0005" else None
    return bool(bound and bound["port"].startswith(_PUBLIC))


def change(rule: str, fix: str) -> tuple[str, str]:
    """The line at fault and what stands there instead, where the advice says both."""
    if is_public(rule, fix):
        return "", ""
    bound = _BOUND.search(fix) if rule == "CL-0005" else None
    removed = _REMOVED.search(fix)
    return (bound["port"], bound[0]) if bound else (removed["line"], "") if removed else ("", "")


def example(rule: str, service: str, message: str, fix: str) -> str:
    """The lines of the advice, or what is to be written where it says so in words."""
    if is_public(rule, fix):
        return ""
    if rule == "CL-0008":
        return _BRIDGED.format(service=service, port=_port(service))
    if rule == "CL-0001" and "socket mounted" in message:
        return _PROXY.format(service=service)
    name = match["name"] if (match := _QUOTED.search(message)) else ""
    image = _IMAGE.search(fix)
    lines = own_lines(fix)
    if not lines and image:
        lines = f"image: {image['image']}"
    if not lines and name and rule in _BY_RULE:
        key = "device_cgroup_rules" if "device_cgroup_rules" in fix else "devices"
        lines = _BY_RULE[rule].format(name=name, service=service, key=key)
    return f"{service}:\n{textwrap.indent(lines, '  ')}" if lines else ""


def _port(service: str) -> str:
    """Where a service listens, if its name is that of a well-known program."""
    known = exporters.of_host(service, "")
    return next(iter(known.ports if known else ()), "<port>")


def own_lines(fix: str) -> str:
    """The lines of YAML below the first sentence; what follows them is for `compose-lint --explain`."""
    _, *rest = fix.split("\n")
    return textwrap.dedent("\n".join(itertools.takewhile(_INDENTED.match, rest)))
