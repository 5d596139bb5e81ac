"""pom.xml: the plugins of the build, and the version of Java that the code is compiled for.

Follows https://maven.apache.org/pom.html. The file is searched, not parsed, so that no entity of it is ever expanded.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.delivery import Manifest, Requirement
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each, location_at
from auditlib.source import Source

KIND = "pom.xml"

_ASIDE = regex(r"<!--.*?-->|<pluginManagement>.*?</pluginManagement>", re.S)
_PLUGIN = regex(r"<plugin>\s*(?:<groupId>[^<]*</groupId>\s*)?<artifactId>\s*(?P<name>[\w.-]+)\s*</artifactId>")
_JAVA = regex(r"<(?P<tag>java\.version|maven\.compiler\.(?:release|target))>\s*(?:1\.)?(?P<version>\d+)\s*</(?P=tag)>")


def read(source: Source) -> Reading:
    """A Manifest of the kind `maven` for each pom.xml, its plugins as requirements of the group `plugin`."""
    return each(source, [path for path in source.files if posixpath.basename(path) == "pom.xml"], KIND, _read)


def _read(source: Source, path: str) -> Iterator[Manifest]:
    text = _ASIDE.sub(lambda match: "\n" * match[0].count("\n"), source.text(path))
    plugins = tuple(
        Requirement(match["name"], "", "plugin", location_at(path, text, match.start("name")))
        for match in _PLUGIN.finditer(text)
    )
    java = _JAVA.search(text)
    yield Manifest(
        path=path,
        kind="maven",
        name="",
        targets=(),
        requirements=plugins,
        runtime=f">={java['version']}" if java else "",
        tools=(),
        location=Location(path, text.count("\n", 0, java.start()) + 1 if java else 1),
    )
