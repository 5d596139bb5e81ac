"""Environment files: `.env`, `.env.production`, `backend.env`, and the templates that people copy them from.

Follows the dialect that Docker Compose and python-dotenv share
(https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax): `export`,
inline comments, single quotes that are literal, double quotes with escapes, both over several lines.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers.endpoints import endpoints
from auditlib.readers.reading import Reading, each
from auditlib.source import Source

KIND = "environment file"

_FILE = regex(r"(?:[\w.-]*\.)?env(?:[._-][\w.-]+)|[\w.-]*\.env|\.flaskenv")
_IN_FOLDER = regex(
    r"(?:^|/)(?:\.envs/(?:[\w.-]+/){0,2}\.(?!git|docker|editor|npm|keep)[a-z][\w-]*|(?:envs?|environments)/(?:[\w.-]+/)?\."
    r"(?:local|dev|devel|development|staging|stage|prod|production|tests?|ci|qa|uat|preview|docker|common|base|shared))"
    r"(?:\.(?:example|sample|template|dist))?$"
)
"""Files of a folder for them: `.envs/.local/.django`, `env/.staging.example`."""
_OTHER_FORMATS = frozenset({
    ".py", ".ts", ".js", ".mjs", ".cjs", ".tsx", ".go", ".rb", ".php", ".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat",
    ".md", ".rst", ".txt", ".json", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".lock",
    ".enc", ".gpg", ".asc", ".age", ".vault", ".keys",
})  # fmt: skip
"""Files that are called `env.py` or `.env.enc` are no environment files."""
_GENERATED = (".j2", ".jinja", ".jinja2", ".erb", ".tpl", ".tmpl", ".ctmpl", ".gotmpl", ".mustache")
"""Templates that a program fills in; its own lines (`{% if … %}`, `{{ range … }}`) are no variables."""
_STATEMENT = regex(r"^[ \t]*(?:\{[%#].*[%#]\}|\{\{.*\}\}|<%.*%>)[ \t]*$", re.M)

_SHELL = regex(r"^(?:#!.*sh\b|[ \t]*(?:if \[|fi[ \t]*$|for \w+ in |source \S|\. \S+$|unset \w|echo |export -f))", re.M)
"""Lines that a shell runs: who writes them has a shell read the file, and no other program."""

LINE_LIMIT = 5_000
"""Variables of one file that are read, hundreds of times what people write."""

_ASSIGNMENT = regex(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*(?:=|:(?=[ \t]))[ \t]*")
_BARE_NAME = regex(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*(?:#.*)?$")
_COMMENTED = regex(r"[ \t]*#+[ \t]*(?:export[ \t]+)?(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$")
_DOUBLE_QUOTED = regex(r'"(?P<value>(?:[^"\\]|\\.)*+)"', re.S)
_SINGLE_QUOTED = regex(r"'(?P<value>(?:[^'\\]|\\.)*+)'", re.S)
_UNQUOTED_KEY = regex(r"-----BEGIN [^\n]*(?:\n(?![ \t]*-----)[^\n]*){1,100}\n[ \t]*-----END [^\n]*")
_AFTER_QUOTE = regex(r"[ \t]*(?:#.*)?$")
_INLINE_COMMENT = regex(r"(?:^|(?<=[ \t]))#.*$")
_ESCAPE = regex(r"\\(.)", re.S)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\", "'": "'"}


_MAKES_BASE64 = regex(
    r"openssl rand -base64 \d{1,3}(?![^\n]*\btr -)|head -c \d{1,3} /dev/u?random \| base64(?![^\n]*\btr -)"
)
"""Commands that make a password of all signs of Base64, among them `/`, `+` and `=`."""
_VARIABLE = regex(r"\b[A-Z][A-Z0-9_]{2,80}\b")
_COMMENT = regex(r"^[ \t]*#[^\n]{1,500}", re.M)
_SCRIPT = regex(r"[\w.-]{1,100}\.(?:sh|bash|py)\b")


class Assignment(Struct, frozen=True):
    """One assignment as the file has it. `value` is None for a bare name; a malformed line has a reason instead."""

    name: str
    value: str | None
    line: int
    end_line: int
    commented: bool = False
    malformed: str = ""


def read(source: Source) -> Reading:
    """Every environment file of the repository."""
    return each(source, [path for path in source.files if is_env_file(path)], KIND, _read)


def is_env_file(path: str) -> bool:
    """Whether a file's name says that it holds variables: `.env`, `.env.local`, `api.env`, `env.example`."""
    name = posixpath.basename(path)
    usual = _FILE.fullmatch(name) and posixpath.splitext(name)[1].lower() not in _OTHER_FORMATS
    return bool(usual or _IN_FOLDER.search(path))


