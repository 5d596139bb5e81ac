"""Below which path a program of NestJS has all its routes, and what of its code answers beside them.

Follows https://docs.nestjs.com/faq/global-prefix and https://docs.nestjs.com/techniques/versioning. The text is
searched, not parsed.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.configuration import ServerTrait
from auditlib.patterns import Words, regex
from auditlib.readers.reading import Reading, location_at
from auditlib.readers.settings import is_test
from auditlib.source import Source

_CODE = (".ts", ".js", ".mjs")
_PREFIX = regex(
    r"(?m)^[ \t]*\w+\.setGlobalPrefix\(\s*[\"'`]/?(?P<path>[\w-]{1,30}(?:/[\w-]{1,30}){0,3})/?[\"'`]\s*,?\s*\)"
)
_BESIDE = regex(
    r"(?m)^(?![ \t]*(?://|\*)).{0,200}?(?:getHttpAdapter\(|useStaticAssets\(|\bServeStaticModule\b|\.use\(\s*[\"'`]/|"
    r"\b(?:express|[Ff]astify|createServer)\(|setGlobalPrefix\([^()\n]{1,80},\s*\{)"
)
"""What answers, or may, to paths without the prefix: static pages, the server below, what the prefix leaves out."""
_HINTS = Words(
    "setGlobalPrefix(", "getHttpAdapter(", "useStaticAssets(", "ServeStaticModule", ".use(", "express(", "astify(",
    "createServer(",
)  # fmt: skip


def read(source: Source) -> Reading:
    """A trait `prefix` for each program that has one, and `beside` for what answers without it; nothing of tests."""
    texts = {path: source.glance(path) for path in source.files if path.endswith(_CODE) and not is_test(path)}
    if not any("NestFactory" in text for text in texts.values()):
        return Reading()
    hinting = ((path, text) for path, text in texts.items() if _HINTS.any_in(text))
    return Reading([trait for path, text in hinting for trait in _traits(path, text)])


def _traits(path: str, text: str) -> Iterator[ServerTrait]:
    for match in _PREFIX.finditer(text) if "NestFactory" in text else ():
        versioned = int("enableVersioning(" in text)
        yield ServerTrait("prefix", versioned, location_at(path, text, match.start("path")), f"/{match['path']}")
    if beside := _BESIDE.search(text):
        yield ServerTrait("beside", 0, location_at(path, text, beside.start()))
