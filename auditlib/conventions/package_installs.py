"""Commands that install packages: what they name, the files that say more, and the locks that fix all versions.

Sources: https://pip.pypa.io/en/stable/cli/pip_install/, https://docs.npmjs.com/cli/commands/npm-install,
https://yarnpkg.com/cli/install, https://pnpm.io/cli/install, https://bun.sh/docs/cli/install,
https://python-poetry.org/docs/cli/#install, https://docs.astral.sh/uv/reference/cli/#uv-sync,
https://bundler.io/man/bundle-install.1.html and https://getcomposer.org/doc/03-cli.md#install-i.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from msgspec import Struct

from auditlib.command_words import PACKAGE_MANAGERS, place
from auditlib.inventory.delivery import Command
from auditlib.patterns import regex

_OF_JAVASCRIPT = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")
_MANAGERS = {"yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm", "bun.lock": "bun", "bun.lockb": "bun"}
"""By lock file the manager that writes it; the others are those of npm."""
LOCKS: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(sorted(PACKAGE_MANAGERS), ("package.json", _OF_JAVASCRIPT)),
    "poetry": ("pyproject.toml", ("poetry.lock",)),
    "uv": ("pyproject.toml", ("uv.lock",)),
    "pdm": ("pyproject.toml", ("pdm.lock",)),
    "pipenv": ("Pipfile", ("Pipfile.lock",)),
    "bundle": ("Gemfile", ("Gemfile.lock",)),
    "composer": ("composer.json", ("composer.lock",)),
}
"""By package manager: the file that it reads, and those that fix the versions, of which one is enough."""
MAKES_LOCK = {
    "npm": "npm install --package-lock-only", "yarn": "yarn install", "pnpm": "pnpm install --lockfile-only",
    "bun": "bun install --lockfile-only", "poetry": "poetry lock", "uv": "uv lock", "pdm": "pdm lock",
    "pipenv": "pipenv lock", "bundle": "bundle lock", "composer": "composer update --no-install",
}  # fmt: skip
FROM_LOCK = {
    "npm": "npm ci", "yarn": "yarn install --frozen-lockfile", "pnpm": "pnpm install --frozen-lockfile",
    "bun": "bun install --frozen-lockfile", "poetry": "poetry install", "uv": "uv sync --locked",
    "pdm": "pdm install --frozen-lockfile", "pipenv": "pipenv sync", "bundle": "bundle install",
    "composer": "composer install",
}  # fmt: skip
_FROM_LOCK_ONLY = frozenset({
    "--frozen-lockfile", "--immutable", "--package-lock-only", "--no-package-lock", "--no-lockfile", "--pure-lockfile",
    "--package-lock=false",
})  # fmt: skip
"""Options by which a lock file is followed to the letter, or only written, or left alone by intent."""
_NEEDS_LOCK = {"pnpm": frozenset({"--frozen-lockfile"}), "uv": frozenset({"--locked", "--frozen"})}
"""By manager the options with which it fails where no lock file is."""
_VERBS = {
    "npm": ("install", "i", "ci"), "yarn": ("", "install"), "pnpm": ("install", "i"), "bun": ("install", "i"),
    "poetry": ("install",), "uv": ("sync",), "pdm": ("install", "sync"), "pipenv": ("install",),
    "bundle": ("", "install"), "composer": ("install", "update"),
}  # fmt: skip
_ADDS = {"npm": ("install", "i", "add"), "pnpm": ("add",), "yarn": ("add",), "bun": ("add", "install", "i")}
_VALUES = frozenset({
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--prefix", "--root",
    "--platform", "--python-version", "--no-binary", "--only-binary", "--trusted-host", "--cache-dir", "--timeout",
    "--retries", "--proxy", "--cert", "-e", "--editable", "--src", "--progress-bar", "--python", "-p", "--abi",
    "--implementation", "--upgrade-strategy", "--index-strategy", "--config-settings", "--report", "--log", "--group",
})  # fmt: skip
"""Options of pip that take the next word."""
_PROJECT = regex(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?P<constraint>(?:[=<>!~@].*)?)")
_PACKAGE = regex(r"(?P<name>@[\w.-]+/[\w.-]+|[A-Za-z0-9][\w.-]*)(?:@(?P<version>.+))?")
_BOOTSTRAP = frozenset({"pip", "setuptools", "wheel", "npm", "corepack"})
"""What brings the installer itself up to date, as every image may."""


class Installs(Struct, frozen=True):
    """What one command installs: by which manager, the names without a version, the files of pip; where it runs."""

    manager: str
    unpinned: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    constrained: bool = False
    whole: bool = False
    """Whether it installs all that the manager's own file asks for."""
    folder: str = ""
    options: frozenset[str] = frozenset()
    """The options of a package manager, but not of pip."""
    needs_lock: bool = False
    """Whether it fails without a lock file (`npm ci`), so that it never takes what is newest."""


