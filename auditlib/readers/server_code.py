"""What code says of how a server takes requests and ends: Go, JavaScript, Python, Rust and C#; Java, PHP.

Follows https://pkg.go.dev/net/http#Server.Shutdown, https://github.com/expressjs/multer#limits,
https://flask.palletsprojects.com/en/stable/config/#MAX_CONTENT_LENGTH, https://www.uvicorn.org/settings/#timeouts and
https://docs.rs/tokio/latest/tokio/signal/ and
https://learn.microsoft.com/en-us/aspnet/core/host-and-deploy/health-checks. The text is searched, not parsed.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.configuration import ServerTrait
from auditlib.model import Location
from auditlib.patterns import Words, regex
from auditlib.readers import health_routes
from auditlib.readers.reading import Reading, location_at
from auditlib.readers.settings import is_test
from auditlib.source import Source

_CODE = frozenset({".go", ".js", ".ts", ".mjs", ".cjs", ".py", ".rs", ".cs", ".java", ".php"})
_ROUTES_ALONE = (".java", ".php")
"""What is searched for routes on health, and for nothing else."""
_COMMENT = regex(r"(?m)^[ \t]*(?://|\*|#)[^\n]*")
_NUMBER = r"\d[\d_]{0,11}"
_PRODUCT = rf"(?P<product>{_NUMBER}(?:[ \t]*(?:\*|<<)[ \t]*{_NUMBER}){{0,3}})"
_SPAN = (
    r"(?:(?P<number>\d{1,4})\s*\*\s*time\.(?P<unit>Second|Minute)|"
    r"time\.(?P<unit2>Second|Minute)\s*\*\s*(?P<number2>\d{1,4}))"
)
_GO_WAIT = regex(
    rf"\b(?P<context>\w+)\s*,\s*\w+\s*:?=\s*context\.WithTimeout\(\s*[\w.]+(?:\(\))?\s*,\s*(?:{_SPAN}|(?P<name>\w+))\s*\)"
)
_NEAR = 600
"""How far below its context the call stands that uses it."""
_NODE_WAIT = regex(
    rf"setTimeout\(\s*\(\)\s*=>\s*[^}}]{{0,200}}?process\.exit\(\d?\)[^}}]{{0,20}}\}}?\s*,\s*(?P<ms>{_NUMBER})\s*\)"
)
_PYTHON_WAIT = regex(r"\b(?:timeout_graceful_shutdown|graceful_timeout)\s*=\s*(?P<seconds>\d{1,4})\b")
_BODY = regex(
    r"\b(?P<name>MAX_(?:FILE|UPLOAD|CONTENT|ATTACHMENT|IMAGE|REQUEST|BODY)_?(?:FILE_)?(?:SIZE|LENGTH)(?:_BYTES|_MB)?|"
    rf"max(?:File|Upload|Content)Size|fileSize|[bB]odyLimit|MultipartBodyLengthLimit|MaxRequestBodySize)[\"']?\]?\s*(?::\s*\w{{1,20}}\s*)?[:=]\s*{_PRODUCT}"
)
_PARSER = regex(
    r"\b(?:express|bodyParser)\.(?:json|urlencoded|raw|text)\(\s*\{[^}]{0,80}?\blimit\s*:\s*[\"'](?P<size>\d{1,4})(?P<suffix>[km]b)",
    re.I,
)
_TAKES_FILES = regex(
    r"\bmulter\b|\bUploadFile\b|\bIFormFile\b|@fastify/multipart|\brequest\.files\b|\bformidable\b|\bbusboy\b|\bFileField\b|MAX_CONTENT_LENGTH|\bFormFile\("
)
_TLS = regex(
    r"ListenAndServeTLS|https\.createServer|\bssl_(?:keyfile|certfile|context)\b|server\.ssl\.|autocert\.|axum_server::tls|"
    r"\brustls\b|tls\.Listen\("
)
_INTERRUPTED = {
    ".go": (regex(r"signal\.Notify(?:Context)?\([^)\n]{0,120}\bos\.Interrupt\b"), regex(r"SIGTERM")),
    ".rs": (regex(r"\bctrl_c\(\)"), regex(r"SIGTERM|SignalKind::terminate|signal_hook|\"termination\"")),
    ".js": (regex(r"process\.on(?:ce)?\(\s*[\"']SIGINT"), regex(r"SIGTERM")),
}
"""By the ending of code how it ends on SIGINT, and what shows that some file of it knows SIGTERM."""
_SAME = {".ts": ".js", ".mjs": ".js", ".cjs": ".js"}
_READY = regex(r"[\w)]\(\s*[\"'`](?:GET )?(?P<path>/(?:[\w-]{1,30}/){0,3}(?:ready|readyz|readiness))/?[\"'`]\s*[,)]")
"""A route that a call declares; that of a client follows the address of a server, which this has not."""
_MAPPED = regex(r"\.Map\w{1,30}\(\s*\"(?P<path>/(?:[\w-]{1,30}/){0,3}(?:ready|readyz|readiness))/?\"")
"""The same in C#, where a client's address may be relative."""
_LIVE = regex(
    r"[\w)]\(\s*[\"'`](?:GET )?(?P<path>/(?:[\w-]{1,30}/){0,3}(?:healthz?|livez?|liveness|alive|ping|status|up))"
    r"/?[\"'`]\s*[,)]"
)
"""The same of a route that is asked whether the program lives."""
_NEXT_ROUTE = regex(
    r"\n[ \t]{0,8}(?:@|[\w.]{1,60}\.(?:get|post|put|patch|delete|all|use|route|add_route|Handle\w*|Map\w+)\()"
)
_REFUSES = regex(r"\b503\b|HTTP_503|Service_?Unavailable|SERVICE_UNAVAILABLE")
_HANDLER = 3_000
"""Characters of a handler that are looked at."""
_METRICS = {
    ".go": (regex(r"\bpromhttp\."), regex(r"\.(?:Handle|HandleFunc|GET|Get)\(\s*\"(?:GET )?(?P<path>/metrics)\"")),
    ".rs": (regex(r"\b(?:prometheus|metrics)\w*\b"), regex(r"\.route\(\s*\"(?P<path>/metrics)\"")),
    ".cs": (
        regex(r"\b(?:OpenTelemetry|Prometheus)\b"),
        regex(
            r"\.(?:MapPrometheusScrapingEndpoint|UseOpenTelemetryPrometheusScrapingEndpoint|MapMetrics|UseMetricServer)\("
            r"\s*(?:\"(?P<path>/[\w/-]{1,60})\")?\s*\)\s*(?![\s.]*(?:Require|Disable))"
        ),
    ),
}
"""By the ending of code that no reader of routes knows: the library of metrics, and the route that serves them."""
_QUEUES = regex(
    r"\b(?:ListQueueBroker|RedisStreamBroker|ListRedisScheduleSource)\(|"
    r"\.(?:xreadgroup|xgroup_create|xReadGroup|xGroupCreate|XReadGroup|XGroupCreate(?:MkStream)?|brpop|blpop|BRPop|BLPop|brPop|"
    r"blPop|bzpopmin|BZPopMin|XAdd|xadd|xAdd)\("
)
"""Calls by which code hands on work through Redis: streams, lists that are waited for, the brokers of taskiq-redis."""
_METERED = Words("prometheus", "Prometheus", "PROMETHEUS", "/metrics", "'metrics", "VictoriaMetrics", "expfmt")
_DEPENDENCIES = {".go": "go.mod", ".php": "composer.json"}
_SIZES = {"kb": 2**10, "mb": 2**20}
_HINTS = Words(
    ".Shutdown(", "graceful", "SIGTERM", "SIGINT", "os.Interrupt", "ctrl_c()", "terminat", "signal_hook",
    "ListenAndServeTLS", "https.createServer", "ssl_", "server.ssl.", "autocert.", "axum_server", "rustls",
    "tls.Listen(",
    "MAX_", "odyLimit", "BodyLengthLimit", "MaxRequestBodySize", "IFormFile", "@fastify/multipart",
    "axFileSize", "axUploadSize", "axContentSize", "fileSize", "express.", "bodyParser.", "bodyparser.",
    "multer", "UploadFile", "request.files", "formidable", "busboy", "FileField", "FormFile(",
    "QueueBroker(", "StreamBroker(", "RedisScheduleSource(", "xreadgroup(", "ReadGroup(", "xgroup_create(",
    "GroupCreate",
    "brpop(", "blpop(", "Pop(", "opmin(", "XAdd(", "xadd(", "xAdd(",
    "/ready", "/readiness", "/health", "/ping", "@Controller(", "SwaggerModule.setup(",
    "/metrics", "PrometheusScraping", "MapMetrics(", "UseMetricServer(",
)  # fmt: skip
"""Without any of these words a file of code says nothing of all that, and needs no closer look."""


