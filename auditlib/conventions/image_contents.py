"""Which well-known images lack the programs that health checks call.

Sources: the Dockerfiles of the images (https://github.com/docker-library for the official ones). The variants of a
language that are called `slim` hold neither curl nor wget; those built on Alpine have BusyBox's wget and no curl; the
plain ones hold both. None of them on Debian holds a `nc`, and the slim ones of Python and Node.js no `ps`. Nginx on
Debian holds curl alone, that of `alpine-slim` wget alone. Of an image that isn't listed here, or whose versions differ,
nothing is said.
"""

from __future__ import annotations

from auditlib.conventions import images
from auditlib.patterns import regex

WEB_CLIENTS = frozenset({"curl", "wget"})
BROUGHT_AS = {
    "nc": ("nc", "netcat-openbsd", "netcat", "ncat", "netcat-traditional", "nmap-ncat", "busybox"),
    "netcat": ("netcat", "netcat-openbsd", "netcat-traditional", "busybox"), "ncat": ("ncat", "ncat", "nmap"),
    "pgrep": ("pgrep", "procps", "busybox"), "ps": ("ps", "procps", "busybox"), "pkill": ("pkill", "procps", "busybox"),
}  # fmt: skip
"""By program the words that tell in a build that it is brought, its package on Debian second."""
_LANGUAGES = frozenset({"python", "node", "ruby", "golang", "rust", "php", "perl"})
_SLIM = regex(r"(?:^|-)slim(?:-|$)")
_ALPINE = regex(r"(?:^|-)alpine[\d.]*(?:-|$)")
_BARE = frozenset({"debian", "ubuntu", "redis", "postgres", "mongo", "valkey/valkey", "pgvector/pgvector"})
"""On Debian or Ubuntu, and without either."""
_NETCAT = frozenset({"nc", "netcat", "ncat"})
_PROCPS = frozenset({"pgrep", "ps", "pkill"})
_WITHOUT_PROCPS = frozenset({"python", "node"})
"""Languages whose slim variants have none of these; that of Ruby has."""
_BUSYBOX = frozenset({
    "alpine", "busybox", "prom/prometheus", "prom/alertmanager", "prom/node-exporter", "traefik", "caddy",
})  # fmt: skip
_NEITHER = frozenset({"scratch", "chromadb/chroma", "qdrant/qdrant"})
_PLAIN = _LANGUAGES | _BARE | {"alpine", "busybox", "eclipse-temurin", "openjdk", "oven/bun", "denoland/deno"}


def is_plain(image: str) -> bool:
    """Whether an image holds a language or a distribution, and no program of an application."""
    return images.repository(image) in _PLAIN


def is_empty(image: str) -> bool:
    """Whether an image has neither a shell nor a package manager; the variants for finding faults have a shell."""
    name = images.repository(image)
    return name == "scratch" or ("distroless" in name and "debug" not in images.tag(image))


def lacks(image: str, tool: str) -> bool:
    """Whether an image is known to hold no program `tool` that asks for something: a client, a shell, `pgrep`."""
    name, tag = images.repository(image), images.tag(image)
    if "@" in image and not tag and name in _LANGUAGES | _BARE | {"nginx"}:
        return False  # a digest doesn't tell which variant it is
    if tool not in WEB_CLIENTS:
        return _lacks_other(name, tag, tool)
    if name == "nginx":
        return tool == ("curl" if "alpine-slim" in tag else "" if "alpine" in tag or "$" in tag else "wget")
    if name in _NEITHER or "distroless" in name:
        return True
    on_alpine = bool(_ALPINE.search(tag)) and name in _LANGUAGES - {"php"} | _BARE
    if name in _BUSYBOX or on_alpine:
        return tool == "curl"
    return name in _BARE or (name in _LANGUAGES - {"php"} and bool(_SLIM.search(tag)))


def _lacks_other(name: str, tag: str, tool: str) -> bool:
    """The same for what isn't a client of the web; BusyBox, which is all of Alpine, has `nc`, `pgrep` and `ps`."""
    if name not in _LANGUAGES - {"php"} or "$" in tag:
        return tool == "bash" and name in ("alpine", "busybox")
    if _ALPINE.search(tag):
        return tool == "bash"
    return tool in _NETCAT or (tool in _PROCPS and name in _WITHOUT_PROCPS and bool(_SLIM.search(tag)))


def lacks_bash(image: str) -> bool:
    """Whether an image is known to be on Alpine and to hold no Bash; those of databases bring one."""
    name, tag = images.repository(image), images.tag(image)
    return name in ("alpine", "busybox") or (name in _LANGUAGES - {"php"} and bool(_ALPINE.search(tag)))


def missing_package(image: str, program: str) -> str:
    """The package that brings a program which an image is known to lack; empty where nothing is known."""
    name, tag = images.repository(image), images.tag(image)
    full = name in _LANGUAGES and not _SLIM.search(tag) and not _ALPINE.search(tag)
    if name not in _LANGUAGES - {"php"} | {"alpine", "debian", "ubuntu", "eclipse-temurin"}:
        return ""
    return "" if full and program in _IN_FULL else _PACKAGES.get(program, "")


_IN_FULL = frozenset({"git", "curl", "wget", "convert", "ssh", "scp", "gpg", "unzip", "make", "gcc"})
"""What the plain variants of the languages hold, which start from `buildpack-deps`."""
_PACKAGES = {
    "pg_dump": "postgresql-client", "pg_restore": "postgresql-client", "psql": "postgresql-client",
    "mysqldump": "default-mysql-client", "mysql": "default-mysql-client", "mongodump": "mongodb-database-tools",
    "redis-cli": "redis-tools", "ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "git": "git", "curl": "curl", "wget": "wget",
    "docker": "docker-ce-cli", "docker-compose": "docker-compose",
    "convert": "imagemagick", "tesseract": "tesseract-ocr",
    "pdftotext": "poppler-utils", "pdftoppm": "poppler-utils", "wkhtmltopdf": "wkhtmltopdf", "soffice": "libreoffice",
    "libreoffice": "libreoffice", "pandoc": "pandoc", "ssh": "openssh-client", "scp": "openssh-client",
    "rsync": "rsync", "gh": "gh", "kubectl": "kubectl", "nmap": "nmap", "dot": "graphviz", "exiftool": "exiftool",
    "smartctl": "smartmontools",
}  # fmt: skip
"""By program the package of Debian that brings it; none of them is part of the images named here."""
