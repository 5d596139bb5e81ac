"""Reads what files for Traefik set, static or dynamic: YAML and TOML.

Follows https://doc.traefik.io/traefik/reference/install-configuration/configuration-options/ and
https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/file/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from auditlib.inventory.proxy import TraefikSetting
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import reading, selection
from auditlib.readers.nodes import location
from auditlib.source import Source
from auditlib.yamltree import Node

KIND = "traefik"
_DEPTH = 8
_SECTIONS = ("entrypoints", "certificatesresolvers", "providers", "api", "http", "tcp", "tls", "serverstransport")
_SHOWN = regex(
    r"(?:^|\.)(?:rule|entrypoints|middlewares|service|certresolver|storage|address|insecure|exposedbydefault|network|to|"
    r"scheme|permanent|minversion|dashboard|filename|directory|certfile|keyfile|url|entrypoint|caserver)$"
)
"""Paths whose value is no secret."""
_FILE = regex(
    r"^(?:entryPoints|certificatesResolvers|http|tcp|tls|providers|api)\s*:|^\[+(?:entryPoints|http|tls|tcp)\b", re.M
)
_TABLE = regex(r"^\s*\[+\s*([\w.\"'@-]{1,200})\s*\]+\s*(?:#.*)?$")
_PAIR = regex(r"^\s*([\w-]{1,80})\s*=\s*(\S[^\n]{0,500})$")


def read(source: Source) -> reading.Reading:
    """Every setting of files that speak of entry points, resolvers, routers or middlewares of Traefik."""
    words = (
        "entryPoints:",
        "certificatesResolvers:",
        "  routers:",
        "  middlewares:",
        "loadBalancer:",
        "weighted:",
        "[entryPoints",
        "[http.",
        "certFile:",
        "[tls",
    )
    found = selection.containing(source, (*selection.YAML, "*.toml"), *words)
    return reading.each(source, (file for file in found if _FILE.search(source.text(file))), KIND, _read)


def _read(source: Source, file: str) -> Iterator[Any]:
    if file.endswith(".toml"):
        yield from _of_toml(source, file)
        return
    for document in source.yaml(file):
        if document.is_mapping and not document.get("kind"):
            for key, value in document.items():
                if key.text.lower() in _SECTIONS:
                    yield from _of_node(file, key.text.lower(), key, value, 0)


def _of_node(file: str, path: str, key: Node, node: Node, depth: int) -> Iterator[TraefikSetting]:
    if node.is_mapping and depth < _DEPTH:
        yield TraefikSetting(path, "", location(key, file))
        for name, value in node.items():
            yield from _of_node(file, f"{path}.{name.text.lower()}", name, value, depth + 1)
    else:
        texts = ",".join(item.text for item in node.texts()[:50])
        yield TraefikSetting(path, texts if _SHOWN.search(path) else "", location(key, file))


def _of_toml(source: Source, file: str) -> Iterator[TraefikSetting]:
    table = ""
    for number, line in enumerate(source.lines(file), 1):
        if match := _TABLE.match(line[:300]):
            table = match[1].replace('"', "").replace("'", "").lower()
            yield TraefikSetting(table, "", Location(file, number))
        elif match := _PAIR.match(line[:600]):
            path = f"{table}.{match[1].lower()}".strip(".")
            value = ",".join(re.findall(r"[^\[\]\"',\s]+", match[2]))
            yield TraefikSetting(path, value if _SHOWN.search(path) else "", Location(file, number))
