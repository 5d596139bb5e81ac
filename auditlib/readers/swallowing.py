"""Variables whose names take an underscore along that was meant as text: `$name_$date`.

Follows https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html; PowerShell reads names alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.delivery import Pair
from auditlib.model import Location
from auditlib.patterns import regex

_READ = regex(r"(?<![\\`$])\$(?P<name>[A-Za-z]\w{0,80}_)(?![\w:])")
_LINE = 2_000


def names(file: str, text: str, *, powershell: bool) -> Iterator[Pair]:
    """Each reading of a variable that ends in an underscore and is set nowhere, where the one without it is set."""
    found = [
        (match["name"], number)
        for number, line in enumerate(text.splitlines(), start=1)
        if "_" in line and not line.lstrip().startswith("#")
        for match in _READ.finditer(line[:_LINE])
        if not line.count("'", 0, match.start()) % 2  # in single quotes it is text, or another program's variable
    ]
    sets = {name: _is_set(text, name, powershell=powershell) for name, _ in found[:100]}
    for name, number in found[:100]:
        if not sets[name] and _is_set(text, name.rstrip("_"), powershell=powershell):
            yield Pair(name, "", Location(file, number))


def _is_set(text: str, name: str, *, powershell: bool) -> bool:
    """Whether a script gives a variable a value, by an assignment, a loop, or as one of its parameters."""
    if not powershell:
        form = rf"(?:^|[\s;&|(]){name}\+?=|\bfor\s+{name}\s+in\b|\bread\s[^\n;|&]{{0,100}}\b{name}\b"
    else:
        form = rf"\${name}[ \t]*[-+]?=(?!=)|\(\${name}\s+in\b|\]\${name}\b"
    return re.search(form, text, re.M | (re.I if powershell else 0)) is not None