def read(source: Source) -> Reading:
    """A trait for each thing that a file says; nothing of tests."""
    code = {path: source.glance(path) for path in source.files if posixpath.splitext(path)[1] in _CODE}
    hinting = {path: text for path, text in code.items() if _HINTS.any_in(text) and not is_test(path)}
    texts = {path: _COMMENT.sub("", text) for path, text in hinting.items()}
    takes_files = any(_TAKES_FILES.search(text) for text in texts.values())
    reading = Reading()
    for path, text in texts.items():
        answers = list(health_routes.found(_language(path), text))
        reading.records += [
            ServerTrait(kind, 0, location_at(path, text, start), route) for kind, start, route in answers
        ]
        if path.endswith(_ROUTES_ALONE):
            continue
        reading.records += [*_waits(path, text), *_tls(path, text), *_bodies(path, text, takes_files)]
        reading.records += _metrics(path, text)
        if match := _QUEUES.search(text):
            reading.records.append(ServerTrait("queue", 0, _at(path, text, match)))
        match = (_MAPPED if path.endswith(".cs") else _READY).search(text)
        if match and all(route != match["path"] for _, _, route in answers):
            reading.records.append(ServerTrait("ready", 0, _at(path, text, match), match["path"]))
            reading.records += _refusing(path, text)
    reading.records += [*_interrupts(texts), *_unmetered(source, code)]
    return reading


