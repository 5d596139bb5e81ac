"""Commands that ask a question before they act, and the option with which they don't.

Sources: the manual of each program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from auditlib import command_words
from auditlib.patterns import regex


class Prompt(Struct, frozen=True):
    """A command that asks: what it is called, the option that answers, and whether it then fails or does nothing."""

    called: str
    option: str
    outcome: str


class _Asks(Struct, frozen=True):
    call: re.Pattern[str]
    answers: re.Pattern[str]
    option: str
    outcome: str


_PLAN = r"(?<!-var-file)(?<!-var)(?<!-target)(?<!-replace)(?<!-state)\s(?!-|apply$|destroy$)[\w./-]+$"
"""A saved plan, the last word of a call: what no option takes for its value."""
_FAILS = "ends with an error"
_NOTHING = "removes nothing"
_ASKING = (
    _Asks(regex(r"terraform (?:-chdir=\S+ )?(?:apply|destroy)\b"),
          regex(r"-auto-approve|tfplan|plan\b|\.plan|\$|" + _PLAN), "-auto-approve", _FAILS),
    _Asks(regex(r"pulumi (?:up|destroy|refresh)\b"), regex(r"\s(?:--yes|-y|--skip-preview)\b"), "--yes", _FAILS),
    _Asks(regex(r"docker (?:system|image|volume|container|network|builder|buildx) prune\b"),
          regex(r"\s(?:--force|-\w*f\w*)\b"), "--force", _NOTHING),
    _Asks(regex(r"prisma migrate dev\b"), regex(r"\s--help\b"), "migrate deploy", _FAILS),
    _Asks(regex(r"prisma migrate reset\b"), regex(r"\s(?:--force|-f)\b"), "--force", _FAILS),
    _Asks(regex(r"prisma db push\b.*--force-reset"), regex(r"--accept-data-loss"), "--accept-data-loss", _FAILS),
    _Asks(regex(r"pip3? uninstall\b"), regex(r"\s(?:-y|--yes)\b"), "-y", _FAILS),
    _Asks(regex(r"(?:conda|mamba) (?:install|create|update|remove)\b"), regex(r"\s(?:-y|-\w*y|--yes)\b"), "-y", _FAILS),
    _Asks(regex(r"(?:yum|dnf|microdnf) (?:\S+ )?(?:install|update|upgrade|remove)\b"),
          regex(r"\s(?:-\w*y\w*|--assumeyes)\b|^microdnf"), "-y", _FAILS),
    _Asks(regex(r"zypper (?:install|in|update|up)\b"), regex(r"\s(?:-y|--non-interactive|-n|--no-confirm)\b"),
          "--non-interactive", _FAILS),
    _Asks(regex(r"pacman -S\w*\b"), regex(r"--noconfirm|-Sy\b(?= *$)"), "--noconfirm", _FAILS),
    _Asks(regex(r"certbot certonly\b"),
          regex(r"\s(?:-n|--non-interactive|--noninteractive|-q|-c|--config)\b|--agree-tos"),
          "--non-interactive --agree-tos", _FAILS),
    _Asks(regex(r"eb terminate\b"), regex(r"--force"), "--force", _FAILS),
    _Asks(regex(r"heroku (?:apps:destroy|pg:reset|pg:copy)\b"), regex(r"--confirm"), "--confirm <app>", _FAILS),
    _Asks(regex(r"vercel (?:remove|rm)\b"), regex(r"\s(?:--yes|-y)\b"), "--yes", _FAILS),
)  # fmt: skip
_ON_LIVE = (
    _Asks(regex(r"(?:php )?artisan (?:migrate(?::(?:fresh|refresh|rollback|reset))?|db:seed|db:wipe)(?= |$)"),
          regex(r"\s(?:--force|--pretend|--no-interaction)\b"), "--force", "is cancelled in production"),
    _Asks(regex(r"manage\.py (?:flush|collectstatic)(?= |$)"), regex(r"--no-?input|--dry-run|\s-n\b"), "--noinput",
          "ends with an error where files are there already"),
)  # fmt: skip
"""What asks where it meets production's settings or data."""
_TERMINAL = regex(r"^-(?=[a-z]*i)(?=[a-z]*t)[a-z]+$")
_DETACHED = regex(r"^-[a-z]*d[a-z]*$")
_STARTS = frozenset({"sudo", "env", "-E", "npx", "pnpm", "yarn", "bunx", "exec", "poetry", "uv", "run", "bundle",
                     "python", "python3", "time"})  # fmt: skip


def asked(words: Sequence[str], live: bool = False) -> Prompt | None:
    """What a command asks where nobody answers; with `live` also what only production makes it ask."""
    core = list(words)
    while core and (core[0] in _STARTS or "=" in core[0]):
        core = core[1:]
    text = " ".join(core)
    if found := _terminal(core):
        return found
    for each in (*_ASKING, *(_ON_LIVE if live else ())):
        match = each.call.match(text)
        if match and not each.answers.search(text[match.end() :]) and not each.answers.search(text[: match.end()]):
            return Prompt(match[0], each.option, each.outcome)
    return None


def _terminal(core: list[str]) -> Prompt | None:
    """A call of Docker that wants a terminal: both `-i` and `-t` before the container or image."""
    if core[:1] not in (["docker"], ["podman"]) or core[1:2] not in (["exec"], ["run"]):
        return None
    name, _ = command_words.split(core[2:])
    options = core[2 : core.index(name, 2)] if name in core[2:] else core[2:]
    if "--detach" in options or any(map(_DETACHED.match, options)):
        return None  # Docker looks for a terminal only where it stays
    both = any(map(_TERMINAL.match, options)) or (
        {"-i", "--interactive"} & set(options) and {"-t", "--tty"} & set(options)
    )
    return Prompt(f"{core[0]} {core[1]} -it", "-i", "ends with “the input device is not a TTY”") if both else None
