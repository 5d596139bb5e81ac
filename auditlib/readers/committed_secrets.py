"""Secrets that a text file holds in a form that gives them away: tokens of well-known providers, private keys,
passwords in connection strings.

The forms are stricter than those by which secrets are hidden: there doubt hides, here doubt is silent. Sources: the
documentation of each provider, and the patterns of https://github.com/gitleaks/gitleaks.
"""

from __future__ import annotations

import base64
import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

import ahocorasick_rs
from ahocorasick_rs import AhoCorasick

from auditlib.inventory.configuration import IN_URL, OF_CLIENT, CommittedSecret
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

PRIVATE_KEY = "private key"
TEXT_LIMIT = 100_000_000
"""Characters that are looked at altogether."""
FILE_LIMIT = 20
"""Secrets that are recorded of one file; a list of a thousand is a test's data."""

_GAP = r"(?:\s|\\[nt])+"
"""What is between the words of a `.netrc`, also as `printf` and `echo -e` are given it
(https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html)."""
_FORMATS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (kind, hints, regex(pattern))
    for kind, hints, pattern in (
        ("AWS access key", ("AKIA", "ASIA"), r"(?<![A-Za-z0-9/+_])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9/+_=])"),
        ("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
        ("GitHub token", ("github_pat_",), r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
        ("GitLab token", ("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,64}(?![\w-])"),
        ("OpenAI key", ("T3BlbkFJ",), r"\bsk-[A-Za-z0-9_-]{16,100}T3BlbkFJ[A-Za-z0-9_-]{16,100}(?![\w-])"),
        ("Anthropic key", ("sk-ant-",), r"\bsk-ant-[a-z]{3,8}\d\d-[A-Za-z0-9_-]{80,120}(?![\w-])"),
        ("Stripe key", ("k_live_",), r"\b[sr]k_live_[A-Za-z0-9]{20,247}\b"),
        ("Slack token", ("xox",), r"\bxox[abprs]-(?:\d{8,14}-){1,3}[A-Za-z0-9]{16,64}\b"),
        (
            "Slack webhook", ("hooks.slack.com/services/T",),
            r"hooks\.slack\.com/services/T[A-Z0-9]{7,12}/B[A-Z0-9]{7,12}/[A-Za-z0-9]{24}\b",
        ),
        (
            "Discord webhook", ("/api/webhooks/",),
            r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}",
        ),
        ("Google API key", ("AIza",), r"\bAIza[A-Za-z0-9_-]{35}(?![\w-])"),
        (
            "live API key", ("-live-", "-prod-"),
            r"\bsk-[a-z0-9]{2,12}-(?:live|prod)-(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{24,64}(?![\w-])",
        ),
        (
            "netrc password", ("machine ",),
            rf"\bmachine[ \t]+[\w.-]+\.\w+{_GAP}login{_GAP}[^\s\\\"']+{_GAP}password{_GAP}([^\s\\\"'`$<{{;]{{8,100}})",
        ),
        ("npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("PyPI token", ("pypi-AgEIcHlwaS5vcmc",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,300}"),
        ("SendGrid key", ("SG.",), r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![\w-])"),
        ("DigitalOcean token", ("dop_v1_",), r"\bdop_v1_[0-9a-f]{64}\b"),
        ("Vault token", ("hvs.",), r"\bhvs\.[A-Za-z0-9_-]{90,200}"),
        ("Telegram token", ("/bot",), r"api\.telegram\.org/bot\d{8,10}:[A-Za-z0-9_-]{35}(?![\w-])"),
        (
            "Telegram token", (":AA",),
            r"(?<![\w/:.-])(?!123|110201543:)\d{8,10}:AA(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z0-9_-]{33}(?![\w-])",
        ),
        (
            "Laravel key", ("APP_KEY",),
            r"(?:(?<=APP_KEY=)|(?<=APP_KEY: )|(?<=APP_KEY=[\"'])|(?<=APP_KEY: [\"']))base64:[A-Za-z0-9+/]{43}=",
        ),
        (
            PRIVATE_KEY, ("PRIVATE KEY-----",),
            r"-----BEGIN (?:[A-Z]{2,9} )?PRIVATE KEY-----(?:\\[nr]|\s){1,8}[A-Za-z0-9+/=\\\s:,-]{100,12000}",
        ),
    )
)  # fmt: skip
_SECRET = regex(r"^kind:[ \t]*[\"']?Secret[\"']?[ \t]*$", re.M)
_ENCODED = regex(
    r"^[ \t]+[\w.-]{1,100}:[ \t]+(?P<quote>[\"']?)(?P<text>[A-Za-z0-9+/]{24,20000}={0,2})(?P=quote)[ \t]*$", re.M
)
"""https://kubernetes.io/docs/concepts/configuration/secret/: what is below `data` is encoded, not encrypted."""
_RAILS_KEY_FILE = regex(r"(?:.+/)?config/(?:master|credentials/\w+)\.key")
_CLIENT_FILE = regex(r"(?:.+/)?(?:\.my|\.mylogin|\.?my|client|\.?mysql)\.cnf")
_CLIENT_PASSWORD = regex(
    r"^[ \t]*password[ \t]*=[ \t]*(?P<quote>[\"']?)(?P<password>[^\s\"'#$<{]{4,100})(?P=quote)[ \t]*$", re.M
)
"""https://dev.mysql.com/doc/refman/8.4/en/option-files.html"""
_RAILS_KEY = regex(r"\s*[0-9a-f]{32}\s*")
"""What decrypts `credentials.yml.enc` (https://guides.rubyonrails.org/security.html#custom-credentials)."""
_HINTS = [*dict.fromkeys(hint for _, hints, _ in _FORMATS for hint in hints), "://"]
_URL = regex(r"://[^\s/\"'`<>@:$\\()\[\]|?*]{0,100}:[^\s/\"'`<>@\\()\[\]|]{1,200}@[^\s\"'`<>,)\\]{1,200}")
_SCHEME_END = regex(r"[a-z][a-z0-9+.]{0,30}\Z")
_CODE = (".py", ".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".go", ".rb", ".java", ".kt", ".php", ".rs", ".cs")
"""Where an address is a value only between quotes; without them it is an example in a comment or docstring."""
_INVENTED = regex(
    r"example|sample|dummy|placeholder|redacted|replace|change|your|todo|fake|xxxx|0{6}|1234567|abcdefg|(.)\1{7}", re.I
)
_COMMENT = regex(r"\s*(?:#|//|\*|;|--|<!--|\"\"\"|REM\b)")
_FALLBACK = regex(r"\s*[\"']?[A-Z][A-Z0-9_]{2,60}[\"']?\s*:\s*\w[^\n=]*(?:\.default\(|\bdefault:)\s*[\"'`]")
"""How zod, Joi and envalid write what stands in for a variable: `DATABASE_URL: z.string().default("…")`."""
_NO_TEXT = frozenset({
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".avif", ".svg", ".pdf", ".woff", ".woff2", ".ttf", ".otf",
    ".eot", ".zip", ".gz", ".tgz", ".bz2", ".xz", ".jar", ".whl", ".so", ".dll", ".exe", ".bin", ".mp3", ".mp4",
    ".webm", ".wav", ".lock", ".map", ".csv", ".tsv", ".parquet", ".sqlite", ".db", ".pyc", ".ipynb", ".snap",
    ".po", ".mo", ".pot", ".css", ".scss", ".less", ".geojson", ".wasm", ".pkl", ".npy",
})  # fmt: skip
_GENERATED = frozenset({"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum", "composer.lock"})


def read(source: Source) -> Reading:
    """The secrets of every text file. It reports no coverage: a file belongs to the reader that knows its format."""
    reading = Reading()
    seen = 0
    for path in source.files:
        if not is_text(path) or seen > TEXT_LIMIT:
            continue
        text = source.glance(path)
        seen += len(text)
        found = sorted(_read(source, path, text), key=lambda item: item.location)
        reading.records += found[:FILE_LIMIT]
    return reading


def is_text(path: str) -> bool:
    """Whether a file's name says that people may have written text into it."""
    name = posixpath.basename(path)
    return posixpath.splitext(name)[1].lower() not in _NO_TEXT and name not in _GENERATED and ".min." not in name


def _read(source: Source, path: str, text: str) -> Iterator[CommittedSecret]:
    hints = {_HINTS[index] for index, _, _ in _search().find_matches_as_indexes(text, overlapping=True)}
    if _RAILS_KEY_FILE.fullmatch(path) and _RAILS_KEY.fullmatch(text):
        yield CommittedSecret("Rails master key", source.vault.value("master_key", text.strip()), Location(path, 1))
    yield from _of_client(source, path, text)
    yield from _encoded(source, path, text) if "kind" in text and path.endswith((".yaml", ".yml")) else ()
    spans = [*_provided(text, hints), *(_urls(text, _quotes(path)) if "://" in hints and "@" in text else ())]
    if not spans:
        return
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for kind, start, end in spans:
        line = bisect_right(starts, start)
        begin = starts[line - 1]
        value = source.vault.value("" if kind == IN_URL else "token", text[start:end])
        commented = kind != PRIVATE_KEY and bool(_COMMENT.match(text, begin, begin + 200))
        if value.secret:
            falls_back = _FALLBACK.fullmatch(text, max(begin, start - 200), start) is not None
            place = Location(path, line, start - begin + 1)
            yield CommittedSecret(kind, value, place, commented, replaceable=falls_back)


def _of_client(source: Source, path: str, text: str) -> Iterator[CommittedSecret]:
    """The first password in an option file of MySQL's programs, unless somebody is to fill it in."""
    match = _CLIENT_PASSWORD.search(text) if _CLIENT_FILE.fullmatch(path) else None
    if match and not _INVENTED.search(match["password"]):
        value = source.vault.value("password", match["password"])
        if value.secret and not value.placeholder:
            line = text.count("\n", 0, match.start("password")) + 1
            yield CommittedSecret(OF_CLIENT, value, Location(path, line))


def _encoded(source: Source, path: str, text: str) -> Iterator[CommittedSecret]:
    """What a manifest of Kubernetes holds as a Secret, where its encoding is no encryption."""
    line, last = 1, 0
    for match in _ENCODED.finditer(text) if _SECRET.search(text) else ():
        try:
            plain = base64.b64decode(match["text"], validate=True).decode("ascii")
        except ValueError:
            continue
        kind = next((kind for kind, _, _ in _provided(plain, set(_HINTS))), "")
        value = source.vault.value("token", match["text"])
        line, last = line + text.count("\n", last, match.start("text")), match.start("text")
        if kind and value.secret:
            yield CommittedSecret(kind, value, Location(path, line))


@cache
def _search() -> AhoCorasick:
    return ahocorasick_rs.AhoCorasick(_HINTS, matchkind=ahocorasick_rs.MatchKind.Standard)


def _provided(text: str, present: set[str]) -> Iterator[tuple[str, int, int]]:
    """What a provider gave out; an example made up for a document is none."""
    for kind, hints, pattern in _FORMATS:
        if not present.isdisjoint(hints):
            for match in pattern.finditer(text):
                start, end = match.span(match.re.groups)  # where a word goes before it, the secret is a group
                body = match[0][-60:] if kind == PRIVATE_KEY else _told(kind, text[start:end])
                if len(set(body)) >= 10 and not _INVENTED.search(body):
                    yield kind, start, end


def _told(kind: str, text: str) -> str:
    """What tells whether a token is made up; the number before Telegram's may hold any digits."""
    return text.rpartition(":")[2] if kind == "Telegram token" and "1234567" not in text else text


def _quotes(path: str) -> str:
    """What an address has to stand in to be a value of code; in Python a backquote marks words of a docstring."""
    return "'\"" if path.endswith(".py") else "'\"`" if path.endswith(_CODE) else ""


def _urls(text: str, quotes: str) -> Iterator[tuple[str, int, int]]:
    for match in _URL.finditer(text):
        scheme = _SCHEME_END.search(text, max(0, match.start() - 31), match.start())
        start = scheme.start() if scheme else match.start()
        if scheme and (not quotes or (start > 0 and text[start - 1] in quotes)):
            yield IN_URL, start, match.end()
