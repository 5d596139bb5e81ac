"""What a job of a workflow finds on the runner: the repository once it is checked out, and what its steps make.

Follows https://docs.github.com/en/actions/reference/workflows-and-actions/variables (GITHUB_WORKSPACE) and
https://github.com/actions/checkout#usage.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath

from msgspec import Struct

from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.listing import VENDORED
from auditlib.paths import normal
from auditlib.patterns import regex

_CHECKOUT = regex(r"(?:^|/)checkout@")
_UNKNOWN = regex(r"[$*{}~`<>\\]|^/|^\.\.(?:/|$)|^\w+://|^[A-Za-z]:")
"""What an expansion, a link or a place outside the repository looks like."""
_ASKS_FOR_FILE = regex(r"(?:\[|\btest)\s+(?:!\s+)?-[defsrx]\s+[\"']?([^\s\"'\];]+)")
GENERATED = frozenset({
    "dist", "build", "target", "out", "bin", "obj", "_build", ".next", ".nuxt", "coverage", "htmlcov", "public", "site",
    "generated", "tmp", "temp", "artifacts", "node_modules", ".cache", "vendor", "release", "releases", "publish",
}) | VENDORED  # fmt: skip
"""Folders that programs make."""


def is_checkout(step: Step) -> bool:
    """Whether a step checks a repository out."""
    return bool(_CHECKOUT.search(step.uses))


class Workspace(Struct, frozen=True, dict=True):
    """The files that the steps of a job see, relative to the repository's root."""

    inventory: Inventory
    job: Job

    @cached_property
    def holds_repository(self) -> bool:
        """Whether the job checks this repository out, at its usual place, afresh and without submodules."""
        checkouts = filter(is_checkout, self.job.steps)
        inputs = [{pair.name: pair.value for pair in step.inputs} for step in checkouts]
        plain = [item for item in inputs if not {"repository", "path", "sparse-checkout"} & set(item)]
        if any(item.get("clean") == "false" for item in inputs):
            return False  # what an earlier run left is still there
        submodules = ".gitmodules" in self.inventory.file_set and any("submodules" in item for item in inputs)
        return bool(plain) and not submodules

    def lacks(self, path: str, step: Step, kind: str = "") -> bool:
        """Whether a file or folder is not there, and no step up to `step` seems to make it. In doubt it is there."""
        plain = normal(path)
        if not self.holds_repository or not plain or _UNKNOWN.search(path) or _UNKNOWN.search(plain):
            return False
        pure = PurePosixPath(plain)
        if GENERATED & set(pure.parts if kind == "folder" else pure.parts[:-1]) or self.has(plain):
            return False
        return not self._is_made(pure, step) and not self._asks_first(pure, step)

    def has(self, path: str) -> bool:
        """Whether the repository has a file or folder of this path."""
        return path in self.inventory.file_set or path in self.inventory.folder_set

    def may_hold_more(self, step: Step, command: Command | None = None, wanted: str = "") -> bool:
        """Whether something that the repository itself defines ran before a command of the job, and may have made any
        file: a target of make, a script, tests, a build.

        With the folder that is `wanted`, the tests of a package beside it don't count: they make nothing there.
        """
        index, untouched = self._first_recipe if not wanted else self._first_making(wanted)
        return step.index > index or (step.index == index and command not in untouched)

    @cached_property
    def _first_recipe(self) -> tuple[int, frozenset[Command]]:
        return self._first_making("")

    def _first_making(self, wanted: str) -> tuple[int, frozenset[Command]]:
        """The step with the first such command, and the commands of that step which nothing ran before."""
        for step in self.job.steps:
            for number, item in enumerate(step.commands):
                if _runs_recipe(item) and not (wanted and self._tests_beside(step, item, wanted)):
                    return step.index, frozenset(step.commands[: number + 1])
        return len(self.job.steps), frozenset()

    def _tests_beside(self, step: Step, command: Command, wanted: str) -> bool:
        """Whether a command only tests a package in a folder that the wanted one isn't in."""
        home = self.folder(step, command)
        return bool(home) and not f"{wanted}/".startswith(f"{home}/") and bool(_TESTS.match(" ".join(command.words)))

    def folder(self, step: Step, command: Command | None = None) -> str:
        """Where a step, or a command in it, runs, relative to the root."""
        place = step.working_directory or self.job.working_directory
        return normal(posixpath.join(place or "", command.folder if command else ""))

    def _asks_first(self, path: PurePosixPath, step: Step) -> bool:
        """Whether a condition asks for the file, or for another one that tells the same, before the step uses it."""
        if "hashFiles(" in f"{self.job.condition}{step.condition}":
            return True
        asked = _ASKS_FOR_FILE.findall(step.run)
        return any(posixpath.basename(word.rstrip("/")) in path.parts for word in asked)

    def _is_made(self, path: PurePosixPath, step: Step) -> bool:
        """Whether an earlier command, or an action's input, names the path or a folder above it as it may make it."""
        names = {part for part in path.parts if len(part) > 2 and not self.has(part)} | {path.name}
        written = {f">{path}", f">{path.name}", _ANYTHING}
        return any(self._made.get(name, step.index + 1) <= step.index for name in names | written)

    @cached_property
    def _made(self) -> dict[str, int]:
        """By word: the first step that finds made what an earlier one, or a command of its own, names to make it."""
        made: dict[str, int] = {}
        for step in self.job.steps:
            for word in _makes_itself(step):
                made.setdefault(word, step.index)
            for word in _leaves(step):
                made.setdefault(word, step.index + 1)
        return made


