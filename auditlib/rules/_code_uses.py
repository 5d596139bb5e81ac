"""One finding for what several files of code do alike."""

from __future__ import annotations

from collections.abc import Sequence

from auditlib.conventions.code_traits import Use
from auditlib.model import Related

_SHOWN = 12


def members(uses: Sequence[Use], says: str = "{word} here, too") -> tuple[Related, ...]:
    """The further places, each with the services that it is part of."""
    return tuple(
        Related(use.trait.location, says.format(word=use.trait.word) + _of(use), member=True) for use in uses[1:_SHOWN]
    )


def _of(use: Use) -> str:
    return f" ({', '.join(item.name for item in use.services)})" if use.services else ""


def first_service(uses: Sequence[Use]) -> str | None:
    """The service that a finding is shown with."""
    return next((item.name for use in uses for item in use.services), None)
