"""What the settings and the rules of access of Spring applications say of how they take requests and end.

Follows https://docs.spring.io/spring-boot/reference/web/graceful-shutdown.html,
https://docs.spring.io/spring-boot/appendix/application-properties/ and
https://docs.spring.io/spring-boot/reference/actuator/endpoints.html#actuator.endpoints.security. The text is searched,
not parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.configuration import ServerTrait
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_SETTINGS = regex(r"(?:^|/)application(?:-[\w-]+)?\.(?:properties|ya?ml)$")
_TESTS = "src/test/"
_COMMENT = regex(r"(?m)^[ \t]*[#!][^\n]*")
_WAIT = regex(r"timeout-per-shutdown-phase\s*[:=]\s*[\"']?(?P<seconds>\d{1,4})s\b")
_GRACEFUL = regex(r"^(?:server\.|[ \t]+)shutdown[ \t]*[:=][ \t]*[\"']?graceful\b", re.M)
_USUAL_WAIT = 30
"""Seconds that each phase gets where nothing says otherwise."""
_BODY = regex(r"\bmax-file-size\s*[:=]\s*[\"']?(?P<size>\d{1,5})(?P<suffix>[KMG]B)\b")
_FORM = regex(r"\bmax-request-size\s*[:=]\s*[\"']?(?P<size>\d{1,5})(?P<suffix>[KMG]B)\b")
_FORM_OTHERWISE = regex(r"\bmax-?request-?size\b", re.I)
"""A size that isn't written as a number: no limit (`-1`), or one that a variable holds."""
_SIZES = {"KB": 2**10, "MB": 2**20, "GB": 2**30}
_TLS = regex(r"server\.ssl\.|^[ \t]{2,}key-store:", re.M)
_METRICS = regex(r"^management\.endpoints\.web\.exposure\.include\s*=[^\n]*(?:\bprometheus\b|\*)", re.M)
_EXPOSED = regex(
    r"^management\.endpoints\.web\.exposure\.include\s{0,9}=(?P<line>[^\n]*)|"
    r"\bexposure:[ \t]{0,9}\n[ \t]{1,20}include:(?P<value>[^\n#]{0,200}(?:\n[ \t]{1,20}-[^\n]{1,80}){0,20})",
    re.M,
)
"""Which endpoints of Actuator the web server has."""
_ACTUATOR = "spring-boot-starter-actuator"
_BUILD = regex(r"(?:^|/)(?:pom\.xml|[\w.-]*\.gradle(?:\.kts)?|libs\.versions\.toml|gradle\.properties)$")
_PARENT = regex(
    r"<parent>[^<]{0,99}(?:<(?!artifactId)\w{1,20}>[^<]{0,200}</\w{1,20}>\s{0,99}){0,4}<artifactId>\s*([\w.-]+)"
)
_PARENTS = frozenset({"spring-boot-starter-parent", "spring-boot-dependencies"})
_ACCESS = regex(r"/\w*Secur\w*\.(?:java|kt)$")
_PERMITS = regex(r"\w*[mM]atchers\([^)]{0,300}?/actuator/(?:prometheus|\*\*)\"[^)]{0,100}\)\s*\.permitAll\(")


def read(source: Source) -> Reading:
    """A trait for each thing that a file says; nothing of tests. It reports no coverage: others read these files."""
    settings = {path: _COMMENT.sub("", source.glance(path)) for path in source.files
                if _SETTINGS.search(path) and _TESTS not in path}  # fmt: skip
    reading = Reading([trait for path, text in settings.items() for trait in _traits(path, text)])
    reading.records += _unregistered(source)
    if any(_METRICS.search(text) for text in settings.values()):
        reading.records += _permitted(source)
    return reading


def _traits(path: str, text: str) -> Iterator[ServerTrait]:
    if match := _WAIT.search(text):
        yield ServerTrait("shutdown", int(match["seconds"]), location_at(path, text, match.start()))
    elif match := _GRACEFUL.search(text) if "timeout-per-shutdown-phase" not in text else None:
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        yield ServerTrait("shutdown", _USUAL_WAIT, location_at(path, text, start))
    for kind, pattern in (("body", _BODY), ("form", _FORM)):
        if match := pattern.search(text):
            size = int(match["size"]) * _SIZES[match["suffix"]]
            yield ServerTrait(kind, size, location_at(path, text, match.start()))
    if not _FORM.search(text) and (match := _FORM_OTHERWISE.search(text)):
        yield ServerTrait("unread form", 0, location_at(path, text, match.start()))
    if match := _EXPOSED.search(text):
        names = " ".join((match["line"] or match["value"] or "").replace(",", " ").split())
        at = match.start("line") if match["line"] else match.start("value")
        yield ServerTrait("exposed", 0, location_at(path, text, at), names)
    if match := _TLS.search(text):
        yield ServerTrait("tls", 0, location_at(path, text, match.start()))


def _unregistered(source: Source) -> Iterator[ServerTrait]:
    """The builds that list the Actuator, where none of the repository speaks of Prometheus, nor has a parent elsewhere
    than Spring's own.
    """
    texts = {path: source.glance(path) for path in source.files if _BUILD.search(path)}
    apart = any("prometheus" in text.lower() for text in texts.values())
    strange = any(name not in _PARENTS for text in texts.values() for name in _PARENT.findall(text))
    for path, text in texts.items() if not (apart or strange) else ():
        if (start := text.find(_ACTUATOR)) >= 0:
            yield ServerTrait("unregistered", 0, location_at(path, text, start))


def _permitted(source: Source) -> Iterator[ServerTrait]:
    """Where the rules of access let everybody read the metrics that an application publishes."""
    for path in source.files:
        text = source.glance(path) if _ACCESS.search(path) else ""
        if match := _PERMITS.search(text):
            yield ServerTrait("metrics", 0, location_at(path, text, match.start()), "/actuator/prometheus")
