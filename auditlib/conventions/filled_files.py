"""Files of which a command may make others with the values of variables, for programs that read a file as it stands."""

from __future__ import annotations

import posixpath
from itertools import chain

from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command

_FILLS = frozenset({"envsubst", "sed", "gomplate", "confd", "jinja2", "j2", "consul-template", "esh", "yq", "perl"})


def is_filled(inventory: Inventory, file: str) -> bool:
    """Whether some command may replace the variables of a file before its program reads it."""
    name = posixpath.basename(file)
    starting = (item for service in inventory.services for item in service.commands)
    by_name = any(_fills(item) and _is_named(item, name) for item in chain(deployment.commands(inventory), starting))
    return by_name or any(
        any(map(_fills, script.commands)) and any(_is_named(item, name) for item in script.commands)
        for script in inventory.scripts
    )


def _fills(command: Command) -> bool:
    return bool(command.words) and posixpath.basename(command.words[0]) in _FILLS


def _is_named(command: Command, name: str) -> bool:
    """Whether a command names a file, also to keep its path in a variable (`local output=…/alertmanager.yml`)."""
    return any(name in word for word in (*command.words, *command.writes))
