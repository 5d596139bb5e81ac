"""How a variable is read in the place of a value that stands in a file, by the kind of the file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from auditlib.compose.discovery import is_compose_file
from auditlib.conventions.secrets import Sighting
from auditlib.patterns import regex
from auditlib.rules import _files as files

_READING = {
    "py": 'os.environ["{}"]', "js": "process.env.{}", "mjs": "process.env.{}", "ts": "process.env.{}",
    "tsx": "process.env.{}", "sh": '"${{{}:?}}"', "go": 'os.Getenv("{}")', "rb": 'ENV.fetch("{}")',
    "php": "getenv('{}')", "java": 'System.getenv("{}")', "properties": "${{{}}}",
}  # fmt: skip
_UNNAMED = "SECRET"
_SPRING = regex(r"(?:^|/)(?:application|bootstrap)[\w-]*\.ya?ml$")


def reading(name: str, file: str, *, of_compose: bool = False) -> str:
    """What stands in a file instead of the value of a variable."""
    wanted = re.sub(r"\W+", "_", name).upper() if "." in name else name or _UNNAMED
    if of_compose or is_compose_file(posixpath.basename(file)):
        return f"{wanted}: ${{{wanted}:?set it in .env}}"
    if ".env" in file:
        return f"{wanted}="
    spring = _SPRING.search(file) is not None
    pattern = _READING.get("properties" if spring else file.rpartition(".")[2].lower())
    return pattern.format(wanted) if pattern else f"<the value of {wanted}, filled in when the program starts>"


def can_read(file: str) -> bool:
    """Whether what stands in a file, or the program that reads it, can take a value from the environment."""
    kind = file.rpartition(".")[2].lower()
    return kind in _READING or kind == "ini" or ".env" in file or is_compose_file(posixpath.basename(file))


def everywhere(items: Iterable[Sighting], usual: str = "") -> str:
    """The same for all places of a secret, each by its own name or the usual one."""
    found = {
        item.location.file: reading(
            item.name or usual, item.location.file, of_compose=item.kind in ("default", "literal")
        )
        for item in items
    }
    return "\n".join(files.into(file, line) for file, line in found.items())


def required(names: Iterable[str]) -> str:
    """Variables of a service that Compose demands."""
    return "environment:" + "".join(f"\n  {name}: ${{{name}:?set it in .env}}" for name in names)
