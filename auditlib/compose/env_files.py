"""The variables and labels of a service together with those of its `env_file` and `label_file`.

Follows `WithServicesEnvironmentResolved` and `WithServicesLabelsResolved` of compose-go's `types/project.go`.
"""

from __future__ import annotations

from typing import Any

from auditlib.compose.decode import Object
from auditlib.compose.dotenv import DotenvError, parse, parse_raw
from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.session import Environment, Session, Use
from auditlib.compose.template import Lookup
from auditlib.compose.tree import Map, Mark, Seq, over, pack


class ServiceFiles:
    """Resolves the files of decoded services; files are read once however many services name them."""

    def __init__(self, session: Session, environment: Environment) -> None:
        self.session, self.environment = session, environment

    def resolve(self, name: str, service: Object) -> Object:
        """The service with the variables and labels of its files, and without the reference to them."""
        out = service.copy()
        self._environment(name, out)
        self._labels(name, out)
        out.drop("env_file")
        out.drop("label_file")
        return out

    def _environment(self, name: str, service: Object) -> None:
        own = service.get("environment") or Map()
        resolved = Map()
        for key, value in own.items():
            found = self.environment.get(key) if value is None else value
            resolved.put(key, found, own.marks.get(key))
        values: dict[str, str] = {k: v for k, v in resolved.items() if v is not None}
        marks: dict[str, Mark] = {}
        for index, entry in enumerate(service.get("env_file", ())):
            path: Path = ("services", name, "env_file", index)
            mark = entry.marks.get("path")

            def lookup(key: str) -> str | None:
                found = self.environment.get(key)
                return resolved.get(key) if found is None else found

            for key, place in self._read(entry, values, lookup, mark, path).items():
                marks[key] = over(place, marks.get(key))
        merged = Map()
        for key in sorted({*values, *resolved}):
            if key in resolved:
                merged.put(key, resolved[key], over(resolved.marks.get(key), marks.get(key)))
            else:
                merged.put(key, values[key], marks.get(key))
        if merged:
            service.put("environment", merged, service.marks.get("environment") or service.marks.get("env_file"))

    def _read(self, entry: Any, values: dict[str, str], lookup: Lookup, mark: Mark, path: Path) -> dict[str, Mark]:
        """Add a file's variables to `values`; the places at which they stand."""
        file, session = entry.get("path", ""), self.session
        found: dict[str, Mark] = {}
        try:
            if not session.sources.exists(file):
                if entry.get("required"):
                    session.fault(f"env file {session.sources.shown(file)} not found", mark, path, "missing-file")
                return found
            source = session.sources.read(file)
        except ComposeError as error:
            session.fault(error.reason, mark, path, error.kind)
            return found
        format_ = entry.get("format") or ".env"
        if format_ not in (".env", "raw"):
            session.fault(f"unknown format {format_!r}; known is raw", mark, path)
            return found
        try:
            items = parse_raw(source.text, values, lookup) if format_ == "raw" else parse(source.text, values, lookup)
            for item in items:
                place = pack(source.number, item.start, item.end)
                found[item.name] = over(place, found.get(item.name))
                if format_ != "raw" and "$" in item.raw and item.quote != "'":
                    seen = Environment(dict(values) | dict(self.environment.values), self.environment.marks)
                    session.uses.append(Use(item.raw, place, (*path, item.name), seen))
        except DotenvError as error:
            where = pack(source.number, max(error.offset, 0), max(error.offset, 0))
            session.fault(str(error), where, path, "env-file")
        return found

    def _labels(self, name: str, service: Object) -> None:
        files = service.get("label_file") or Seq()
        values: dict[str, str] = {}
        marks: dict[str, Mark] = {}
        for index, file in enumerate(files):
            entry = {"path": file, "required": True}
            known = dict(values)
            fresh: dict[str, str] = {}
            found = self._read(entry, fresh, known.get, files.marks[index], ("services", name, "label_file", index))
            values.update(fresh)
            marks.update(found)
        if not values:
            return
        own = service.get("labels") or Map()
        merged = Map()
        for key in sorted({*values, *own}):
            if key in own:
                merged.put(key, own[key], over(own.marks.get(key), marks.get(key)))
            else:
                merged.put(key, values[key], marks.get(key))
        service.put("labels", merged, service.marks.get("labels") or service.marks.get("label_file"))