def _read(source: Source, path: str) -> Iterator[EnvFile | Coverage]:
    template = stages.is_template(path)
    lines: list[EnvLine] = []
    text = source.text(path)
    if path.endswith(_GENERATED):
        text = _STATEMENT.sub("", text)
    shell = bool(_SHELL.search(text))
    hints = _hints(text) if template and "base64" in text else {}
    for item in assignments(text, commented=template):
        if len(lines) == LINE_LIMIT:
            yield Coverage(
                path, KIND, Read.PARTIAL, f"the variables after the first {LINE_LIMIT} were not read", item.line
            )
            break
        if item.malformed and shell:
            yield Coverage(path, KIND, Read.PARTIAL, "it is a script, whose statements were not read", item.line)
            continue
        value = None if item.value is None else source.vault.value(item.name, item.value)
        location = Location(path, item.line, 1, item.end_line)
        named = endpoints(item.name, item.value or "") if not item.commented else ()
        lines.append(
            EnvLine(item.name, value, location, item.commented, item.malformed, named, hints.get(item.line, ""))
        )
        if item.malformed:
            yield Coverage(path, KIND, Read.PARTIAL, f"line {item.line} {item.malformed}", item.line)
    committed = None if source.tracked is None else path in source.tracked
    copied_to = stages.without_template_word(path) if template else ""
    scripts = frozenset(name for comment in _COMMENT.findall(text) for name in _SCRIPT.findall(comment))
    yield EnvFile(path, template, tuple(lines), Location(path), committed, copied_to, scripts)


def _hints(text: str) -> dict[int, str]:
    """By line the command of the comment before its paragraph, or behind its value, that makes a text in Base64."""
    found: dict[int, str] = {}
    hint, above = "", ""
    lines = text.split("\n")
    names = {match["name"] for line in lines if (match := _ASSIGNMENT.match(line))}
    meant: set[str] = set()
    for number, line in enumerate(lines, 1):
        match = _MAKES_BASE64.search(line)
        comment = line.lstrip().startswith("#")
        if not line.strip() or (comment and not above.startswith("#")):
            hint, meant = "", set()
        if comment:
            meant |= names.intersection(_VARIABLE.findall(line))
        if match:
            found[number] = match[0]
            hint = match[0] if comment else hint
        elif hint and _is_meant(line, meant):
            found[number] = hint
        above = line.lstrip()
    return found


def _is_meant(line: str, names: set[str]) -> bool:
    """Whether a comment that names variables (`# JWT_SECRET: openssl …`) names that of a line; or it names none."""
    assigned = _ASSIGNMENT.match(line)
    return not names or (assigned is not None and assigned["name"] in names)


def assignments(text: str, *, commented: bool = False) -> Iterator[Assignment]:
    """The assignments of a text in dotenv's format; with `commented`, those in comments too (`# SENTRY_DSN=`)."""
    position, number = 0, 1
    while position < len(text):
        end = _line_end(text, position)
        line = text[position:end]
        found: Assignment | None = None
        if line.lstrip(" \t").startswith("#"):
            found = _commented(line, number) if commented else None
        elif line.strip():
            found, end = _assignment(text, line, position, number)
        if found:
            yield found
        number += text.count("\n", position, end) + 1
        position = end + 1


def _commented(line: str, number: int) -> Assignment | None:
    match = _COMMENTED.match(line)
    return Assignment(match["name"], _plain(match["value"]), number, number, commented=True) if match else None


def _assignment(text: str, line: str, position: int, number: int) -> tuple[Assignment, int]:
    """The assignment of a line, and where its last line ends, since a quoted value may go on below."""
    end = position + len(line)
    match = _ASSIGNMENT.match(line)
    if match is None:
        return _unassigned(line, number), end
    start = position + match.end()
    if text[start : start + 1] in ("'", '"'):
        return _quoted(text, match["name"], position, start, number)
    if text.startswith("-----BEGIN ", start) and (key := _UNQUOTED_KEY.match(text, start)):
        last = number + text.count("\n", position, key.end())
        return Assignment(match["name"], None, number, last, malformed="has several lines without quotes"), key.end()
    return Assignment(match["name"], _plain(line[match.end() :]), number, number), end


def _unassigned(line: str, number: int) -> Assignment:
    """A line without a value: a bare name, or nothing that can be read."""
    bare = _BARE_NAME.match(line)
    if bare:
        return Assignment(bare["name"], None, number, number)
    return Assignment("", None, number, number, malformed="is no assignment (NAME=value)")


def _quoted(text: str, name: str, position: int, start: int, number: int) -> tuple[Assignment, int]:
    """The assignment that begins at `position` and whose value begins at `start` with a quote."""
    pattern = _DOUBLE_QUOTED if text[start] == '"' else _SINGLE_QUOTED
    quoted = pattern.match(text, start)
    if quoted is None:
        wrong = Assignment(name, None, number, number, malformed="has a quote that is never closed")
        return wrong, _line_end(text, position)
    last = number + text.count("\n", position, quoted.end())
    stop = _line_end(text, quoted.end())
    if not _AFTER_QUOTE.match(text[quoted.end() : stop]):
        return Assignment(name, None, number, last, malformed="has text after the closing quote"), stop
    return Assignment(name, _unescaped(quoted["value"], text[start]), number, last), stop


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _plain(text: str) -> str:
    value = _INLINE_COMMENT.sub("", text, count=1).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return _unescaped(value[1:-1], value[0])
    return value


def _unescaped(text: str, quote: str) -> str:
    if quote == "'":
        return re.sub(r"\\(['\\])", r"\1", text)
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)
