"""Where matplotlib keeps its settings and the list of fonts, in every process that draws."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import ExitStack

from auditlib import leftovers

_VARIABLE = "MPLCONFIGDIR"


def find_folder() -> None:
    """Give matplotlib a temporary folder where it can't write to its usual ones, as it would complain on stderr."""
    if _VARIABLE in os.environ or all(map(_can_write, _usual_folders())):
        return
    kept = ExitStack()
    os.environ[_VARIABLE] = str(kept.enter_context(leftovers.temporary("matplotlib")))
    atexit.register(kept.close)


def _usual_folders() -> tuple[str, ...]:
    """https://matplotlib.org/stable/install/environment_variables_faq.html"""
    home = os.path.expanduser("~")
    if not sys.platform.startswith(("linux", "freebsd")):
        return (os.path.join(home, ".matplotlib"),)
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(settings, "matplotlib"), os.path.join(cache, "matplotlib")


def _can_write(folder: str) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
