"""`include`: another Compose project, with its own folder and env file, as a part of this one.

Follows compose-go's `loader/include.go`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from auditlib.compose.errors import ComposeError, Path, RefusedError
from auditlib.compose.floats import sprint
from auditlib.compose.gopath import join
from auditlib.compose.paths import is_remote
from auditlib.compose.session import Environment, Session, read_env_files
from auditlib.compose.tree import Map, Mark, Seq

_SECTIONS = ("services", "volumes", "networks", "secrets", "configs", "models")


class Place(Struct, frozen=True):
    """Where relative paths count from.

    `folder` is the absolute folder of the project, `relative` how the project that includes this one gets there
    (the same absolute folder at the top), `top` the folder of the whole project.
    """

    folder: str
    relative: str
    top: str

    def absolute(self, path: str) -> str:
        """A path of this project, absolute."""
        return path if os.path.isabs(path) else join(self.folder, path)

    def directory(self, path: str) -> str:
        """The folder of a path (or the path, if it is a folder) as seen from this project's folder."""
        full = self.absolute(path)
        if not os.path.isdir(full):
            full = self.absolute(os.path.dirname(path))
        return os.path.relpath(full, self.folder)


class Wanted(Struct, frozen=True):
    """One entry of `include`."""

    paths: tuple[str, ...]
    directory: str
    env_files: tuple[str, ...]
    mark: Mark


LoadProject = Callable[[tuple[str, ...], Place, Environment], Map]


def read_includes(value: Any, session: Session, mark: Mark) -> list[Wanted]:
    """The entries of `include`, in either syntax."""
    if value is None:
        return []
    if not isinstance(value, Seq):
        session.fault("expected a list of files to include", mark, ("include",))
        return []
    found = []
    for index, (item, here) in enumerate(value.entries()):
        try:
            found.append(_wanted(item, here))
        except RefusedError as error:
            session.fault(str(error), here, ("include", index))
    return found


def _wanted(item: Any, mark: Mark) -> Wanted:
    if isinstance(item, str):
        return Wanted((item,), "", (), mark)
    if not isinstance(item, Map):
        raise RefusedError(f"expected a path or a mapping, found {sprint(item)}")
    directory = item.get("project_directory") or ""
    if not isinstance(directory, str):
        raise RefusedError("project_directory: expected a path")
    return Wanted(_list(item, "path"), directory, _list(item, "env_file"), item.marks.get("path", mark))


def _list(item: Map, key: str) -> tuple[str, ...]:
    value = item.get(key)
    if value is None:
        return ()
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(p, str) for p in paths):
        raise RefusedError(f"{key}: expected a path or a list of paths")
    return tuple(paths)


class Include:
    """Loads what a document includes and adds it to the document."""

    def __init__(self, session: Session, load_project: LoadProject, place: Place, environment: Environment) -> None:
        self.session, self.load_project, self.place, self.environment = session, load_project, place, environment

    def run(self, document: Map, included: tuple[str, ...]) -> Map:
        """The document with what it includes in the place of `include`."""
        if "include" not in document:
            return document
        out = document.copy()
        for wanted in read_includes(document["include"], self.session, document.marks.get("include")):
            try:
                imported = self._load(wanted, included)
            except ComposeError as error:
                self.session.add(error, wanted.mark)
                continue
            if imported is not None:
                self._adopt(imported, out)
        out.drop("include")
        return out

    def _load(self, wanted: Wanted, included: tuple[str, ...]) -> Map | None:
        if not wanted.paths:
            return None
        for path in wanted.paths:
            if is_remote(path):
                self.session.fault(f"{path} is remote and was not fetched", wanted.mark, ("include",), "remote")
                return None
        paths = tuple(self.place.absolute(path) for path in wanted.paths)
        if paths[0] in included:
            chain = " -> ".join(self.session.sources.shown(p) for p in (*included, paths[0]))
            self.session.fault(f"include leads back to itself: {chain}", wanted.mark, ("include",), "cycle")
            return None
        folder, relative = self._folder(wanted, paths[0])
        for path in (*paths, folder):
            self.session.sources.guard(path)  # before the `.env` beside it, which nobody has named
        env_files = self._env_files(wanted, folder)
        found = read_env_files(self.session, ((f, wanted.mark) for f in env_files), self.environment)
        environment = self.environment.with_more(found.values, found.marks)
        return self.load_project(paths, Place(folder, relative, self.place.top), environment)

    def _folder(self, wanted: Wanted, main: str) -> tuple[str, str]:
        if not wanted.directory:
            return os.path.dirname(main), self.place.directory(main)
        if os.path.isabs(wanted.directory):
            return wanted.directory, wanted.directory
        return self._here(wanted.directory), self.place.directory(wanted.directory)

    def _here(self, path: str) -> str:
        """A path that Compose joins to the relative folder of the including project, seen from the top."""
        return (
            join(self.place.top, self.place.relative, path)
            if not os.path.isabs(self.place.relative)
            else join(self.place.relative, path)
        )

    def _env_files(self, wanted: Wanted, folder: str) -> list[str]:
        if wanted.env_files:
            return [f if os.path.isabs(f) else self._here(f) for f in wanted.env_files]
        default = join(folder, ".env")
        return [default] if self.session.sources.exists(default) and not os.path.isdir(default) else []

    def _adopt(self, imported: Map, out: Map) -> None:
        """Add the imported resources; one that is there already must be the same."""
        for section in _SECTIONS:
            entries = imported.get(section)
            if not isinstance(entries, Map):
                continue
            present = out.get(section)
            target = present.copy() if isinstance(present, Map) else Map()
            for name, entry in entries.items():
                mark = entries.marks.get(name)
                if name in target and not same(target[name], entry):
                    path: Path = (section, name)
                    self.session.fault(
                        "conflicts with the entry of the same name that is included", mark, path, "conflict"
                    )
                elif name not in target:
                    target.put(name, entry, mark)
            out.put(section, target, out.marks.get(section) or imported.marks.get(section))


def same(left: Any, right: Any) -> bool:
    """Equal in value and in type: `1` is not `true`."""
    if isinstance(left, Map) and isinstance(right, Map):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, Seq) and isinstance(right, Seq):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right)
