"""Slash paths cleaned and joined as Go's `path` package does, which the resolved project shows."""

from __future__ import annotations


def clean(path: str) -> str:
    """A slash path without `.`, `..` and doubled slashes, as Go's `path.Clean` makes it."""
    if not path:
        return "."
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", ".") and not (part == ".." and rooted):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def join(*parts: str) -> str:
    """Path parts joined and cleaned, as Go's `filepath.Join` does; an absolute part does not start anew."""
    said = [part for part in parts if part]
    return clean("/".join(said)) if said else ""
