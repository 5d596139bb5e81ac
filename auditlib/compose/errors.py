"""What Compose would reject, said so that a person finds the place: file, line, column, key and what was expected."""

from __future__ import annotations

from auditlib.model import Location

Path = tuple[str | int, ...]
"""The keys and list indices that lead to a value, from the top of the project."""


def dotted(path: Path) -> str:
    """A key path as a person writes it: `services.api.ports[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


class ComposeError(ValueError):
    """A project that Docker Compose would refuse.

    `errors` holds every fault of the project, each a `ComposeError` of its own with `location` (where it stands),
    `path` (the key path in the resolved project) and `reason`. A single fault holds just itself.
    """

    def __init__(
        self,
        reason: str,
        location: Location | None = None,
        path: Path = (),
        kind: str = "invalid",
        errors: tuple[ComposeError, ...] = (),
    ) -> None:
        self.reason = reason
        self.location = location
        self.path = path
        self.kind = kind
        self.errors = errors or (self,)
        super().__init__("\n".join(str(e) for e in errors) if errors else self._sentence())

    def _sentence(self) -> str:
        where = f"{self.location.file}:{self.location.line}:{self.location.column}: " if self.location else ""
        what = f"{dotted(self.path)}: " if self.path else ""
        return f"{where}{what}{self.reason}"


class RefusedError(Exception):
    """Raised inside a stage for one value; the stage's walker knows the place and turns it into a `ComposeError`."""


class UnparsedError(RefusedError):
    """A short syntax that cannot be taken apart; where nothing is interpolated, it may be an open variable."""


class OutsideRootError(ComposeError):
    """A file outside the root that the caller allowed to be read."""


def together(errors: list[ComposeError]) -> ComposeError:
    """One error to raise for all that were found."""
    if len(errors) == 1:
        return errors[0]
    ordered = in_order(errors)
    first = ordered[0]
    return ComposeError(first.reason, first.location, first.path, first.kind, ordered)


def in_order(errors: list[ComposeError]) -> tuple[ComposeError, ...]:
    """Errors by file and line, those without a place first."""

    def key(error: ComposeError) -> tuple[str, int, int]:
        place = error.location
        return (place.file, place.line, place.column) if place else ("", 0, 0)

    return tuple(sorted(errors, key=key))
