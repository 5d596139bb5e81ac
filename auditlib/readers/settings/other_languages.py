"""Variables that Go, Ruby, PHP, Java, Kotlin, C#, Rust and Elixir read, and the placeholders of Spring's configuration.

There is no parser: each language has one expression for the lookups that its libraries and frameworks document, and a
line that begins as a comment counts for nothing. Follows https://pkg.go.dev/os#Getenv,
https://pkg.go.dev/github.com/caarlos0/env, https://pkg.go.dev/github.com/kelseyhightower/envconfig,
https://docs.ruby-lang.org/en/master/ENV.html,
https://laravel.com/docs/configuration, https://doc.rust-lang.org/std/env/fn.var.html,
https://hexdocs.pm/elixir/System.html and
https://docs.spring.io/spring-boot/reference/features/external-config.html#features.external-config.files.property-placeholders.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator

from msgspec import Struct, structs

from auditlib.inventory.configuration import AllowedOrigin, DebugSwitch, EnvironmentBranch, Setting
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers.settings import laravel, named_environments
from auditlib.readers.settings.targets import revealing, target_before
from auditlib.redaction import Vault
from auditlib.source import Source

_KIND = "settings code"
_NAME = r"(?P<name>[A-Z][A-Z0-9_]{1,80})"
_QUOTED = r"""["'](?P<default>[^"'\n]{0,500})["']"""


class _Language(Struct, frozen=True):
    """How a language asks for a variable. A `demand` that matches right behind a lookup makes it a required one."""

    style: str
    hint: str
    lookup: re.Pattern[str]
    demand: re.Pattern[str] | None = None


_GO = _Language("go", "env", regex(
    rf"""\b(?:\w*\.)?(?:Getenv|LookupEnv|[gG]et_?[eE]nv\w*|[eE]nvOr\w*|[mM]ustGet[eE]nv)\(\s*"{_NAME}"(?:\s*,\s*{_QUOTED})?
    |`[^`\n]*?\benv(?:config)?:"(?P<tagged>[A-Z][A-Z0-9_]{{1,80}})(?P<required>(?:,\w+)*)"
     (?:[^`\n]*?\b(?:env-?[dD]efault|default):"(?P<tag>[^"\n]*)"|[^`\n]*?\b(?:env-)?(?P<must>required:"true"))?""",
    re.X,
))  # fmt: skip
_ANY_ORIGIN = regex(
    r"""\b(?P<holder>(?:(?:set|add)A|a)llowedOrigin(?:Pattern)?s?)\(\s*(?:(?:List\.of|Arrays\.asList|listOf|
    Collections\.singletonList)\(\s*)?"\*\"""",
    re.X,
)
"""https://docs.spring.io/spring-framework/reference/web/webmvc-cors.html"""
_ANNOTATED = regex(r"@CrossOrigin\b(?!\.)(?:[ \t]*\((?P<told>[^()]{0,500})\))?")
_NAMED_ORIGINS = regex(r"^\s*[\"{\[$\w.]*\"|\b(?:origins|value|originPatterns)\s*=")
"""What the annotation is given; without any of it every origin is allowed."""
_CREDENTIALS = regex(r"[aA]llowCredentials\(\s*true\b")
_BINDS = regex(
    r"\"[\w.-]+/(?:[\w.-]+/)*(?:viper|envconfig|go-envconfig|env|cleanenv|koanf|envdecode|aconfig|confita|kong)(?:/v\d+)?\""
)
"""The import of a library that reads variables by names which it makes of those of fields."""
_RUST_BINDS = regex(
    r"\benvy::|\bfigment::|\bconfig::(?:Config|Environment)\b|\bconfique::|\bserde_env::|\btwelf::|"
    r"#\[(?:arg|clap)\([^\n]{0,200}?\benv\b|\benv::vars(?:_os)?\(\)"
)
"""Libraries of Rust that read variables by the names of fields (https://docs.rs/envy, https://docs.rs/clap)."""
_RUBY = _Language("ruby", "ENV", regex(
    rf"""\bENV(?:\[\s*["']{_NAME}["']\s*\](?:\s*\|\|=?\s*{_QUOTED})?
    |\.fetch\(\s*["'](?P<fetched>[A-Z][A-Z0-9_]{{1,80}})["']\s*
     (?:,\s*(?:["'](?P<given>[^"'\n]*)["']|(?P<other>[^)\n]+))\s*\)|\)(?:\s*(?:\{{\s*(?:["'](?P<block>[^"'\n]*)["'])?|do\b))?))""",
    re.X,
))  # fmt: skip
_PHP = _Language("php", "env", regex(
    rf"""\b(?:env|getenv)\(\s*["']{_NAME}["'](?:\s*,\s*(?:{_QUOTED}|(?P<other>[^)\n]+)))?|\$_ENV\[["'](?P<fetched>[A-Z][A-Z0-9_]{{1,80}})""",
    re.X,
))  # fmt: skip
_JVM = _Language("java", "env", regex(
    rf"""\bSystem\.getenv\(\s*"{_NAME}"|@Value\(\s*"\\?\$\{{(?P<fetched>[A-Z][A-Z0-9_]{{1,80}})(?::(?P<default>[^}}"\n]*))?\}}"""
))  # fmt: skip
_CSHARP = _Language("csharp", "GetEnvironmentVariable", regex(
    rf"""\bGetEnvironmentVariable\(\s*"{_NAME}"\s*\)(?:\s*\?\?\s*{_QUOTED})?"""
), regex(r"\s*\?\?\s*throw\b"))  # fmt: skip
_RUST = _Language("rust", "env::var", regex(
    rf"""\benv::var\(\s*"{_NAME}"\s*\)(?:\s*\.unwrap_or(?:_else)?\((?:\|_\w*\|\s*)?(?:{_QUOTED})?)?"""
), regex(r"\s*(?:\.expect\(|\.unwrap\(\))"))  # fmt: skip
_ELIXIR = _Language("elixir", "System.", regex(
    rf"""\bSystem\.(?:get_env\(\s*"{_NAME}"(?:\s*,\s*{_QUOTED})?|fetch_env!\(\s*"(?P<demanded>[A-Z][A-Z0-9_]{{1,80}})")"""
))  # fmt: skip
_SPRING = _Language("spring", "${", regex(rf"""\$\{{{_NAME}(?P<colon>:(?P<default>[^}}\n]*))?\}}"""))

_GIN = regex(r"^\tgin\.SetMode\((?:gin\.DebugMode|\"debug\")\)", re.M)
"""https://pkg.go.dev/github.com/gin-gonic/gin#SetMode"""
_BLOCK_ABOVE = regex(r"^[^\s/})][^\n]*", re.M)
"""The lines at the left edge: `gofmt` indents all within a function."""
_HELPER = regex(
    r"\bfunc (?P<helper>\w{1,60})\((?P<key>\w{1,30})\b[^)\n]{0,100}\)[^{\n]{0,40}\{[^}]{0,200}?"
    r"\bos\.(?:Getenv|LookupEnv)\((?P=key)\)"
)
"""A function of Go that looks up the variable that it is given the name of."""
_DEMANDING = regex(
    r"\bfunc (?P<helper>\w{1,60})\((?P<key>\w{1,30}) string\)[^{\n]{0,40}\{[^}]{0,200}?"
    r"\bos\.(?:Getenv|LookupEnv)\((?P=key)\)[^{}]{0,100}?(?:==\s*\"\"|!\w{1,30})[^{}]{0,60}\{"
    r"[^{}]{0,200}?\b(?:Fatal\w*\(|panic\(|os\.Exit\()"
)
"""Such a function that stops the program where the variable is empty."""
_TELLING = regex(r"[gG]et_?[eE]nv|[eE]nvOr|LookupEnv")
"""Names of functions that `_GO` knows by themselves."""
_ENVIRONMENT = regex(r"(?:\w+_)?(?:ENV|ENVIRONMENT|STAGE)")
_CALL = regex(rf"""(?<![\w.])(?P<helper>\w{{1,60}})\(\s*"{_NAME}"(?:\s*,\s*{_QUOTED})?""")
_COMPARED_AT_ONCE = regex(r"""['"\])\s]{0,3}\s*[!=]==?\s*["'](?P<value>\w{1,30})["']""")
"""What stands behind the lookup of the environment's name where it is compared at once."""
_STOPS = r"[^{}]{0,200}?\b(?:return\b[^\n]{0,100}[eE]rr|(?:log\.)?Fatal\w*\(|panic\(|os\.Exit\()"
_TELLING_NAME, _NEAR = 6, 150
"""Letters from which a name of Go tells what it holds; a shorter one holds the next variable some lines below."""
_BY_ENDING = {
    ".go": _GO, ".rb": _RUBY, ".php": _PHP, ".java": _JVM, ".kt": _JVM, ".cs": _CSHARP, ".rs": _RUST,
    ".ex": _ELIXIR, ".exs": _ELIXIR,
}  # fmt: skip
_ENDINGS = (*_BY_ENDING, ".yml", ".yaml", ".properties")
_SPRING_FILE = regex(r"(?:^|/)(?:application|bootstrap)(?:-[\w-]+)?\.(?:ya?ml|properties)$")
_RAILS_FILE = regex(r"(?:^|/)config/[\w-]+\.yml$")
_TEST = regex(r"(?:^|/)(?:tests?|spec|specs|src/test)/|_test\.\w+$|_spec\.rb$|(?:Test|Tests|IT)\.(?:java|kt|cs|php)$")
_COMMENT = regex(r"\s*(?://|#|\*|/\*|--|<!--)")
_PLAIN = regex(r"true|false|[\d.]+", re.I)
_OWN = frozenset({"RAILS_ENV", "RACK_ENV", "MIX_ENV", "RAILS_MAX_THREADS", "RAILS_MIN_THREADS", "WEB_CONCURRENCY"})
"""What frameworks read, with the defaults that their generators write."""


def is_test(path: str) -> bool:
    """Whether a file of these languages belongs to tests."""
    return bool(_TEST.search(path))


def language(path: str) -> _Language | None:
    """The language of a file as far as this reader knows it; none for tests."""
    if not path.endswith(_ENDINGS) or is_test(path):
        return None
    if _SPRING_FILE.search(path):
        return _SPRING
    return _RUBY if _RAILS_FILE.search(path) else _BY_ENDING.get(posixpath.splitext(path)[1])


def read_other(
    source: Source, path: str
) -> Iterator[Setting | AllowedOrigin | EnvironmentBranch | DebugSwitch | Coverage]:
    """The variables that a file reads."""
    known, text = language(path), source.text(path)
    binds = _BINDS if known is _GO else _RUST_BINDS if known is _RUST else None
    if binds is not None and (binding := binds.search(text)):
        line = text.count("\n", 0, binding.start()) + 1
        yield Coverage(path, _KIND, Read.PARTIAL, f"a library makes the names of variables (line {line})", line)
    yield from _of_frameworks(known, path, text)
    yield from named_environments.read(path, text)
    if known is None or known.hint.lower() not in text.lower():
        return
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    holders: dict[str, str] = {}
    demanding = {match["helper"] for match in _DEMANDING.finditer(text)} if known is _GO else set()
    for match in (*known.lookup.finditer(text), *(_through_helpers(text) if known is _GO else ())):
        if place := _place(path, text, starts, match.start()):
            found = _setting(known, match, text, place, source.vault)
            if found.name not in _OWN:
                demanded = match[0].partition("(")[0] in demanding
                yield structs.replace(found, required=True) if demanded else found
            at_once = _COMPARED_AT_ONCE.match(text, match.end())
            if at_once and _ENVIRONMENT.fullmatch(found.name) and match[0].find(")") < 0:
                yield EnvironmentBranch(found.name, (at_once["value"],), (), place)
            if _ENVIRONMENT.fullmatch(found.name) and (target := target_before(text, match.start())):
                holders[target.rpartition(".")[2]] = found.name
    for name, match in named_environments.comparisons(text, holders):
        if place := _place(path, text, starts, match.start()):
            yield EnvironmentBranch(name, (match["value"],), (), place)


def _of_frameworks(
    known: _Language | None, path: str, text: str
) -> Iterator[AllowedOrigin | DebugSwitch | EnvironmentBranch]:
    """What Spring, Gin and Laravel's Horizon are told."""
    if known is _JVM:
        yield from _origins(path, text)
    if known is _GO:
        yield from _debugging(path, text)
    if known is _PHP and laravel.FILE.search(path):
        yield from laravel.read_horizon(path, text)


def _debugging(path: str, text: str) -> Iterator[DebugSwitch]:
    """Where the body of a function sets Gin to debug whatever the environment is; one below an `if` is a choice."""
    for match in _GIN.finditer(text) if "gin.SetMode" in text else ():
        above = _BLOCK_ABOVE.findall(text[: match.start()])
        if above and above[-1].startswith("func "):
            yield DebugSwitch("gin.SetMode", False, Location(path, text.count("\n", 0, match.start()) + 1, 2))


def _place(path: str, text: str, starts: list[int], position: int) -> Location | None:
    """Where a match stands; None within a comment."""
    line = bisect_right(starts, position)
    begin = starts[line - 1]
    return None if _COMMENT.match(text, begin, position + 1) else Location(path, line, position - begin + 1)


def _through_helpers(text: str) -> Iterator[re.Match[str]]:
    """What is looked up by a function of the file whose name doesn't say so."""
    helpers = {match["helper"] for match in _HELPER.finditer(text)}
    helpers = {name for name in helpers if not _TELLING.search(name)}
    yield from (match for match in _CALL.finditer(text) if match["helper"] in helpers) if helpers else ()


def _origins(path: str, text: str) -> Iterator[AllowedOrigin]:
    """Where Spring is told to let every origin in; it refuses `*` itself with credentials, and takes a pattern."""
    credentials = bool(_CREDENTIALS.search(text))
    for match in _ANY_ORIGIN.finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        pattern = "Pattern" in match["holder"]
        if (pattern or not credentials) and not _COMMENT.match(text, begin, match.start() + 1):
            place = Location(path, text.count("\n", 0, begin) + 1, match.start() - begin + 1)
            yield AllowedOrigin("*", match["holder"], credentials, place)
    for match in _ANNOTATED.finditer(text):
        told = match["told"] or ""
        begin = text.rfind("\n", 0, match.start()) + 1
        named = _NAMED_ORIGINS.search(told) is not None and '"*"' not in told
        if not named and not _COMMENT.match(text, begin, match.start() + 1):
            place = Location(path, text.count("\n", 0, begin) + 1, match.start() - begin + 1)
            sends = "originPatterns" in told and "allowCredentials" in told and '"true"' in told
            yield AllowedOrigin("*", "@CrossOrigin", sends, place, "*" if '"*"' in told else "")


def _setting(known: _Language, match: re.Match[str], text: str, place: Location, vault: Vault) -> Setting:
    groups = match.groupdict()
    name = next(groups[key] for key in ("name", "fetched", "tagged", "demanded") if groups.get(key))
    default = next((groups[key] for key in ("default", "given", "block", "tag") if groups.get(key) is not None), None)
    other = (groups.get("other") or "").strip()
    if _PLAIN.fullmatch(other):
        default, other = other, ""
    shown_as = revealing(name, target_before(text, match.start()))
    value = None if default is None else vault.value(shown_as, default)
    kind = "expression" if other else "none" if default is None else "literal" if default else "empty"
    return Setting(name, known.style, "string", value, kind, _is_required(known, match, text), known.style, place)


def _is_required(known: _Language, match: re.Match[str], text: str) -> bool:
    """Whether a start without the variable fails."""
    groups = match.groupdict()
    if known is _SPRING:
        return groups["colon"] is None
    if known is _RUBY:
        return bool(groups["fetched"]) and match[0].endswith(")") and not (groups["given"] or groups["other"])
    if groups.get("demanded") or groups.get("must") or "required" in (groups.get("required") or ""):
        return True
    if known is _GO:
        return not groups.get("default") and _is_checked(match, text)
    return bool(known.demand and known.demand.match(text, match.end()))


def _is_checked(match: re.Match[str], text: str) -> bool:
    """Whether Go stops where what was looked up is empty; a check inside another block holds in some cases only."""
    if not text[match.end() : match.end() + 20].lstrip().startswith(")"):
        return False  # what else is given is a default
    target = target_before(text, match.start()).rpartition(".")[2]
    held = re.escape(target) if target else re.escape(f"{match[0]})")
    near = bool(target) and (len(target) < _TELLING_NAME or target == "value")
    behind = text[match.end() : match.end() + _NEAR] if near else text[text.rfind("\n", 0, match.start()) :]
    return re.search(rf'\n\tif (?:\w+\.)?{held}\s*==\s*""\s*\{{{_STOPS}', behind) is not None
