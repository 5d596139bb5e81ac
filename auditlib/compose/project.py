"""The resolved project: its configuration, where each value of it came from, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from auditlib.compose import emit
from auditlib.compose.decode import EXTENSIONS
from auditlib.compose.errors import ComposeError, Path, in_order
from auditlib.compose.origins import Interpolated, Variable, collect_variables, interpolations_at
from auditlib.compose.session import Environment, Notice, Session
from auditlib.compose.tree import Map, Mark, Seq, at, lost
from auditlib.model import Location


class Project(Struct, frozen=True):
    """A Compose project as Docker Compose resolves it; made by `auditlib.compose.load`.

    Paths are the keys and list indices of `config()`: `project.location("services", "api", "ports", 0, "target")`.
    """

    name: str
    """The project's name."""
    files: tuple[str, ...]
    """Every file that was read, in the order of reading, as the caller names them."""
    profiles: tuple[str, ...]
    """The profiles that were enabled."""
    environment: Environment
    """The variables that interpolation saw, and where each was set."""
    resolved: Map
    """The enabled part of the project, decoded; `config()` is its written form."""
    everything: Map
    """The project with the services that no profile enabled and the resources that nothing uses."""
    session: Session
    model: Map
    """The project in long form before it was decoded; all there is of one that was not interpolated."""
    interpolated: bool = True

    def config(self, *, escaped: bool = True) -> dict[str, Any]:
        """Equal to `docker compose config --format json`. That doubles each `$`; `escaped=False` leaves them single."""
        self.check_json()
        plain = emit.as_json(self.resolved)
        return emit.escape_dollars(plain) if escaped else plain

    def check_json(self) -> None:
        """Compose cannot write everything as JSON that it can as YAML, and fails."""
        if self.session.strict and emit.has_infinite(self.resolved[EXTENSIONS]):
            raise ComposeError("a number that is infinite or none has no JSON form")
        for name, service in self.services.items() if self.session.strict else ():
            keys = service.get("build", {}).get("ssh", Seq())
            for (_, path), mark in keys.entries():
                if path:
                    place = self.session.sources.location(mark)
                    raise ComposeError(
                        "an SSH key with a path has no JSON form", place, ("services", name, "build", "ssh")
                    )

    def full_config(self) -> dict[str, Any]:
        """Like `config(escaped=False)` with disabled services, unused resources, models and extensions."""
        return emit.as_yaml(self.everything)

    def location(self, *path: str | int) -> Location | None:
        """Where the value at a path stands; `None` if Compose made it up or there is no such path.

        For a mapping or list that is the place of its key. A value from an env file stands in that file.
        """
        return self.session.sources.location(self.mark(path))

    def overridden(self, *path: str | int) -> tuple[Location, ...]:
        """The places of the values that lost to the one at a path, oldest first."""
        found = (self.session.sources.location(mark) for mark in lost(self.mark(path)))
        return tuple(place for place in found if place is not None)

    def interpolations(self, *path: str | int) -> tuple[Interpolated, ...]:
        """The variables of the text that the value at a path was made of, each with the place of its `$`."""
        return interpolations_at(self.session, self.mark(path))

    def text_at(self, place: Location) -> str:
        """The rest of the line at a place of one of the project's files, without a comment."""
        for source in self.session.sources.files:
            if source.name == place.file:
                line = source.text.split("\n", place.line)[place.line - 1]
                return line[place.column - 1 :].split(" #")[0].rstrip()
        return ""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable of the files: operators, defaults, every place of use, its value and where that came from."""
        return collect_variables(self.session)

    @property
    def services(self) -> Map:
        """The enabled services by name, decoded."""
        return self.resolved.get("services") or Map()

    @property
    def disabled(self) -> tuple[str, ...]:
        """The names of the services that a profile would enable and none did."""
        return tuple(sorted(set(self.everything.get("services") or ()) - set(self.services)))

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """What Compose accepts and warns of."""
        return tuple(self.session.warnings)

    @property
    def errors(self) -> tuple[ComposeError, ...]:
        """Everything that Compose would refuse; empty unless the project was loaded with `strict=False`."""
        return in_order(self.session.errors)

    def mark(self, path: Path) -> Mark:
        """The origin of the value at a path, in the enabled part of the project or else in all of it."""
        found = _find(self.resolved, path)
        return found if found is not None else _find(self.everything, path)


def _find(value: Any, path: Path) -> Mark:
    mark: Mark = None
    for part in path:
        key = part
        if isinstance(value, Map) and isinstance(part, str):
            if part not in value:
                key = next((k for k in (part.lower(), part.replace("$$", "$")) if k in value), part)
            if key not in value:
                return (
                    value["#extensions"].marks.get(part) if part.startswith("x-") and "#extensions" in value else None
                )
            mark, value = value.marks.get(str(key)), value[str(key)]
        elif isinstance(value, Seq) and isinstance(key, int) and -len(value) <= key < len(value):
            mark, value = value.marks[key], value[key]
        else:
            return None
    return mark if at(mark) is not None else None
