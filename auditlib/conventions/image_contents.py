"""Which well-known images lack the programs that health checks call.

Sources: the Dockerfiles of the images (https://github.com/docker-library for the official ones). The variants of a
language that are called `slim` hold neither curl nor wget; those built on Alpine have BusyBox's wget and no curl; the
plain ones hold both. Of an image that isn't listed here, or whose versions differ, nothing is said.
"""

from __future__ import annotations

from auditlib.conventions import images
from auditlib.patterns import regex

WEB_CLIENTS = frozenset({"curl", "wget"})
_LANGUAGES = frozenset({"python", "node", "ruby", "golang", "rust", "php", "perl"})
_SLIM = regex(r"(?:^|-)slim(?:-|$)")
_ALPINE = regex(r"(?:^|-)alpine[\d.]*(?:-|$)")
_BARE = frozenset({"debian", "ubuntu", "redis", "postgres", "mongo", "valkey/valkey", "pgvector/pgvector"})
"""On Debian or Ubuntu, and without either."""
_BUSYBOX = frozenset({"alpine", "busybox", "prom/prometheus", "prom/alertmanager", "prom/node-exporter", "traefik"})
_NEITHER = frozenset({"scratch", "chromadb/chroma", "qdrant/qdrant"})
_PLAIN = _LANGUAGES | _BARE | {"alpine", "busybox", "eclipse-temurin", "openjdk", "oven/bun", "denoland/deno"}


def is_plain(image: str) -> bool:
    """Whether an image holds a language or a distribution, and no program of an application."""
    return images.repository(image) in _PLAIN


def lacks(image: str, tool: str) -> bool:
    """Whether an image is known to hold no program `tool` (`curl` or `wget`)."""
    if tool not in WEB_CLIENTS:
        return False
    name, tag = images.repository(image), image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if name in _NEITHER or "distroless" in name:
        return True
    on_alpine = bool(_ALPINE.search(tag)) and name in _LANGUAGES - {"php"} | _BARE
    if name in _BUSYBOX or on_alpine:
        return tool == "curl"
    return name in _BARE or (name in _LANGUAGES - {"php"} and bool(_SLIM.search(tag)))
