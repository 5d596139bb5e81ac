"""What the commands of well-known servers, runners and interpreters start: modules, scripts, scripts of package.json.

Sources: the command line documentation of uvicorn, gunicorn, hypercorn, daphne, Flask, FastAPI, Celery, Dramatiq, RQ,
arq, huey, Python, Node and npm.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from auditlib.command_words import EVERYWHERE, PACKAGE_MANAGERS, SHELLS, core, place, script_name
from auditlib.inventory.delivery import Command
from auditlib.patterns import regex

_WRAPPERS = frozenset({
    "tini", "dumb-init", "catatonit", "nohup", "setsid", "nice", "ddtrace-run", "opentelemetry-instrument", "dockerize",
    "newrelic-admin", "run-program", "wait-for-it", "wait-for", "chpst", "doppler", "infisical",
})  # fmt: skip
_USER_SWITCHES = frozenset({"gosu", "su-exec", "runuser", "setpriv"})
_SCRIPT = regex(r"[\w@./-]+\.(?:sh|bash|py|js|mjs|cjs|ts|rb|php|pl)")
_CONFIGURED = {
    "gunicorn": ("-c", "--config"), "sidekiq": ("-C", "--config"), "puma": ("-C", "--config"),
    "uvicorn": ("--log-config",), "hypercorn": ("-c", "--config"), "supervisord": ("-c", "--configuration"),
}  # fmt: skip
"""Options of servers for a file that has to be there (https://docs.gunicorn.org/en/stable/settings.html#config,
https://github.com/sidekiq/sidekiq/wiki/Advanced-Options, https://www.uvicorn.org/settings/#logging)."""
_CONFIGURATION = regex(r"[\w@./-]+\.(?:py|rb|ya?ml|json|toml|ini|conf)")
_APPLICATION = regex(r"[A-Za-z_]\w*(?:\.\w+)*:[A-Za-z_][\w.]*(?:\(\))?")
_DOTTED = regex(r"[A-Za-z_]\w*(?:\.\w+)*")
_EXPANSION = regex(r"\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^${}]*))?\})")
_KNOWN = regex(r"[\w@./:-]+")


class Start(Struct, frozen=True):
    """Something that a command starts. One of `paths` must be there; one with a slash at its end is a folder.

    `kind` is `module`, `script`, `configuration` or `npm`; of the last `missing` is the script of package.json itself.
    """

    what: str
    kind: str
    missing: str
    paths: tuple[str, ...] = ()
    within: str = ""
    """The folder of the package that must be there, since a module of no such package is a library's."""
    owner: str = ""
    """The package, one of `paths`, that counts only if it may hold the last word as a name of its own."""
    name: str = ""
    """What the module must have by that name, where a server asks it for its application (`shop.main:create_app()`)."""


def expanded(command: Command, variables: dict[str, str]) -> tuple[str, ...]:
    """The words of a command with the values that its shell puts into them, where these are known words."""

    def value(match: re.Match[str]) -> str:
        found = variables.get(match["name"] or match["braced"], "") or match["default"] or ""
        return found if _KNOWN.fullmatch(found) else match[0]

    return tuple(_EXPANSION.sub(value, word) if command.expands else word for word in command.words)


def starts(words: tuple[str, ...], variables: dict[str, str]) -> Iterator[Start]:
    """All that a command starts by name, those included that a script gets as its arguments."""
    for view in _views(list(words)):
        name = posixpath.basename(view[0])
        if "/" in view[0] and _SCRIPT.fullmatch(view[0]):
            yield _script(view[0])
        for names, read in _READERS:
            if re.fullmatch(names, name):
                yield from read(view, variables)


def _views(words: list[str]) -> Iterator[list[str]]:
    """The command without what only starts it; and what a script, or a wrapper, is given to run."""
    words = core(words)
    while words:
        yield words
        name = posixpath.basename(words[0])
        if name in _USER_SWITCHES or (name == "bundle" and words[1:2] == ["exec"]):
            words = core(words[2:])
        elif name.removesuffix(".sh") in _WRAPPERS and "--" in words:
            words = core(words[words.index("--") + 1 :])
        elif name in _WRAPPERS or "/" in words[0] or name.endswith(".sh"):
            words = core(words[1:])
        else:
            return


def _module(what: str, module: str, within: str = "") -> Start:
    path = module.replace(".", "/")
    return Start(what, "module", f"{path}.py", (f"{path}.py", f"{path}/"), within)


def _first(name: str) -> str:
    """What a module itself must have of what it is asked for: `create_app` of `create_app("prod")`."""
    return name.partition("(")[0].partition(".")[0]


def _attribute(what: str, dotted: str) -> Start:
    """A module, or a name in one (`shop.celery.app`)."""
    parent = dotted.rpartition(".")[0]
    found = _module(what, dotted)
    owners = _module(what, parent).paths if parent else ()
    return Start(what, "module", found.missing, (*found.paths, *owners), owner=owners[-1] if owners else "")


def _script(path: str) -> Start:
    plain = posixpath.normpath(path)
    return Start(path, "script", plain, (plain,))


def _value(words: list[str], *options: str) -> str:
    """What an option is given, behind it or after `=`."""
    behind = (after for word, after in pairwise(words) if word in options)
    joined = (word.partition("=")[2] for word in words if word.partition("=")[0] in options and "=" in word)
    return next(behind, "") or next(joined, "")


def _server(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    for before, word in pairwise(words):
        if before not in ("-c", "--config") and _APPLICATION.fullmatch(word):
            module, _, name = word.partition(":")
            yield replace(_module(word, module), name=_first(name))
    last = words[-1]
    bare = posixpath.basename(words[0]) == "gunicorn" and not words[-2:][0].startswith("-")
    if bare and "." in last and _DOTTED.fullmatch(last):  # `application` is understood
        yield _module(last, last)


def _flask(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    given, _, name = (_value(words, "--app", "-A") or variables.get("FLASK_APP", "")).partition(":")
    if _SCRIPT.fullmatch(given):
        yield _script(given)
    elif _DOTTED.fullmatch(given):
        yield replace(_module(f"Flask's {given}", given), name=_first(name))


def _celery(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    word = _value(words, "-A", "--app")
    module, _, name = word.partition(":")
    if _DOTTED.fullmatch(module):
        yield replace(_attribute(f"Celery's {word}", module), name=_first(name))


def _workers(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    """Dramatiq and taskiq take modules, arq and huey a name in one, all of them before the options."""
    whole = posixpath.basename(words[0]) in ("dramatiq", "taskiq")
    for word in words[1:]:
        module = word.partition(":")[0]
        if word.startswith("-"):
            return
        if _DOTTED.fullmatch(module) and module != "worker":
            yield _module(word, module) if whole else _attribute(word, module)


def _rq(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    if _DOTTED.fullmatch(given := _value(words, "-c", "--config")):
        yield _module(f"RQ's {given}", given)


def _python(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    rest = words[1:]
    if "-m" in rest and (behind := rest[rest.index("-m") + 1 :]):
        if _DOTTED.fullmatch(behind[0]):
            path = behind[0].replace(".", "/")
            yield Start(f"python -m {behind[0]}", "module", f"{path}.py" if "." in behind[0] else f"{path}/__main__.py",
                        (f"{path}.py", f"{path}/__main__.py"), path.partition("/")[0] + "/")  # fmt: skip
        yield from starts(tuple(behind), variables)
    elif "-c" not in rest:
        yield from _interpreter(words, variables)


def _interpreter(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    script = next((word for word in words[1:] if not word.startswith("-")), "")
    if _SCRIPT.fullmatch(script):
        yield _script(script)


def _with_verb(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    """`fastapi run app/main.py`, `streamlit run app.py`."""
    if words[1:2] and words[1] in ("run", "dev"):
        yield from _interpreter(words[1:], variables)


def _npm(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    _, arguments = place([word for word in words[1:] if word not in EVERYWHERE], "")
    name = script_name(words[0], arguments)
    everywhere = any(word.partition("=")[0] in EVERYWHERE for word in words)
    told = arguments[:1] in (["run"], ["run-script"]) or (arguments[:1] == ["start"] and words[0] != "bun")
    told = told or (":" in name and name == arguments[0])  # as no program is called
    if name and told and not everywhere and "--if-present" not in words and not _SCRIPT.fullmatch(name):
        yield Start(f"`{' '.join(words[:3])}`", "npm", name, ("server.js",) if name == "start" else ())


def _configured(words: list[str], variables: dict[str, str]) -> Iterator[Start]:
    """The configuration that a server is told to read, without which it doesn't start."""
    name = posixpath.basename(words[0])
    path = _value(words, *_CONFIGURED[name]).removeprefix("file:")
    if _CONFIGURATION.fullmatch(path):
        plain = posixpath.normpath(path)
        yield Start(f"{name} with {path}", "configuration", plain, (plain,))


_READERS: tuple[tuple[str, Callable[[list[str], dict[str, str]], Iterator[Start]]], ...] = (
    (r"uvicorn|gunicorn|hypercorn|daphne|granian", _server),
    (r"flask", _flask),
    (r"celery", _celery),
    (r"dramatiq|arq|huey_consumer(?:\.py)?|taskiq", _workers),
    (r"rq", _rq),
    (r"python[\d.]*", _python),
    (r"node|tsx|ts-node|nodemon|ruby|php|perl", _interpreter),
    (r"fastapi|streamlit", _with_verb),
    ("|".join(_CONFIGURED), _configured),
    ("|".join(PACKAGE_MANAGERS), _npm),
    ("|".join(re.escape(shell) for shell in SHELLS), _interpreter),
)
"""The programs by their names, each with what reads its words."""
