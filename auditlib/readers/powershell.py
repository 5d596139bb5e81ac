"""What the text of a script for PowerShell says: what its own parser refuses, and whether it asks how programs ended.

Follows https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules,
about_variables and about_automatic_variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from auditlib.inventory.delivery import Pair, Script
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import swallowing
from auditlib.redaction import Vault

_OPENS = regex(r"<#|(?<![^\s;(){}|,])#|@'|@\"|['\"`]")
_IN_STRING = regex(r"[\"`]|\$\(")
_IN_EXPRESSION = regex(r"<#|(?<![^\s;(){}|,])#|['\"`()]")
_QUALIFIED = regex(r"(?<!`)\$(?P<name>[A-Za-z_]\w{0,80}):")
_ENDS = {"'": "'", "<#": "#>", "@'": "\n'@"}
_NESTING = 30
_MOST = 100
_AFTER_COLON = frozenset("_?:^${")
"""What may follow the colon of a scope or a drive, beside letters and digits."""
_NATIVE = regex(
    r"(?:\$[\w.]{1,60}[ \t]*=[ \t]*)?(?P<call>(?:ssh|scp|rsync|rclone|docker|docker-compose|kubectl|helm|git|npm|pnpm|"
    r"yarn|dotnet|terraform|restic|pg_dump|mysqldump)(?:\.exe)?[ \t]+\S.*)"
)
_ASKS = regex(r"\$LASTEXITCODE\b|\$\?|PSNativeCommandUseErrorActionPreference\b", 2)
_LINE_OF_ENV = regex(r"[\"']([A-Z][A-Z0-9_]+)=")
"""A line of an environment file in a text of PowerShell."""
_WRITES = regex(
    r"(?i)\b(?:Copy-Item|Move-Item|Rename-Item|New-Item|Out-File|Set-Content|Add-Content|copy|move|WriteAll\w+)\b|>"
)
_PATH = regex(r"(?<![\w$./@-])[\w$./@-]*[\w@-]\.[\w.-]*\w")

Part = tuple[int, int]


def described(script: Script, text: str, vault: Vault) -> Script:
    """A script with what its text says of the files that it makes and the programs that it calls."""
    calls = unasked_calls(script.path, text)
    return replace(
        script,
        sets=frozenset(_LINE_OF_ENV.findall(text)),
        makes=tuple(dict.fromkeys(_makes(text))),
        refused_references=tuple(refused_references(script.path, text)),
        unasked_calls=tuple(replace(item, value=vault.mask(item.value)) for item in calls),
        swallowing=tuple(swallowing.names(script.path, text, powershell=True)),
    )


def _makes(text: str) -> Iterator[str]:
    """The paths in lines of PowerShell that write a file, as slashes write them."""
    for line in text.splitlines():
        if _WRITES.search(line[:2_000]) and not line.lstrip().startswith("#"):
            yield from _PATH.findall(line[:2_000].replace("\\", "/"))


def refused_references(file: str, text: str) -> Iterator[Pair]:
    """The `$name:` in strings that the parser takes for a drive without a variable, each as it is written."""
    parts = _literal_parts(text) if ":" in text else ()
    found = (match for start, end in parts for match in _QUALIFIED.finditer(text, start, end))
    for match in islice((item for item in found if _is_refused(text, item.end())), _MOST):
        yield Pair(match["name"], "", Location(file, text.count("\n", 0, match.start()) + 1))


def _is_refused(text: str, at: int) -> bool:
    """Whether no variable's name goes on behind a colon."""
    after = text[at : at + 1]
    return not (after.isalnum() or after in _AFTER_COLON)


def unasked_calls(file: str, text: str) -> Iterator[Pair]:
    """The lines that call programs, in a script that nowhere asks how one ended; PowerShell goes on after a failure."""
    if _ASKS.search(text):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _NATIVE.match(line[:2_000].strip()):
            yield Pair(match["call"].split(maxsplit=1)[0], match["call"][:80], Location(file, number))


def _literal_parts(text: str) -> Iterator[Part]:
    """Where the text of expandable strings stands, without the `$(…)` in them."""
    at = 0
    while found := _OPENS.search(text, at):
        if found[0] == '"':
            at, parts = _string(text, found.end(), 0)
            yield from parts
        elif found[0] == '@"':
            end = _after(text, '\n"@', found.end())
            yield found.end(), end - 3
            at = end
        else:
            at = _skipped(text, found[0], found.end())


def _skipped(text: str, opened: str, at: int) -> int:
    """Where a comment, a literal string or an escaped character ends."""
    if opened == "`":
        return at + 1
    return _after(text, _ENDS.get(opened, "\n"), at)


def _after(text: str, mark: str, at: int) -> int:
    end = text.find(mark, at)
    return len(text) if end < 0 else end + len(mark)


def _string(text: str, at: int, depth: int) -> tuple[int, list[Part]]:
    """Where an expandable string ends whose quote stands before a place, and its parts."""
    parts: list[Part] = []
    start = at
    while found := _IN_STRING.search(text, at):
        at = found.end()
        if found[0] == "`":
            at += 1
        elif found[0] == "$(":
            parts.append((start, found.start()))
            at = start = _expression(text, at, depth + 1)
        elif text.startswith('"', at):
            at += 1
        else:
            return at, [*parts, (start, at)]
    return len(text), []


def _expression(text: str, at: int, depth: int) -> int:
    """Where the parenthesis of a `$(` ends."""
    open_ones = 1
    while found := _IN_EXPRESSION.search(text, at):
        at = found.end()
        if found[0] == '"' and depth < _NESTING:
            at, _ = _string(text, at, depth)
        elif found[0] in "()":
            open_ones += 1 if found[0] == "(" else -1
            if not open_ones:
                return at
        else:
            at = _skipped(text, found[0], at)
    return len(text)
