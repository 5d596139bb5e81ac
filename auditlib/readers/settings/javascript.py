"""Variables that JavaScript and TypeScript read: `process.env.NAME`, `import.meta.env.NAME`.

Follows https://nodejs.org/api/process.html#processenv and https://vite.dev/guide/env-and-mode. There is no parser:
one expression passes over comments, strings and lookups from left to right, so that a lookup in a comment counts for
nothing.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator

from msgspec import structs

from auditlib.inventory.configuration import AllowedOrigin, EnvironmentBranch, LogFile, Setting
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.settings import demands, named_environments, schemas
from auditlib.readers.settings.branches import VARIABLE
from auditlib.readers.settings.targets import revealing, target_before
from auditlib.redaction import Vault
from auditlib.source import Source

_ENDINGS = frozenset({".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".astro"})
_BUILT_IN = frozenset({"MODE", "DEV", "PROD", "SSR", "BASE_URL"})
"""What Vite itself puts into `import.meta.env`."""

_STRING = r"""'(?:[^'\\\n]|\\.){0,5000}'|"(?:[^"\\\n]|\\.){0,5000}\""""
_TOKEN = regex(
    rf"""(?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    |(?P<string>{_STRING})
    |(?P<base>\bprocess\.env|\bimport\.meta\.env|\bDeno\.env\.get\(|\bBun\.env)
     (?:(?:\?\.|\.)?(?P<name>[A-Za-z_]\w*)|(?:\?\.)?\[?\s*["'](?P<quoted>\w+)["']\s*[\])])
     (?P<after>\s*(?:\?\?|\|\||[!=]==?)\s*(?:{_STRING}|[\w.+-]+))?
    |\{{(?P<names>[^{{}}]{{1,2000}})\}}\s*=\s*(?:process|import\.meta)\.env\b""",
    re.X,
)
_AFTER = regex(r"\s*(?P<operator>\?\?|\|\||[!=]==?)\s*(?P<value>.*)", re.S)
_CONFIG = regex(
    rf"""(?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    |\b\w*[cC]onfig(?:Service)?\??\.get(?P<demanded>OrThrow)?(?:<[^<>()\n]{{1,60}}>)?\(\s{{0,60}}["'](?P<name>[A-Z][A-Z0-9_]{{1,80}})["']
     \s{{0,60}}(?:,\s{{0,60}}(?P<given>{_STRING}|[\w.+-]+)\s{{0,60}},?\s{{0,60}})?\)
     (?P<after>!?\s{{0,60}}(?:\?\?|\|\|)\s{{0,60}}(?:{_STRING}|[\w.+-]+))?
    |(?P<string>{_STRING})""",
    re.X,
)
"""NestJS: https://docs.nestjs.com/techniques/configuration#using-the-configservice"""
_HOLDER = regex(
    r"\bconst\s+(?P<holder>\w{1,60})(?:\s*:\s*\w{1,30})?\s*=\s*(?:process\.env\.(?P<name>[A-Z]\w{1,60})\b|"
    r"[\w.]{0,60}[cC]onfig(?:Service)?\??\.get(?:OrThrow)?(?:<[^<>()\n]{1,60}>)?\(\s*[\"'](?P<asked>[A-Z]\w{1,60})[\"'])"
)
_COMMENT = regex(r"\s*(?://|\*|/\*)")
_BOUND = regex(r"(?P<name>[A-Za-z_]\w*)\s*(?::\s*\w+)?\s*(?:=\s*(?P<value>[^,]+))?")
_CONFIG_HINT = "@nestjs/config"
_HINT = regex(r"process\.env|import\.meta\.env|Deno\.env|Bun\.env|\.log['\"]")
_LOG = regex(r"['\"][\w.~/-]*\w\.log['\"]")
_CORS_HINTS = ("cors(", "enableCors", "Access-Control-Allow-Origin", "origin:")
_CORS = regex(
    rf"""(?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    |(?P<bare>\bcors\(\s*\))
    |\borigin\s*:\s*(?P<origin>true\b|{_STRING}|\[[^\]]{{0,2000}}\])
    |\borigin\s*:\s*(?P<callback>(?:function\b[ \w]{{0,40}})?\(\s*\w{{1,40}}\s*,\s*(?P<done>\w{{1,40}})\s*\)
     \s*(?:=>)?\s*\{{?\s*(?:return\s+)?(?P=done)\(\s*null\s*,\s*true\s*\))
    |["']Access-Control-Allow-Origin["']\s*,\s*(?P<header>{_STRING})
    |(?P<string>{_STRING})""",
    re.X,
)
_CORS_PACKAGE = regex(r"""(?:require\(\s*|from\s+)["'](?:(?:@?[\w-]+/)?cors|socket\.io)["']|enableCors""")
_QUOTED = regex(r"""["']([^"'\n]{1,300})["']""")
_PARSED = regex(
    r"^(?:(?:export\s+)?(?:const|let)\s+\w{1,60}(?:\s*:[^=\n]{1,60})?\s*=\s*)?\w{1,60}\.parse\(\s*process\.env\s*\)|"
    r"^if\s*\(\s*!\s*\w{1,60}\.success\s*\)",
    re.M,
)
"""A schema that is applied at the outermost level, where what it refuses ends the program."""
_TEST = regex(r"(?:^|/)(?:tests?|__tests__|e2e|spec)/|\.(?:test|spec)\.")


