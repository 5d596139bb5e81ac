"""What JavaScript and TypeScript demand of the environment without a schema: checks that stop the program, functions
that look up what they are given the name of, lists of names, `env-var`, and classes for class-validator.

Follows https://github.com/evanshortiss/env-var and https://docs.nestjs.com/techniques/configuration. A check counts
where it stands at the outermost level and asks for nothing else (`if (!process.env.KEY) throw …`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from auditlib.patterns import regex

_NAME = r"[A-Z][A-Z0-9_]{1,80}"
_STRING = r"""'[^'\\\n]{0,500}'|"[^"\\\n]{0,500}"|`[^`\\$]{0,500}`"""
_STOPS = regex(r"\bthrow\b|\bprocess\.exit\(")
_UNSET = (
    rf"(?:!\s*process\.env\.{_NAME}|!\s*process\.env\[[\"']{_NAME}[\"']\]|!\s*[A-Za-z_]\w{{0,60}}|"
    rf"(?:process\.env\.{_NAME}|[A-Za-z_]\w{{0,60}})\s*===?\s*undefined)"
)
_CHECK = regex(
    rf"^if\s*\(\s*(?P<asked>{_UNSET}(?:\s*\|\|\s*{_UNSET}){{0,20}})\s*\)\s*\{{?(?P<body>[^{{}}]{{0,300}}?)"
    r"(?:\bthrow\b|\bprocess\.exit\()",
    re.M,
)
_WORD = regex(r"process\.env(?:\.|\[[\"'])(\w+)|([A-Za-z_]\w*)")
_HELD = regex(
    rf"^(?:export\s+)?(?:const|let|var)\s+(?P<held>\w{{1,60}})(?:\s*:[^=\n]{{1,60}})?\s*=\s*process\.env\.(?P<name>{_NAME})\s*;?$",
    re.M,
)
_HELPER = regex(
    r"^(?:export\s+)?(?:function\s+(?P<function>\w{1,60})\s*\(|const\s+(?P<arrow>\w{1,60})\s*=\s*\()"
    r"\s*(?P<key>\w{1,40})(?P<more>[^)]{0,200})\)[^{\n]{0,60}\{(?P<body>(?:(?!^\}).){0,800}?)^\}",
    re.M | re.S,
)
_LIST = regex(
    rf"\b(?:const|let|var)\s+(?P<list>\w{{1,60}})(?:\s*:[^=\n]{{1,60}})?\s*=\s*"
    rf"\[\s*(?P<items>(?:[\"']{_NAME}[\"']\s*(?:,\s*|(?=\])))+)\]"
)
_ITEM = regex(rf"[\"']({_NAME})[\"']")
_ENV_VAR = regex(
    rf"\benv\s*\.get\(\s*[\"'](?P<name>{_NAME})[\"']\s*\)(?P<rest>(?:\s*\.\w{{1,30}}\([^()\n]{{0,200}}\)){{0,6}})"
)
_GIVEN = regex(rf"\.default\(\s*(?P<value>{_STRING}|[\w.+-]+)")
_FIELD = regex(
    rf"(?P<said>(?:@\w{{1,40}}\([^;@]{{0,300}}\)\s*){{1,10}})(?:public\s+|readonly\s+)*(?P<name>{_NAME})(?P<mark>[!?]?)\s*:\s*"
    rf"[\w\[\]<>|' \"]{{1,80}}(?:=\s*(?P<value>{_STRING}|[\w.+-]+))?\s*;"
)
_MOST = 50
"""Functions and lists of one file whose uses are looked for; each is a look through the whole file."""
HINT = regex(r"process\.env\b|\benv-var\b|\bplainTo(?:Instance|Class)\(")


class Demand(Struct, frozen=True):
    """A variable, what is written as its default, and whether the program stops without it."""

    name: str
    written: str | None
    required: bool
    position: int
    at_once: bool = False
    """Whether the check stands at the outermost level, so that it is made when the file is loaded."""


def read_demands(text: str) -> Iterator[Demand]:
    """What is looked up in other ways than by its name behind `process.env`."""
    yield from _through_helpers(text) if "process.env[" in text else ()
    yield from _of_lists(text) if "process.env[" in text else ()
    yield from _of_env_var(text) if "env-var" in text else ()
    yield from _of_fields(text) if "plainTo" in text and "validate" in text else ()


def demanded(text: str) -> frozenset[str]:
    """The variables that the outermost level of a file demands, by their own name or by what holds them."""
    held = {match["held"]: match["name"] for match in _HELD.finditer(text)}
    words = (word for match in _CHECK.finditer(text) for word in _WORD.findall(match["asked"]))
    return frozenset(direct or held.get(holder, "") for direct, holder in words) - {""}


def _through_helpers(text: str) -> Iterator[Demand]:
    for match in islice(_HELPER.finditer(text), _MOST):
        if f"process.env[{match['key']}]" in match["body"]:
            name = match["function"] or match["arrow"]
            stops = _STOPS.search(match["body"]) is not None and "," not in match["more"]
            call = re.compile(
                rf"(?<![\w.]){re.escape(name)}\(\s*[\"']({_NAME})[\"']\s*(?:,\s*({_STRING}|[\w.+-]+)\s*)?[,)]"
            )
            for found in call.finditer(text):
                yield Demand(found[1], found[2], stops and found[2] is None, found.start())


def _of_lists(text: str) -> Iterator[Demand]:
    for match in islice(_LIST.finditer(text), _MOST):
        name = re.escape(match["list"])
        used = re.search(
            rf"(?:\bof\s+{name}\b|\b{name}\s*\.(?:forEach|filter|some|every|find|map)\()[^;]{{0,200}}?process\.env\[",
            text,
        )
        if used and _STOPS.search(text, used.end(), used.end() + 500):
            for item in _ITEM.finditer(text, match.start("items"), match.end("items")):
                yield Demand(item[1], None, True, item.start(), _is_outermost(text, used.start()))


def _is_outermost(text: str, position: int) -> bool:
    """Whether the line of a place is not indented."""
    return not text[text.rfind("\n", 0, position) + 1 : position + 1][:1].isspace()


def _of_env_var(text: str) -> Iterator[Demand]:
    for match in _ENV_VAR.finditer(text):
        given = _GIVEN.search(match["rest"])
        yield Demand(match["name"], given["value"] if given else None, ".required(" in match["rest"], match.start())


def _of_fields(text: str) -> Iterator[Demand]:
    lenient = "skipMissingProperties: true" in text
    for match in _FIELD.finditer(text):
        optional = lenient or match["mark"] == "?" or match["value"] is not None or "@IsOptional" in match["said"]
        yield Demand(match["name"], match["value"], not optional, match.start("name"))
