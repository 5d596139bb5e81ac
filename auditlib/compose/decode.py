"""The long form read into typed, canonical values: every attribute has its one type, and nothing empty is kept.

Follows compose-go's `loader.Transform` (mapstructure with its hooks) and `processExtensions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.shapes import SECTIONS, Keyed, Many, One, Shape, Ulimits
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.compose.values import EMPTY, wrong

Fault = Callable[[str, Mark, Path], None]
EXTENSIONS = "#extensions"
"""The key under which an object's `x-…` entries are kept."""

SECRET_VALUE = "x-#value"  # noqa: S105 - a key, not a secret
"""Where the value of a secret from the environment is kept until then."""


class Object(Map):
    """A decoded object; `shape` knows its attributes."""

    __slots__ = ("shape",)

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def copy(self) -> Object:
        """A copy that may be changed without the original noticing."""
        out = Object(self.shape)
        out.update(self)
        out.marks = dict(self.marks)
        return out


class Decoder:
    """Decodes a normalised project. What cannot be read is reported and left out."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def project(self, project: Map) -> Map:
        """The sections of a project with every entry decoded, and its extensions."""
        out = Map()
        out.put("name", project.get("name"), project.marks.get("name"))
        for section, shape in SECTIONS.items():
            entries = project.get(section)
            if not isinstance(entries, Map):
                continue
            decoded = Map()
            for name in sorted(entries):
                mark = entries.marks.get(name)
                decoded.put(name, self._object(entries[name], shape, mark, (section, name)) or Object(shape), mark)
            out.put(section, decoded, project.marks.get(section))
        _keep_secrets(out)
        extensions = Map()
        for key in sorted(project):
            if key.startswith("x-"):
                extensions.put(key, project[key], project.marks.get(key))
        out.put(EXTENSIONS, extensions, None)
        return out

    def _object(self, value: Any, shape: Shape, mark: Mark, path: Path) -> Object | None:
        if value is None:
            return None
        if not isinstance(value, Map):
            self.fault(str(wrong("a mapping", value)), mark, path)
            return None
        out = Object(shape)
        for key, kind in shape.fields.items():
            if key in value:
                self._field(out, kind, value[key], value.marks.get(key, mark), (*path, key))
        if shape.extensions:
            self._extensions(out, value)
        return out

    def _field(self, out: Object, kind: Any, value: Any, mark: Mark, path: Path) -> None:
        if value is None:
            return
        try:
            decoded = kind(self._tidy(value), mark) if callable(kind) else self._nested(kind, value, mark, path)
        except RefusedError as error:
            self.fault(str(error), mark, path)
            return
        if decoded is not EMPTY:
            out.put(str(path[-1]), decoded, mark)

    def _tidy(self, value: Any) -> Any:
        """Entries named `x-…` in free mappings count as extensions, whatever the mapping is for."""
        if not isinstance(value, Map) or not any(key.startswith("x-") for key in value):
            return value
        out, extras = Map(), Map()
        for key, item in value.items():
            (extras if key.startswith("x-") else out).put(key, item, value.marks.get(key))
        out.put(EXTENSIONS, extras, None)
        return out

    def _nested(self, kind: Any, value: Any, mark: Mark, path: Path) -> Any:
        if isinstance(kind, One):
            found = self._object(value, kind.shape, mark, path)
            return EMPTY if found is None else found
        if isinstance(kind, Many):
            return self._many(kind.shape, value, path)
        if isinstance(kind, Ulimits):
            return self._ulimits(value, path)
        return self._keyed(kind, value, path)

    def _many(self, shape: Shape, value: Any, path: Path) -> Any:
        if not isinstance(value, Seq):
            raise wrong("a list", value)
        out = Seq()
        for index, (item, mark) in enumerate(value.entries()):
            found = self._object(item, shape, mark, (*path, index))
            if found is not None or item is None:
                out.add(found if found is not None else Object(shape), mark)
        return out or EMPTY

    def _keyed(self, kind: Keyed, value: Any, path: Path) -> Any:
        if not isinstance(value, Map):
            raise wrong("a mapping", value)
        tidy = value if path[-1] == "depends_on" else self._tidy(value)
        out = Map()
        for name in sorted(tidy):
            found = self._object(tidy[name], kind.shape, tidy.marks.get(name), (*path, name))
            if found is None and not kind.nullable:
                found = Object(kind.shape)
            out.put(name, found, tidy.marks.get(name))
        return out or EMPTY

    def _ulimits(self, value: Any, path: Path) -> Any:
        if not isinstance(value, Map):
            raise wrong("a mapping", value)
        out = Map()
        for name in sorted(value):
            mark = value.marks.get(name)
            try:
                out.put(name, _ulimit(value[name]), mark)
            except RefusedError as error:
                self.fault(str(error), mark, (*path, name))
        return out or EMPTY

    def _extensions(self, out: Object, value: Map) -> None:
        keys = sorted(key for key in value if key.startswith("x-"))
        if keys:
            out.put(EXTENSIONS, Map({k: value[k] for k in keys}, {k: value.marks.get(k) for k in keys}), None)


def _keep_secrets(project: Map) -> None:
    """A secret's value from the environment is no extension of it: it is not kept at all."""
    for secret in (project.get("secrets") or Map()).values():
        extensions = secret.get(EXTENSIONS)
        if extensions is not None and SECRET_VALUE in extensions:
            extensions.drop(SECRET_VALUE)
            if not extensions:
                secret.drop(EXTENSIONS)


def _ulimit(value: Any) -> Any:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if not isinstance(value, Map):
        raise wrong("a whole number or a mapping", value)
    limits = Map()
    for key in ("soft", "hard"):
        if key in value:
            if not isinstance(value[key], int) or isinstance(value[key], bool):
                raise wrong(f"a whole number for {key}", value[key])
            limits.put(key, value[key], value.marks.get(key))
    return limits
