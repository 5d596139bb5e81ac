"""Secrets that configuration files hold under their names: `password: …`, `secret_access_key = …`, `requirepass …`.

Only YAML, properties and INI-like files of programs are read, line by line, and of JSON the `appsettings.json` of .NET,
whose connection strings hold a password among their parts; files of Compose, of workflows and of environments have
readers of their own, and translations call every label of a form `password`.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from auditlib.inventory.configuration import FixedSecret
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import selection
from auditlib.readers.reading import Reading, location_at
from auditlib.redaction import is_credential_name
from auditlib.source import Source

FILE_LIMIT = 50
"""Secrets that are recorded of one file; a longer list is data."""

_ENDINGS = (".yml", ".yaml", ".properties", ".conf", ".cfg", ".ini", ".toml")
_ASSIGNED = regex(
    r"""^[ \t]*(?:-[ \t]+)?["']?(?P<name>[A-Za-z][\w.-]{0,80})["']?[ \t]*(?::[ \t]|=>?)[ \t]*
    (?:\[?"(?P<double>[^"\n]{4,300})"\]?|'(?P<single>[^'\n]{4,300})'|(?P<plain>[^\s"'#;,\[{|>&*!][^\s#;,]{3,300}))
    [ \t]*(?:[#;,].*)?$""",
    re.M | re.X,
)
_SPACED = regex(
    r"^[ \t]*(?P<name>requirepass|masterauth)[ \t]+"
    r"(?:\"(?P<double>[^\"\n]{1,300})\"|'(?P<single>[^'\n]{1,300})'|(?P<plain>[^\s\"'#][^\s]{0,300}))[ \t]*$",
    re.M,
)
"""How Redis and Valkey write theirs (https://redis.io/docs/latest/operate/oss_and_stack/management/config/)."""
_SCHEME = regex(r"^[ \t]*authorization:[ \t]*\n(?:[ \t]*(?:#.*|type:.*)?\n){0,4}[ \t]*\Z", re.M)
"""What stands before the `credentials` that Prometheus and Alertmanager send as a token."""
_SETTINGS = regex(r"(?:^|/)appsettings(?:\.[\w-]+)?\.json$")
"""https://learn.microsoft.com/aspnet/core/fundamentals/configuration/#appsettingsjson"""
_CONNECTION = regex(
    r"""^[ \t]*"(?P<name>[A-Za-z][\w.-]{0,80})"[ \t]*:[ \t]*"
    [^"\n]{0,300}?\b(?:Password|Pwd)[ ]*=[ ]*(?P<secret>[^";\n]{3,200})""",
    re.M | re.I | re.X,
)
_APP_PASSWORD = regex(r"[a-z]{4}(?: [a-z]{4}){3}")
"""The form of Google's passwords for programs, which alone hold spaces (https://support.google.com/mail/answer/185833)."""
_TELLING = regex(r"[a-z]{2,}(?:[-_ ][a-z]{2,}){0,4}[-_ ](?:password|passwd|secret|token|key)", re.I)
_EXPRESSION = regex(r"\$|[<{].*[>}]|%\(|__|^/|://|\.(?:pem|key|crt|json|txt)$")
_ELSEWHERE = regex(
    r"(?:^|[._/-])(?:compose|docker-compose)[\w.-]*\.ya?ml$|(?:^|/)\.github/|(?:^|/)(?:locales?|i18n|lang|translations?|"
    r"docs?|examples?|tests?|spec|fixtures|node_modules|vendor)/|messages[\w-]*\.properties$|openapi|swagger|"
    r"(?:^|/)(?:pyproject|Cargo|poetry)\.toml$|(?:^|/)(?:setup|tox)\.(?:cfg|ini)$|^\.[\w-]+\.ya?ml$"
)


def read(source: Source) -> Reading:
    """The named secrets of every configuration file. It reports no coverage: a file belongs to its format's reader."""
    reading = Reading()
    for path in source.files:
        if _SETTINGS.search(path) and not _ELSEWHERE.search(path):
            reading.records += islice(_connections(source, path), FILE_LIMIT)
        elif posixpath.splitext(path)[1] not in _ENDINGS or selection.is_template(path):
            continue
        if not _ELSEWHERE.search(path):
            reading.records += islice(_read(source, path), FILE_LIMIT)
    return reading


def _connections(source: Source, path: str) -> Iterator[FixedSecret]:
    """The passwords that stand in connection strings."""
    text = source.glance(path)
    for match in _CONNECTION.finditer(text):
        written = match["secret"].strip()
        value = source.vault.value("password", written)
        if value.secret and not value.placeholder and not _EXPRESSION.search(written):
            place = location_at(path, text, match.start("name"))
            yield FixedSecret(match["name"], value, place, in_code=False)


def _read(source: Source, path: str) -> Iterator[FixedSecret]:
    text = source.glance(path)
    starts: list[int] = []
    spaced_names = _SPACED.finditer(text) if path.endswith(".conf") else ()
    for match in (*_ASSIGNED.finditer(text), *spaced_names):
        name, written = match["name"], match["double"] or match["single"] or match["plain"]
        spaced = re.search(r"\s", written) and not _APP_PASSWORD.fullmatch(written)
        token = name == "credentials" and _SCHEME.search(text, max(0, match.start("name") - 300), match.start("name"))
        if (token or is_credential_name(name)) and not _EXPRESSION.search(written) and not spaced:
            starts = starts or [0, *(item.end() for item in re.finditer("\n", text))]
            value = source.vault.value("token" if token else name, written)
            line = bisect_right(starts, match.start("name"))
            if value.secret and not value.placeholder:
                place = Location(path, line, match.start("name") - starts[line - 1] + 1)
                told = _TELLING.fullmatch(written) is not None
                yield FixedSecret(name, value, place, in_code=False, tells_itself=told)
