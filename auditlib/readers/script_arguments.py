"""The arguments that a script takes, where it refuses all others.

Of a shell script the patterns of its `case` over the first argument, whose `*` ends it as failed; of a Python script
the options that argparse is told of. None where that can't be told: `getopts`, a `case` of a function, options from
elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditlib.patterns import regex

_CASE = regex(r"\s*case\s+[\"']?\$\{?(?P<name>\w{1,40})(?:[:,^-][^\s\"']{0,60})?\}?[\"']?\s+in\b(?P<rest>.*)")
_FIRST = regex(r"(?:^|[\s;])(?:local |readonly |export )?(?P<name>\w{1,40})=[\"']?\$\{?1(?:[:}\"'\s-]|$)")
_PATTERN = regex(
    r"\s*\(?(?P<words>(?:[\"']?[\w*?.:=+@-]{1,60}[\"']?)(?:\s*\|\s*[\"']?[\w*?.:=+@-]{1,60}[\"']?){0,20})\s*\)(?P<rest>.*)"
)
_FUNCTION = regex(r"(?:function\s+)?(?P<name>[\w-]{1,60})\s*\(\)\s*\{?|function\s+(?P<other>[\w-]{1,60})\s*\{")
_OF_PROGRAM = regex(r"main|parse\w*|process_?args\w*|handle_?args\w*")
_COMPARED = regex(r"\$\{?1(?:[:,-][^}\s]{0,20})?\}?[\"']?\s*(?:==?|!=|=~)\s*[\"']?\^?(?P<word>[\w-]{1,40})")
_ENDS = regex(r"\b(?:exit|return)\s+(?:[1-9]|\$)|\b(?:usage|die|fatal|fail|abort|show_help|show_usage|print_usage)\b")
_OPTION = regex(r"\.add_argument\(\s*(?P<names>(?:[rbu]?[\"'][\w./ -]{1,60}[\"']\s*,?\s*){1,4})")
_TEXT = regex(r"[\"']([\w-]{1,60})[\"']")
_FROM_ELSEWHERE = regex(
    r"parse_known_args|parents\s*=|add_arguments\(|allow_abbrev|REMAINDER|add_argument\(\s*[^\"'\s]"
)
_PARSER = regex(
    r"\b(?P<name>\w{1,40})\s*=\s*[\w.]{0,60}(?:ArgumentParser|add_parser|add_subparsers|add_argument_group|"
    r"add_mutually_exclusive_group)\("
)
_CALL = regex(r"\b(?P<function>[\w.]{1,80})\(\s*(?P<name>\w{1,40})\s*[,)]")
_DEFINED = regex(r"\bdef\s+(\w{1,60})\(")
_ADD_NOTHING = frozenset({"autocomplete", "print", "isinstance", "vars"})
_BOTH_WAYS = regex(r"[\"']--([\w-]{1,60})[\"'][^()]{0,300}\bBooleanOptionalAction\b")
_LIMIT = 400


def of_shell(text: str) -> tuple[str, ...] | None:
    """The words that may stand first."""
    if "case " not in text or "getopts" in text or "getopt " in text:
        return None
    lines = [line[:_LIMIT] for line in text.splitlines()]
    firsts = {"1", *(match["name"] for line in lines for match in _FIRST.finditer(line))}
    function = ""
    for number, line in enumerate(lines):
        if match := _FUNCTION.match(line):
            function = match["name"] or match["other"] or ""
        elif line.startswith("}"):
            function = ""
        found = _CASE.match(line)
        if found and found["name"] in firsts and (not function or _OF_PROGRAM.fullmatch(function)):
            known = _patterns([found["rest"], *lines[number + 1 :]])
            others = (match["word"] for each in lines for match in _COMPARED.finditer(each))
            return None if known is None else tuple(dict.fromkeys((*known, *others)))
    return None


def _patterns(lines: Sequence[str]) -> list[str] | None:
    """The patterns of a `case` up to its end; None where what matches none of them isn't refused."""
    found: list[str] = []
    refuses = False
    for pattern, body in _branches(lines):
        if pattern == "*":
            refuses = _ENDS.search(body) is not None
        elif pattern.startswith("*"):
            return None
        else:
            found.append(pattern)
    return found if refuses else None


def _branches(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each pattern with what is done for it."""
    depth, words, body = 0, list[str](), list[str]()
    for line in lines:
        stripped = line.strip()
        if re.match(r"case\s", stripped):
            depth += 1
        if stripped.startswith("esac"):
            if not depth:
                break
            depth -= 1
        match = None if depth or body else _PATTERN.match(line)
        if match:
            words = [word.strip().strip("\"'") for word in match["words"].split("|")]
        body.append(match["rest"] if match else line)
        if not depth and ";;" in line:
            yield from ((word, "\n".join(body)) for word in words)
            words, body = [], []
        elif not words:
            body = []
    yield from ((word, "\n".join(body)) for word in words)


def of_python(text: str) -> tuple[str, ...] | None:
    """The options that argparse knows."""
    if "ArgumentParser(" not in text or ".parse_args(" not in text or _FROM_ELSEWHERE.search(text):
        return None
    if _is_handed_on(text):
        return None
    names = (name for match in _OPTION.finditer(text) for name in _TEXT.findall(match["names"]))
    off = (f"--no-{name}" for name in _BOTH_WAYS.findall(text))
    return ("-h", "--help", *(name for name in names if name.startswith("-")), *off)


def _is_handed_on(text: str) -> bool:
    """Whether a function of another module is given a parser, to which it may add options."""
    parsers = {match["name"] for match in _PARSER.finditer(text)}
    own = {*_DEFINED.findall(text), *_ADD_NOTHING}
    called = (match for match in _CALL.finditer(text) if match["name"] in parsers)
    return any(match["function"].rpartition(".")[2] not in own for match in called)