def is_javascript(path: str) -> bool:
    """Whether a file holds JavaScript or TypeScript that people wrote."""
    return posixpath.splitext(path)[1] in _ENDINGS and not path.endswith((".min.js", ".d.ts"))


def read_javascript(source: Source, path: str) -> Iterator[Setting | EnvironmentBranch | LogFile | AllowedOrigin]:
    """The variables that a file reads, its comparisons of the environment's name, its log files, and its CORS."""
    text = source.text(path)
    reads = _HINT.search(text)
    allows = any(hint in text for hint in _CORS_HINTS) and not _TEST.search(path)
    asks = _CONFIG_HINT in text and not _TEST.search(path)
    checks = (schemas.HINT.search(text) or demands.HINT.search(text)) and not _TEST.search(path)
    if not reads and not allows and not asks and not checks:
        return
    echoed = "transports.Console" in text and "NODE_ENV" not in text  # many add the console for development alone
    starts = [0, *(match.end() for match in re.finditer(r"\n", text))]
    if allows:
        yield from _origins(text, path, starts)
    if asks:
        yield from _of_service(text, path, starts, source.vault)
    if "env" in text.lower() and (reads or asks) and not _TEST.search(path):
        yield from _compared(text, path, starts)
    checked = list(_checked(text, path, starts, source.vault)) if checks else []
    yield from checked
    if not reads:
        return
    yield from named_environments.read(path, text) if not _TEST.search(path) else ()
    told = {item.name for item in checked}
    required = demands.demanded(text) if checks else frozenset()
    for match in _TOKEN.finditer(text):
        line = bisect_right(starts, match.start())
        location = Location(path, line, match.start() - starts[line - 1] + 1)
        if match["string"] and _LOG.fullmatch(match["string"]):
            yield LogFile(match["string"][1:-1], location, echoed)
        elif match["base"] and (match["name"] or match["quoted"]) not in told:
            for found in _lookup(match, location, source.vault, target_before(text, match.start())):
                demanded = isinstance(found, Setting) and found.name in required and found.default is None
                yield structs.replace(found, required=True, at_once=True) if demanded else found
        elif match["names"]:
            for bound in _BOUND.finditer(match["names"]):
                yield _setting(bound["name"], "process.env", bound["value"], location, source.vault)


def _checked(text: str, path: str, starts: list[int], vault: Vault) -> Iterator[Setting]:
    """What schemas hold, and what is looked up by functions, lists, libraries and classes of the program."""
    parsed = _PARSED.search(text) is not None
    for entry in schemas.read_schemas(text, path, starts, vault):
        yield structs.replace(entry, at_once=parsed and entry.required)
    for item in demands.read_demands(text):
        line = bisect_right(starts, item.position)
        location = Location(path, line, item.position - starts[line - 1] + 1)
        found = _setting(item.name, "lookup", item.written, location, vault)
        yield structs.replace(found, required=item.required, at_once=item.at_once)


