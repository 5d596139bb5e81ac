"""The garbage collector, held back for a program that ends soon."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Look for unreachable circles every hundred thousand objects, not every seven hundred.

    Modules and records stay, and a syntax tree has no circles: looking through them finds nothing.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