def _refusing(path: str, text: str) -> Iterator[ServerTrait]:
    """The routes beside that of the readiness which refuse too, so that they look after something."""
    for match in _LIVE.finditer(text):
        after = _NEXT_ROUTE.search(text, match.end(), match.end() + _HANDLER)
        if _REFUSES.search(text, match.end(), after.start() if after else match.end() + _HANDLER):
            yield ServerTrait("refuses", 0, _at(path, text, match), match["path"])


def _unmetered(source: Source, code: dict[str, str]) -> Iterator[ServerTrait]:
    """For each language the file of dependencies, where no file of it speaks of metrics for Prometheus."""
    for ending, name in _DEPENDENCIES.items():
        lists = [path for path in source.files if posixpath.basename(path) == name]
        mine = [text for path, text in code.items() if path.endswith(ending)] if lists else []
        if mine and not any(map(_METERED.any_in, (*mine, *map(source.glance, lists)))):
            yield ServerTrait("unmetered", 0, Location(lists[0]), ending)


def _metrics(path: str, text: str) -> Iterator[ServerTrait]:
    library, route = _METRICS.get(_language(path), (None, None))
    match = route.search(text) if library and route and library.search(text) else None
    if match:
        yield ServerTrait("metrics", 0, _at(path, text, match), match["path"] or "/metrics")


def _at(path: str, text: str, match: re.Match[str]) -> Location:
    return location_at(path, text, match.start())


def _waits(path: str, text: str) -> Iterator[ServerTrait]:
    """How long the code lets requests end after it was told to stop."""
    if path.endswith(".go"):
        for match in _GO_WAIT.finditer(text) if ".Shutdown(" in text else ():
            seconds = _seconds(match) or _named(text, match["name"])
            if seconds and f".Shutdown({match['context']})" in text[match.end() : match.end() + _NEAR]:
                yield ServerTrait("shutdown", seconds, _at(path, text, match))
    elif path.endswith(".py"):
        for match in _PYTHON_WAIT.finditer(text):
            yield ServerTrait("shutdown", int(match["seconds"]), _at(path, text, match))
    elif "SIGTERM" in text and not path.endswith(".rs"):
        for match in _NODE_WAIT.finditer(text):
            yield ServerTrait("shutdown", int(match["ms"].replace("_", "")) // 1000, _at(path, text, match))


def _seconds(match: re.Match[str]) -> int:
    number, unit = match["number"] or match["number2"], match["unit"] or match["unit2"]
    return int(number) * (60 if unit == "Minute" else 1) if number else 0


def _named(text: str, name: str | None) -> int:
    """The span that a constant of the same file holds."""
    match = re.search(rf"\b{name}\s*:?=\s*{_SPAN}", text) if name else None
    return _seconds(match) if match else 0


def _tls(path: str, text: str) -> Iterator[ServerTrait]:
    if match := _TLS.search(text):
        yield ServerTrait("tls", 0, _at(path, text, match))


def _bodies(path: str, text: str, takes_files: bool) -> Iterator[ServerTrait]:
    """How large an upload may be."""
    for match in _BODY.finditer(text) if takes_files else ():
        amount = _product(match["product"]) * (2**20 if match["name"].endswith("_MB") else 1)
        yield ServerTrait("body", amount, _at(path, text, match))
    for match in _PARSER.finditer(text):
        yield ServerTrait("body", int(match["size"]) * _SIZES[match["suffix"].lower()], _at(path, text, match))


def _product(text: str) -> int:
    """A product of numbers, or one that is shifted: `10 * 1024 * 1024`, `10 << 20`."""
    first, *shifts = (math.prod(int(each) for each in part.replace("_", "").split("*")) for part in text.split("<<"))
    return first << min(sum(shifts), 40)


def _interrupts(texts: dict[str, str]) -> Iterator[ServerTrait]:
    """Where a program ends in order on SIGINT, if no file in its language knows SIGTERM."""
    for ending, (ends, knows) in _INTERRUPTED.items():
        mine = {path: text for path, text in texts.items() if _language(path) == ending}
        if any(knows.search(text) for text in mine.values()):
            continue
        for path, text in mine.items():
            if match := ends.search(text):
                yield ServerTrait("interrupt", 0, _at(path, text, match))


def _language(path: str) -> str:
    ending = posixpath.splitext(path)[1]
    return _SAME.get(ending, ending)