def _of_service(text: str, path: str, starts: list[int], vault: Vault) -> Iterator[Setting]:
    """What code asks NestJS's ConfigService for."""
    for match in _CONFIG.finditer(text):
        if match["name"]:
            line = bisect_right(starts, match.start())
            location = Location(path, line, match.start() - starts[line - 1] + 1)
            after = _AFTER.match((match["after"] or "").lstrip("!"))
            written = match["given"] or (after["value"] if after else None)
            found = _setting(match["name"], "ConfigService.get", written, location, vault)
            yield structs.replace(found, required=bool(match["demanded"]) and not written)


def _compared(text: str, path: str, starts: list[int]) -> Iterator[EnvironmentBranch]:
    """Where a constant that holds the environment's name is compared (`nodeEnv !== "production"`)."""
    holders = {match["holder"]: match["asked"] or match["name"] for match in _HOLDER.finditer(text)}
    holders = {holder: name for holder, name in holders.items() if VARIABLE.fullmatch(name)}
    for name, match in named_environments.comparisons(text, holders):
        line = bisect_right(starts, match.start())
        if not _COMMENT.match(text, starts[line - 1]):
            yield EnvironmentBranch(
                name, (match["value"],), (), Location(path, line, match.start() - starts[line - 1] + 1)
            )


def _origins(text: str, path: str, starts: list[int]) -> Iterator[AllowedOrigin]:
    """What the middleware `cors`, NestJS's `enableCors` or a header allows."""
    credentials = re.search(r"\bcredentials\s*:\s*true\b", text) is not None
    has_package = _CORS_PACKAGE.search(text) is not None
    for match in _CORS.finditer(text):
        line = bisect_right(starts, match.start())
        location = Location(path, line, match.start() - starts[line - 1] + 1)
        if match["bare"] and has_package:
            yield AllowedOrigin("*", "cors()", False, location, "")
        elif match["callback"] and has_package:
            yield AllowedOrigin("*", "origin", credentials, location, "")
        elif match["origin"] == "true" and has_package:
            yield AllowedOrigin("*", "origin", credentials, location, "true")
        elif match["header"] or (match["origin"] and has_package):
            for origin in _QUOTED.findall(match["header"] or match["origin"]):
                yield AllowedOrigin(origin, "origin", credentials, location)


def _lookup(
    match: re.Match[str], location: Location, vault: Vault, target: str
) -> Iterator[Setting | EnvironmentBranch]:
    name = match["name"] or match["quoted"]
    base = match["base"].removesuffix(".get(")
    if base == "import.meta.env" and name in _BUILT_IN:
        return
    after = _AFTER.match(match["after"] or "")
    operator, value = (after["operator"], after["value"]) if after else ("", "")
    yield _setting(name, base, value if operator in ("??", "||") else None, location, vault, target)
    if operator in ("===", "==", "!==", "!=") and value[:1] in ("'", '"') and VARIABLE.fullmatch(name):
        yield EnvironmentBranch(name, (value[1:-1],), (), location)


def _setting(name: str, base: str, written: str | None, location: Location, vault: Vault, target: str = "") -> Setting:
    """The record of a lookup, `written` being its default as it stands there and `target` what it is given to."""
    written = None if written is None else written.strip()
    if written is None:
        return Setting(name, base, "string", None, "none", False, "javascript", location)
    if written[:1] in ("'", '"'):
        text = written[1:-1]
        kind = "literal" if text else "empty"
        return Setting(
            name, base, "string", vault.value(revealing(name, target), text), kind, False, "javascript", location
        )
    is_number = re.fullmatch(r"[-+]?\d[\d.]*", written) is not None
    if is_number or written in ("true", "false"):
        kind = "number" if is_number else "boolean"
        return Setting(name, base, kind, vault.value(name, written), "literal", False, "javascript", location)
    kind = "null" if written in ("null", "undefined") else "expression"
    return Setting(name, base, "string", None, kind, False, "javascript", location)