def of(words: tuple[str, ...], folder: str = "") -> Installs | None:
    """What a command installs; None for one that installs nothing."""
    rest = list(words)
    while rest and rest[0] in ("sudo", "-E", "exec", "corepack", "env", "command"):
        rest.pop(0)
    if not rest:
        return None
    program = posixpath.basename(rest[0])
    if program.startswith("python") and rest[1:3] == ["-m", "pip"]:
        program, rest = "pip", rest[2:]
    elif rest[:2] == ["uv", "pip"]:
        program, rest = "pip", rest[1:]
    if program in ("pip", "pip3") and "install" in rest:
        return _pip(rest[rest.index("install") + 1 :], folder)
    return _other(program, rest[1:], folder) if program in LOCKS else None


def follows_lock(found: Installs, *, in_ci: bool = False, modern_yarn: bool = False) -> bool:
    """Whether an installation of all fails where the lock file doesn't fit; in doubt it does."""
    if found.needs_lock or found.options & _FROM_LOCK_ONLY:
        return True
    if in_ci:
        return found.manager != "npm" and (found.manager != "yarn" or modern_yarn)
    return found.manager not in PACKAGE_MANAGERS


def manager_of_node(files: Collection[str], folder: str) -> str:
    """The manager whose lock file lies in a folder of JavaScript or above it; empty where none does."""
    while True:
        found = next((name for name in _OF_JAVASCRIPT if posixpath.join(folder, name) in files), "")
        if found or not folder:
            return _MANAGERS.get(found, "npm" if found else "")
        folder = posixpath.dirname(folder)


def of_node(command: Command) -> bool:
    """Whether a command installs the packages of a `package.json` beside it."""
    found = of(command.words)
    return found is not None and found.whole and found.manager in PACKAGE_MANAGERS


def is_open(constraint: str) -> bool:
    """Whether a constraint of Python lets any later version in."""
    return not constraint.startswith("@") and not any(sign in constraint for sign in ("==", "~=", "<", "://"))


def _pip(arguments: list[str], folder: str) -> Installs:
    files, names, constrained = [], [], False
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("-r", "--requirement", "-c", "--constraint"):
            value = value if equals else next(words, "")
            constrained = constrained or name in ("-c", "--constraint")
            files += [value] if name in ("-r", "--requirement") else []
        elif word.startswith("-r") and len(word) > 2:
            files.append(word[2:])
        elif word in _VALUES:
            next(words, "")
        elif not word.startswith("-") and (found := _PROJECT.fullmatch(word)) and _is_name(found["name"]):
            names += [found["name"]] if is_open(found["constraint"]) else []
    return Installs("pip", tuple(names), tuple(files), constrained, folder=folder)


def _is_name(name: str) -> bool:
    return name not in _BOOTSTRAP and not name.endswith((".whl", ".gz", ".zip", ".txt"))


def _other(program: str, arguments: list[str], folder: str) -> Installs | None:
    where, words = place(arguments, folder)
    words = [word for word in words if word != "global"]
    verb, names = (words[0], words[1:]) if words else ("", [])
    if verb in _VERBS[program] and not names and not _asks(arguments):
        options = frozenset(word for word in arguments if word.startswith("-"))
        strict = verb == "ci" or not options.isdisjoint(_NEEDS_LOCK.get(program, ()))
        return Installs(program, whole=True, folder=where or "", options=options, needs_lock=strict)
    if verb not in _ADDS.get(program, ()) or not names:
        return None
    found = [match for name in names if (match := _PACKAGE.fullmatch(name))]
    open_ones = [item["name"] for item in found if item["version"] in (None, "latest")]
    return Installs(program, tuple(name for name in open_ones if _is_name(name)), folder=where or "")


def _asks(arguments: list[str]) -> bool:
    return bool({"--version", "-v", "-V", "--help", "-g", "--global"} & set(arguments))
