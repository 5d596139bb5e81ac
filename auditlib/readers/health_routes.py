"""Routes on health that do nothing but answer, in code: Python, JavaScript, NestJS, Go, Java, PHP.

Follows https://expressjs.com/en/guide/routing.html, https://docs.nestjs.com/controllers,
https://pkg.go.dev/net/http#ServeMux.HandleFunc, https://laravel.com/docs/routing and
https://docs.spring.io/spring-framework/reference/web/webmvc/mvc-controller/ann-requestmapping.html. A body that decides
nothing, and calls only what makes its answer, answers the same whatever it needs is down. The text is searched, not
parsed, but for Python.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

from auditlib.patterns import regex
from auditlib.readers import health_handlers

_WORD = r"(?:healthz?|health-?check|ping|ready|readyz|readiness)"
_PATH = rf"(?P<path>/(?:[\w-]{{1,30}}/){{0,3}}{_WORD})/?"
_WHOLE_PATH = regex(_PATH)
_NODE = regex(
    rf"\.get\(\s*[\"']{_PATH}[\"']\s*,\s*\(?\w+\s*,\s*\w+\)?\s*=>\s*\{{?\s*(?:return\s+)?"
    r"\w+(?:\.status\(200\))?\.(?:json|send)\(\s*(?:\{(?:[^{}()]|Date\(\)|toISOString\(\)|uptime\(\)){0,300}\}|[\"'][^\"'\n]{0,80}[\"'])"
    r"\s*\);?\s*\}?\s*\)"
)
_NEST = regex(
    r"@Get\(\s?(?:[\"'`](?P<path>[\w/-]{1,60})[\"'`])?\s?\)\s{1,80}(?:@\w{1,40}\([^()]{0,200}\)\s{1,80}){0,6}"
    r"(?:public )?(?:async )?\w{1,60}\(\)(?:: ?[^\n]{1,160}?)? ?\{\n(?=(?P<body>.{0,600}))",
    re.S,
)
_CONTROLLER = regex(
    r"@Controller\(\s?(?:\{\s?path:\s?)?(?:[\"'`](?P<path>[\w/-]{0,60})[\"'`])?[^()]{0,80}\)\s{1,80}"
    r"(?:@\w{1,40}\([^()]{0,200}\)\s{1,80}){0,6}export class"
)
_MANUAL = regex(r"\bSwaggerModule\.setup\(\s*[\"'`]/?(?P<path>[\w/-]{1,60})[\"'`]")
"""Where NestJS serves the page of its documentation."""

_BLANK = r"\s{0,80}"
_GO = regex(
    rf"\"(?:GET )?{_PATH}\"{_BLANK},{_BLANK}(?:func\([^)\n]{{0,120}}\)[ ]?(?:error)?{_BLANK}\{{(?P<body>.{{0,600}})|"
    r"(?P<name>\w{1,60})\))",
    re.S,
)
_GO_BODY = r"func {name}\([^)\n]{{0,160}}\)[ ]?(?:error)?\s{{0,9}}\{{(?P<body>.{{0,600}})"
_PHP = regex(
    r"\bRoute::get\(\s{0,80}[\"']/?(?P<path>(?:[\w-]{1,30}/){0,3}(?:healthz?|health-?check|ping|up))[\"']\s{0,80},"
    r"\s{0,80}(?:static )?(?:function\s{0,9}\(\)[^{;]{0,60}\{|fn\s{0,9}\(\)[^=;]{0,60}=>)(?=(?P<body>.{0,600}))",
    re.S,
)
_ANNOTATIONS = rf"(?:@\w+(?:\([^()]{{0,200}}\))?{_BLANK}){{0,6}}"
_SPRING = regex(
    rf"@(?:Get|Request)Mapping(?:\({_BLANK}(?:(?:value|path)\s?=\s?)?\"(?P<path>[\w/-]{{1,80}})\"[^()]{{0,80}}\))?{_BLANK}"
    rf"{_ANNOTATIONS}(?:public )?[\w<>,? ]{{1,80}} \w{{1,60}}\(\){_BLANK}\{{(?=(?P<body>.{{0,1000}}))",
    re.S,
)
_OF_CLASS = regex(
    rf"@RequestMapping\({_BLANK}(?:(?:value|path)\s?=\s?)?\"(?P<path>[\w/-]{{1,80}})\"[^()]{{0,80}}\){_BLANK}"
    rf"{_ANNOTATIONS}(?:public )?class\b"
)
_LIMIT = 20
"""How many routes of a file are looked at; each may have its handler elsewhere in it."""
_ON_HEALTH = regex(rf"/{_WORD}$")
_NAMED = regex(rf"[\"']/(?:[\w-]{{1,30}}/){{0,3}}{_WORD}/?[\"']")

_TEXT = regex(r"\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|`[^`\n]{0,300}`")
_NOTE = regex(r"//[^\n]*")
_CALL = regex(r"\b(\w+)(?:<[^<>()]{0,60}>)?\(")
_DECIDES = regex(r"\b(?:if|switch|match|try|throw|await|catch|select)\b|\?|<-")
_HARMLESS = {
    "go": frozenset({
        "Write", "WriteHeader", "Header", "Set", "byte", "Fprint", "Fprintf", "Fprintln", "WriteString", "NewEncoder",
        "Encode", "JSON", "String", "SendString", "SendStatus", "Status", "Now", "Format", "Unix", "UTC", "Since",
        "Text", "Seconds", "respond", "respondJSON", "writeJSON", "WriteJSON", "jsonResponse", "RespondJSON",
    }),
    "php": frozenset({
        "response", "json", "now", "toISOString", "toIso8601String", "config", "version", "app", "env", "time", "date",
        "toDateTimeString", "format", "timestamp",
    }),
    "nest": frozenset({"Date", "toISOString", "uptime", "now", "getTime"}),
    "java": frozenset({
        "HashMap", "LinkedHashMap", "put", "of", "entry", "now", "currentTimeMillis", "success", "ok", "toString",
        "build", "body", "singletonMap", "toEpochMilli",
    }),
}  # fmt: skip
"""The calls that make an answer, by language."""

Found = tuple[str, int, str]
"""A kind, `constant` or `manual`, where it stands in the text, and the route."""


def found(ending: str, text: str) -> Iterator[Found]:
    """What a file of a language says of routes that only answer; a page of documentation is one too."""
    if reader := _READERS.get(ending):
        yield from reader(text)


def _searched(pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    if match := pattern.search(text):
        yield "constant", match.start(), match["path"]


def _of_python(text: str) -> Iterator[Found]:
    if "@" not in text or not _NAMED.search(text):
        return
    starts = [0, *(match.end() for match in re.finditer(r"\n", text))]
    for line, path in health_handlers.constant(text, _WHOLE_PATH):
        yield "constant", starts[line - 1], path


def _of_node(text: str) -> Iterator[Found]:
    yield from _searched(_NODE, text)
    if "@Controller(" in text:
        yield from _of_nest(text)
    if match := _MANUAL.search(text):
        yield "manual", match.start(), "/" + match["path"].strip("/")


def _of_nest(text: str) -> Iterator[Found]:
    controller = _CONTROLLER.search(text)
    prefix = f"/{controller['path'].strip('/')}" if controller and controller["path"] else ""
    for route in itertools.islice(_NEST.finditer(text), _LIMIT):
        path = prefix + (f"/{route['path'].strip('/')}" if route["path"] else "")
        body = _until_its_end(route["body"])
        if _ON_HEALTH.search(path) and "return" in body and "this." not in body and _calls_only(body, "nest"):
            yield "constant", route.start(), path


def _of_go(text: str) -> Iterator[Found]:
    for match in itertools.islice(_GO.finditer(text), _LIMIT):
        body = match["body"]
        if match["name"] and (named := re.search(_GO_BODY.format(name=match["name"]), text, re.S)):
            body = named["body"]
        if body and _only_answers(_until_its_end(body), "go"):
            yield "constant", match.start(), match["path"]


def _of_php(text: str) -> Iterator[Found]:
    for match in _PHP.finditer(text):
        body = match["body"]
        shown = _until_its_end(body) if "=>" not in text[match.start() : match.start("body")] else body.split(";")[0]
        if _only_answers(shown, "php"):
            yield "constant", match.start(), "/" + match["path"]


def _of_spring(text: str) -> Iterator[Found]:
    prefix = match["path"].rstrip("/") if (match := _OF_CLASS.search(text)) else ""
    for route in _SPRING.finditer(text):
        path = prefix + (f"/{route['path'].strip('/')}" if route["path"] else "")
        if _ON_HEALTH.search(path) and _only_answers(_until_its_end(route["body"]), "java"):
            yield "constant", route.start(), path


def _until_its_end(body: str) -> str:
    """A body up to the brace that ends it; empty if that stands further away."""
    plain = _NOTE.sub("", _TEXT.sub('""', body))
    depth = 1
    for index, letter in enumerate(plain):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return plain[:index]
    return ""


def _only_answers(body: str, language: str) -> bool:
    """Whether a body decides nothing and calls nothing but what makes its answer."""
    return bool(_CALL.search(body)) and _calls_only(body, language)


def _calls_only(body: str, language: str) -> bool:
    plain = _NOTE.sub("", _TEXT.sub('""', body))
    return not _DECIDES.search(plain) and set(_CALL.findall(plain)) <= _HARMLESS[language]


_READERS: dict[str, Callable[[str], Iterator[Found]]] = {
    ".py": _of_python,
    ".js": _of_node,
    ".go": _of_go,
    ".php": _of_php,
    ".java": _of_spring,
}