_ANYTHING = "*"
_COPIERS = frozenset({"cp", "mv", "ln", "touch", "tee", "install"})
_EXPANDED = regex(r"\$(?!\{?(?:HOME|GITHUB_|RUNNER_)|\{\{)\{?\w[^/]*")
"""A whole path that a variable holds, as in a loop over templates."""
_REDIRECTION = regex(r">>? ?[\"']?([^\s\"'&;|]+)")


def _makes_itself(step: Step) -> Iterator[str]:
    """The words of the commands of a step that make files, and what they write to (`cat > compose.release.yml <<…`)."""
    for command in step.commands:
        yield from (f">{normal(target)}" for target in command.writes)
        if _makes(command):
            yield from _words(" ".join(command.words))
        if command.words[:1] and command.words[0] in _COPIERS and _EXPANDED.fullmatch(command.words[-1]):
            yield _ANYTHING


def _leaves(step: Step) -> Iterator[str]:
    """What the steps after one may find: the words of an action's inputs, what commands write to, any download."""
    if step.uses:
        yield from _words(" ".join(pair.value for pair in step.inputs if pair.name != "working-directory"))
    if "download-artifact" in step.uses:
        yield _ANYTHING
    yield from (f">{target}" for target in _REDIRECTION.findall(step.run))


_MAKERS = frozenset({
    "mkdir", "cp", "mv", "git", "curl", "wget", "tar", "unzip", "ln", "touch", "tee", "gh", "aws", "gsutil", "rsync",
    "degit", "cookiecutter", "copier", "django-admin", "install", "cmake", "dvc", "scp", "gpg", "sops", "7z", "conan",
    "printf", "echo", "cat", "envsubst", "openssl", "virtualenv", "protoc", "buf", "./configure", "autoreconf",
})  # fmt: skip


def _makes(command: Command) -> bool:
    """Whether a command is one that makes files of the names that it is given."""
    words = [word for word in command.words if word != "sudo"]
    first = posixpath.basename(words[0]) if words else ""
    return first in _MAKERS or bool({"venv", "create", "init", "new", "clone", "generate", "-o", "--output", "--out"}
                                    & set(words))  # fmt: skip


_RECIPES = frozenset({
    "make", "just", "task", "rake", "invoke", "inv", "tox", "nox", "hatch", "gradle", "gradlew", "mvn", "mvnw", "bazel",
    "cargo", "ninja", "meson", "cmake", "npm", "yarn", "pnpm", "bun", "npx", "pnpx", "bunx", "node", "deno", "python",
    "python3", "pytest", "coverage", "bash", "sh", "docker", "earthly", "dagger", "dotnet", "go", "php", "ruby",
    "turbo", "nx", "lerna", "moon", "poetry", "uv", "pdm", "flutter", "dart", "swift", "terraform", "tofu",
})  # fmt: skip
"""Programs that run what a repository defines, or build from it."""
_INSTALLS = regex(
    r"(?:npm|pnpm|yarn|bun) (?:ci|i|install|add|audit|config|login|set)\b|(?:pnpm|yarn|bun)$|"
    r"python3? -m (?:pip|ensurepip)\b|"
    r"(?:poetry|pdm) (?:install|lock|sync|config|add)\b|uv (?:sync|pip|lock|venv|tool|python)\b|go (?:mod|env|vet)\b|"
    r"cargo (?:fetch|fmt|clippy|check|audit|deny|install)\b|dotnet (?:restore|tool)\b|"
    r"terraform (?:init|fmt|validate)\b|"
    r"docker (?:login|pull|push|tag|logout|version|info|compose (?:up|down|pull|ps|logs))\b|"
    r"(?:npm|pnpm|yarn|bun)(?: run)? (?:lint|typecheck|type-check|types|format:check)(?::\w+)?\b|"
    r"npx (?:tsc\b(?=.* --noEmit\b)|eslint|prettier)\b"
)

_TESTS = regex(
    r"(?:(?:npm|pnpm|yarn|bun)(?: run)? (?:test|lint)(?::\w+)?|(?:python3? -m )?pytest|(?:go|cargo) test|"
    r"npx (?:jest|vitest|playwright test))(?= |$)"
)


def _runs_recipe(command: Command) -> bool:
    """Whether a command runs what the repository defines, and doesn't only install or check."""
    words = [word for word in command.words if word not in ("sudo", "exec", "time")]
    text = " ".join(words)
    if not words or _INSTALLS.match(text):
        return False
    return posixpath.basename(words[0]) in _RECIPES or words[0].startswith("./") or words[0].endswith(".sh")


def _words(text: str) -> set[str]:
    return set(re.split(r"[\s/=:,'\"]+", text))
