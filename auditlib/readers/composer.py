"""composer.json of PHP: its scripts, with the commands of each.

Follows https://getcomposer.org/doc/articles/scripts.md: a script is a command or a list of them, `@php` starts the
interpreter, and `@name` another script or a command of Composer itself.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.inventory.delivery import Command, Manifest, ScriptTarget
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import shell
from auditlib.readers.json_positions import Document, Object, text
from auditlib.readers.reading import Reading, each
from auditlib.source import Source, Unreadable

KIND = "composer.json"

_EVENT = regex(r"(?:pre|post)-[a-z-]+$")
"""Scripts that Composer runs by itself."""
_CALLBACK = regex(r"[\w\\]+::\w+$")
_REFERENCE = regex(r"^@(?P<name>[\w:.-]+)")


def read(source: Source) -> Reading:
    """A Manifest of the kind `composer` for each composer.json with scripts."""
    return each(source, [path for path in source.files if posixpath.basename(path) == "composer.json"], KIND, _read)


def _read(source: Source, path: str) -> Iterator[Manifest]:
    document = Document(source, path)
    package = document.value
    if not isinstance(package, Object):
        raise Unreadable("is no JSON object")
    scripts = package.get("scripts")
    targets = _targets(source, document, scripts) if isinstance(scripts, Object) else ()
    yield Manifest(path, "composer", text(package, "name"), tuple(targets), (), "", (), Location(path))


def _targets(source: Source, document: Document, scripts: Object) -> Iterator[ScriptTarget]:
    places = document.places(scripts)
    for name, value in scripts.items():
        lines = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
        location = places.get(name, document.location(scripts))
        if not _EVENT.match(name):
            found = tuple(command for line in lines for command in _commands(source, line, location))
            yield ScriptTarget(name, found, source.vault.mask("\n".join(lines)), location)


def _commands(source: Source, line: str, location: Location) -> Iterator[Command]:
    if _CALLBACK.match(line):
        return
    text = _REFERENCE.sub(lambda match: "php" if match["name"] == "php" else f"composer {match['name']}", line)
    for command in shell.commands(text, location.file, location.line, source.vault):
        yield shell.at(command, location)
