"""What mends a Compose file that Compose refuses, by the loader's name of the fault."""

from __future__ import annotations

from auditlib.inventory.merging import Problem
from auditlib.patterns import regex
from auditlib.rules import _files as files

_NAME = regex(r"\w+ (?P<name>[\w.-]+) is not defined")
_SECTIONS = {"undefined-network": "networks", "undefined-volume": "volumes"}


def mending(fault: Problem) -> str:
    """The declaration that is missing, or how the next such fault is found before it is deployed."""
    name = match["name"] if (match := _NAME.search(fault.message)) else "<name>"
    if fault.code in _SECTIONS:
        return files.into(fault.location.file, f"{_SECTIONS[fault.code]}:\n  {name}:")
    if fault.code == "no-image":
        return files.into(fault.location.file, "image: <its image>:<version>   # or `build`")
    return f"docker compose -f {fault.location.file} config --quiet"
