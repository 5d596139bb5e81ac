"""The store of past runs. It knows no rules: a run is what was found, when, and at which commit."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from auditlib.errors import UsageError
from auditlib.runs.overview import overview
from auditlib.runs.sides import side
from auditlib.runs.store import LIMIT, WORDS, Contents, Store, Stored, before
from auditlib.source import Source

__all__ = ["LIMIT", "WORDS", "Contents", "Store", "Stored", "before", "default_folder", "overview", "side"]


def default_folder(project: Path) -> Path:
    """Where a project's runs are kept if nothing else is said: in the user's folder for state.

    That is `$XDG_STATE_HOME`, or `~/.local/state`, as in the XDG Base Directory Specification. A project is known by
    its page on its web host, so that every clone shares a history, and else by its own folder; what was kept by its
    folder goes along when it gains a web host.
    Raises ProjectError if the project can't be read, UsageError if there is no such folder.
    """
    source = Source(project)
    identity = source.origin or str(source.root)
    folder = _folder(identity, source.origin.rpartition("/")[2] or source.name)
    if source.origin:
        _move(_folder(str(source.root), source.name), folder)
    return folder


def _folder(identity: str, name: str) -> Path:
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return _state() / "auditlib" / "runs" / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', name)[:40]}-{digest}"


def _move(earlier: Path, folder: Path) -> None:
    """Take the runs along that were kept before the project had a web host; where that can't be, they stay."""
    with suppress(OSError):
        for path in sorted(earlier.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            path.rename(folder / path.name)
        earlier.rmdir()


def _state() -> Path:
    told = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(told):  # the specification says to ignore any other
        return Path(told)
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:
        raise UsageError("there is no home folder to keep a history in; name a folder with --history") from None
