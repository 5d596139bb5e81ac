"""Whether Git would take in a file that somebody writes, as its `.gitignore` files have it."""

from __future__ import annotations

import posixpath
from functools import lru_cache

import pathspec

from auditlib.inventory import Inventory
from auditlib.listing import ignore_spec


def left_out_by(inventory: Inventory, path: str) -> str:
    """The `.gitignore` that leaves a path out, which is a folder if it ends with a slash; empty if none does."""
    known = {item.path: item for item in inventory.git_ignores}
    parts = path.rstrip("/").split("/")
    for end in range(1, len(parts) + 1):  # what is in a folder that is left out can't come back
        part = "/".join(parts[:end])
        is_folder = end < len(parts) or path.endswith("/")
        for depth in range(end - 1, -1, -1):
            folder = "/".join(parts[:depth])
            item = known.get(posixpath.join(folder, ".gitignore"))
            inside = part[len(folder) + 1 :] if folder else part
            said = _spec(item.patterns).check_file(inside + "/" * is_folder).include if item else None
            if said is not None:
                if said and item:
                    return item.path
                break
    return ""


def names_below(inventory: Inventory, folder: str) -> bool:
    """Whether a `.gitignore` leaves out something in a folder by its name (`data/*.db`)."""
    for item in inventory.git_ignores:
        home = posixpath.dirname(item.path)
        for pattern in item.patterns:
            if not pattern.startswith(("!", "#")):
                path = posixpath.join(home, pattern.strip().lstrip("/"))
                if path.startswith(f"{folder}/") and path.strip("/") != folder:
                    return True
    return False


@lru_cache(maxsize=256)
def _spec(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    return ignore_spec(patterns)
