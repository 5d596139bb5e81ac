"""A secret is made by a command whose answer has two lines.

`openssl rand -base64` breaks its answer after 64 signs, which are 48 bytes. Pasted into an environment file, the rest
is a line of its own without a name: Compose refuses the file, or a program runs with a secret that is cut short.

Anti-pattern:

    # openssl rand -base64 64
    JWT_SECRET=

Better:

    # openssl rand -hex 32
    JWT_SECRET=

Recommendation:

    Make the secret in hexadecimal digits, which stay in one line, or of no more than 48 bytes.

References:

- https://docs.openssl.org/master/man1/openssl-rand/
- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NUMBER = regex(r"\d+")
_MOST = {"openssl": 48, "head": 57}
"""The bytes of which the program's line of Base64 is full: 64 signs, and 76 with `base64` of the GNU tools."""


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each template with the secrets that its comments have people make so."""
    for file in inventory.env_files:
        found = [line for line in file.lines if is_credential_name(line.name) and _is_broken(line.made_by)]
        if found:
            yield _evidence(file, found)


def _is_broken(command: str) -> bool:
    """Whether a command's answer takes more than a line."""
    number = _NUMBER.search(command.partition("-base64")[2] or command)
    return number is not None and int(number[0]) > _MOST.get(command.partition(" ")[0], 0)


def _evidence(file: EnvFile, found: list[EnvLine]) -> Evidence:
    first, *others = found
    names = listed(dict.fromkeys(line.name for line in found))
    return Evidence(
        f"{file.path} has people make {names} with `{first.made_by}`, which answers in two lines: in a file of "
        "variables the second has no name, so that the file is refused or the secret is cut short.",
        first.location,
        subject=file.path,
        related=tuple(Related(line.location, f"{line.name} too", member=True) for line in others),
        recommendation=f"Name `openssl rand -hex 32` in {file.path} instead, which answers in one line.",
        example=files.into(file.path, f"# openssl rand -hex 32\n{first.name}="),
    )
