"""Which variables a project uses, where each stands, and where its value came from."""

from __future__ import annotations

from msgspec import Struct

from auditlib.compose.session import Environment, Session, Use
from auditlib.compose.sources import Source
from auditlib.compose.template import Reference, references
from auditlib.compose.tree import Mark
from auditlib.model import Location


class Interpolated(Struct, frozen=True):
    """One `${VAR…}` in a file."""

    name: str
    operator: str
    """`:-`, `-`, `:+`, `+`, `:?`, `?`, or nothing for a plain variable."""
    argument: str
    """What follows the operator: the default, the replacement or the error message."""
    location: Location
    """The place of the `$`."""
    path: tuple[str | int, ...] = ()
    """The key path of the text that it stands in, as its file has it."""

    @property
    def default(self) -> str | None:
        """The text that stands in for a missing value, if there is one."""
        return self.argument if self.operator in ("-", ":-") else None

    @property
    def required(self) -> bool:
        """Whether Compose refuses to go on without a value."""
        return self.operator in ("?", ":?")


class Variable(Struct, frozen=True):
    """A variable with every place of its use."""

    name: str
    uses: tuple[Interpolated, ...]
    value: str | None
    """Its value in the environment or an env file; `None` if it is set in neither."""
    source: str
    """`environment`, `env-file`, `default` (unset, and every use says what stands in) or `unset`."""
    source_location: Location | None
    """The line of the env file, or of the first default."""

    @property
    def operator(self) -> str:
        """The operator of the first use."""
        return self.uses[0].operator

    @property
    def default(self) -> str | None:
        """The default of the first use that has one."""
        return next((use.default for use in self.uses if use.default is not None), None)

    @property
    def required(self) -> bool:
        """Whether some use insists on a value."""
        return any(use.required for use in self.uses)


def interpolations_at(session: Session, mark: Mark) -> tuple[Interpolated, ...]:
    """The variables in the text behind a mark."""
    found = session.sources.raw(mark)
    if found is None or "$" not in found[2]:
        return ()
    source, start, raw = found
    path = session.use_path(mark)
    if path is None:
        return ()
    return tuple(_placed(session, source, start, ref, path) for ref in references(raw))


def _placed(session: Session, source: Source, start: int, ref: Reference, path: tuple[str | int, ...]) -> Interpolated:
    place = session.sources.point(source.number, start + ref.start, ref.end - ref.start)
    return Interpolated(ref.name, ref.operator, ref.argument, place, path)


def collect_variables(session: Session) -> tuple[Variable, ...]:
    """Every variable, sorted by name."""
    uses: dict[str, dict[Location, Interpolated]] = {}
    seen: dict[str, Use] = {}
    for use in session.uses:
        for found in _uses(session, use):
            uses.setdefault(found.name, {}).setdefault(found.location, found)
            if found.name not in seen or seen[found.name].environment.get(found.name) is None:
                seen[found.name] = use
    return tuple(_variable(session, n, tuple(uses[n].values()), seen[n].environment) for n in sorted(uses))


def _uses(session: Session, use: Use) -> list[Interpolated]:
    raw = session.sources.raw(use.mark)
    if raw is None:
        return []
    source, start, text = raw
    return [_placed(session, source, start, ref, use.path) for ref in references(text)]


def _variable(session: Session, name: str, uses: tuple[Interpolated, ...], environment: Environment) -> Variable:
    value = environment.get(name)
    if value is not None:
        place = session.sources.location(environment.marks.get(name))
        return Variable(name, uses, value, "env-file" if place else "environment", place)
    defaults = [use for use in uses if use.default is not None]
    if len(defaults) == len(uses):
        return Variable(name, uses, None, "default", defaults[0].location)
    return Variable(name, uses, None, "unset", None)
