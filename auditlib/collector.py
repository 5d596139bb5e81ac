"""The garbage collector, held back where much is made that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Look for unreachable circles every hundred thousand objects, not every seven hundred.

    What the readers make is nearly all kept or has no circles: looking through it is a tenth of an audit's time.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
