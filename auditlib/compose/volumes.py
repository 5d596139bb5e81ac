"""The short syntax of a service's volume: `source:target:options`.

Follows compose-go's `format/volume.go`.
"""

from __future__ import annotations

from typing import Any

from auditlib.compose.errors import UnparsedError

_PROPAGATION = frozenset(("rprivate", "private", "rshared", "shared", "rslave", "slave"))


def parse_volume(spec: str) -> dict[str, Any]:
    """The long form of a short volume; absent fields are left out."""
    size = len(spec.encode())
    if size == 0:
        raise UnparsedError("expected a volume, found an empty text")
    if size <= 2:
        return {"type": "volume", "target": spec}
    parts = _sections(spec)
    if "" in parts:
        raise UnparsedError(f"invalid volume {spec!r}: empty section between colons")
    if len(parts) > 3:
        raise UnparsedError(f"invalid volume {spec!r}: too many colons")
    volume: dict[str, Any] = {}
    options: dict[str, Any] = {}
    source, target = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    read_only, extra = _options(parts[2].split(",") if len(parts) == 3 else [])
    options.update(extra)
    volume["type"] = "bind" if is_path(source) else "volume"
    if source:
        volume["source"] = source
    volume["target"] = target
    if read_only:
        volume["read_only"] = True
    if volume["type"] == "bind":
        options.setdefault("bind", {})["create_host_path"] = True
    else:
        options.setdefault("volume", {})
    return {**volume, **options}


def _options(words: list[str]) -> tuple[bool, dict[str, Any]]:
    read_only, extra = False, dict[str, Any]()
    for word in words:
        if word in ("ro", "rw"):
            read_only = word == "ro"
        elif word == "nocopy":
            extra["volume"] = {"nocopy": True}
        elif word in _PROPAGATION:
            extra.setdefault("bind", {})["propagation"] = word
        elif word in ("z", "Z"):
            extra.setdefault("bind", {})["selinux"] = word
    return read_only, extra


def _sections(spec: str) -> list[str]:
    """Split at colons, but neither within `${…}` nor after a Windows drive letter."""
    parts: list[str] = []
    buffer, depth = "", 0
    for index, char in enumerate(spec):
        if char == "$" and spec[index + 1 : index + 2] == "{":
            depth += 1
            buffer += char
        elif char == "}" and depth:
            depth -= 1
            buffer += char
        elif char == ":" and not depth and not (len(buffer) == 1 and buffer.isalpha()):
            parts.append(buffer)
            buffer = ""
        else:
            buffer += char
    return [*parts, buffer]


def is_path(source: str) -> bool:
    """Whether a volume's source is a path on the host rather than a volume's name."""
    if not source:
        return False
    return (
        source[0] in "./~"
        or source.startswith("\\\\")
        or (len(source) > 1 and source[0].isalpha() and source[1] == ":")
    )
