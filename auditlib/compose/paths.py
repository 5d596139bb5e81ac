"""Relative paths made absolute, or relative to where a file is included or extended from.

Follows compose-go's `paths` package: `~` is the user's home, Windows paths and URLs stay as they are.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.gopath import join
from auditlib.compose.rules import Rewrite, Rules
from auditlib.compose.tree import Map, Mark
from auditlib.patterns import regex

Fault = Callable[[str, Mark, Path], None]
_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
_WINDOWS = regex(r"(?:.:[\\/]|[\\/]{2})", re.DOTALL)


def is_remote(path: str) -> bool:
    """Whether Compose would fetch this from a Git repository or a registry. Nothing here ever does."""
    if path.startswith(("oci://", "git://", "ssh://", "github.com/", "git@")):
        return True
    return bool(re.match(r"https?://[^#?]*\.git(?:[#?]|\Z)", path))


class Resolver:
    """Resolves the paths of a project against a folder. `follow` resolves symbolic links of watched paths."""

    def __init__(self, folder: str, home: str | None, fault: Fault, follow: Callable[[str], str]) -> None:
        self.folder, self.home, self.fault, self.follow = folder, home, fault, follow

    def run(self, project: Map) -> Map:
        """The project with its paths resolved."""
        return Rewrite(self._rules(), self.fault).run(project)

    def _rules(self) -> Rules:
        def text(act: Callable[[str], str]) -> Callable[[Any, Mark, Path], Any]:
            return lambda value, _mark, _path: act(value) if isinstance(value, str) else value

        return Rules(
            {
                "services.*.build.context": text(self._context),
                "services.*.build.additional_contexts.*": text(self._context),
                "services.*.build.ssh.*": text(self.unix),
                "services.*.env_file.*.path": text(self.absolute),
                "services.*.label_file.*": text(self.absolute),
                "services.*.extends.file": text(lambda p: p if is_remote(p) else self.absolute(p)),
                "services.*.develop.watch.*.path": text(lambda p: self.follow(self.absolute(p))),
                "services.*.volumes.*": self._volume,
                "configs.*.file": text(self.unix),
                "secrets.*.file": text(self.unix),
                "volumes.*": self._driver_options,
            }
        )

    def expand(self, path: str) -> str:
        """`~` at the start as the home folder."""
        return join(self.home, path[1:]) if path.startswith("~") and self.home is not None else path

    def absolute(self, path: str) -> str:
        """A path from the folder; nothing stays nothing."""
        path = self.expand(path)
        return path if posixpath.isabs(path) or not path else join(self.folder, path)

    def unix(self, path: str) -> str:
        """A path from the folder unless it is absolute on Linux or on Windows."""
        path = self.expand(path)
        return path if posixpath.isabs(path) or is_windows_absolute(path) else join(self.folder, path)

    def _context(self, path: str) -> str:
        if "://" in path or path.startswith(("service:", *_REMOTE)):
            return path
        return self.absolute(path)

    def _volume(self, value: Any, _mark: Mark, _path: Path) -> Any:
        if not isinstance(value, Map) or value.get("type") != "bind":
            return value
        source = value.get("source")
        if not isinstance(source, str):
            raise RefusedError("a bind mount needs a source")
        return _with(value, "source", self.unix(source))

    def _driver_options(self, value: Any, _mark: Mark, _path: Path) -> Any:
        """A local volume that is really a bind mount has a path in its `device` option."""
        options = value.get("driver_opts") if isinstance(value, Map) and value.get("driver") == "local" else None
        if not isinstance(options, Map) or options.get("o") != "bind" or not isinstance(options.get("device"), str):
            return value
        return _with(value, "driver_opts", _with(options, "device", self.unix(options["device"])))


def _with(value: Map, key: str, new: Any) -> Map:
    if value.get(key) == new:
        return value
    out = value.copy()
    out[key] = new
    return out


def is_windows_absolute(path: str) -> bool:
    """`C:\\…` or a UNC path; a host with Windows clients may have them."""
    return bool(_WINDOWS.match(path))


def follow_links(path: str) -> str:
    """A path with its first symbolic link replaced by what it points at."""
    current = "/"
    for part in path.split("/"):
        current = os.path.join(current, part) if part else current
        if part and os.path.islink(current):
            if not os.path.exists(current):
                raise RefusedError(f"the link {current} points nowhere")
            return path.replace(current, os.path.realpath(current), 1)
    return path
