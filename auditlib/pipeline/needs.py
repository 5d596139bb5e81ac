"""What a command of a workflow needs and the repository lacks: scripts of package.json, make targets, files, modules.

Sources: https://docs.npmjs.com/cli/using-npm/scripts, https://docs.npmjs.com/cli/commands/npm-ci, https://pnpm.io/cli/run,
https://yarnpkg.com/cli/run, https://pip.pypa.io/en/stable/cli/pip_install/, https://www.gnu.org/software/make/manual/
and https://github.com/docker/build-push-action#inputs.
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

from msgspec import Struct

from auditlib import compose_command
from auditlib.command_words import EVERYWHERE, composer_script, core, place, script_name
from auditlib.conventions import documented_containers
from auditlib.conventions.workspaces import Workspace, is_checkout
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Manifest, Step
from auditlib.paths import normal
from auditlib.pipeline import uploads

_INTERPRETERS = frozenset({
    "bash", "sh", "zsh", "dash", "source", ".", "python", "python3", "node", "ruby", "perl", "php", "pwsh", "tsx",
    "ts-node",
})  # fmt: skip
_PROGRAMS = frozenset({".sh", ".bash", ".zsh", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".php", ".ps1"})
_WRAPPERS = frozenset({"gradlew", "mvnw"})
_GENERATORS = frozenset({"cmake", "configure", "qmake", "meson", "autoreconf", "autogen.sh", "premake5", "perl"})
_LOCKS = {"npm": ("package-lock.json", "npm-shrinkwrap.json")}
_TAKE_PATHS = frozenset({"pytest", "py.test", "mypy", "ruff", "black", "flake8", "isort"})
"""Tools that fail where a path that they are given isn't there."""
_SWITCHES = frozenset({"-v", "-vv", "-x", "-q", "-s", "-ra", "--verbose", "--quiet", "--check", "--diff", "--strict"})
_PATH_INPUTS = {
    ("docker/build-push-action", "file"): "the Dockerfile",
    ("docker/build-push-action", "context"): "the build context",
    ("actions/setup-node", "cache-dependency-path"): "the lock file",
    ("actions/setup-node", "node-version-file"): "the version file",
    ("actions/setup-python", "cache-dependency-path"): "the file of requirements",
    ("actions/setup-python", "python-version-file"): "the version file",
}
_MAKEFILES = ("Makefile", "makefile", "GNUmakefile")


class Need(Struct, frozen=True):
    """Something that is called and not there. `cause` is equal for what is missing for the same reason."""

    cause: str
    what: str
    name: str
    detail: str = ""
    advice: str = ""
    sure: bool = True


@lru_cache(maxsize=1_000)
def _near(name: str, known: tuple[str, ...], cutoff: float = 0.6) -> list[str]:
    """The known name that may be meant, if one is near; remembered, since the same is called in many steps."""
    return difflib.get_close_matches(name, known[:1_000], n=1, cutoff=cutoff)


def needs_of(workspace: Workspace, step: Step, command: Command) -> Iterator[Need]:
    """What one command of a step calls and the repository lacks. In doubt it is there."""
    if not workspace.holds_repository or workspace.job.container or not command.words:
        return
    words = core(list(command.words))
    folder = workspace.folder(step, command)
    if not words or (folder and not workspace.has(folder)):
        return
    program = posixpath.basename(words[0])
    if program in ("npm", "pnpm", "yarn", "bun"):
        yield from _npm(workspace, step, folder, words)
    elif program == "composer":
        yield from _composer(workspace, folder, words)
    elif program in ("make", "gmake"):
        yield from _make(workspace, step, folder, words)
    else:
        yield from _program(workspace, step, folder, words)


def _npm(workspace: Workspace, step: Step, folder: str, words: list[str]) -> Iterator[Need]:
    where, arguments = place([word for word in words[1:] if word not in EVERYWHERE], folder)
    name = script_name(words[0], arguments)
    package = _package(workspace, where or "")
    everywhere = any(word.partition("=")[0] in EVERYWHERE for word in words)
    if words[:2] == ["npm", "ci"] and package and not _has_lock(workspace, package):
        home = posixpath.dirname(package.path)
        lock = posixpath.join(home, "package-lock.json")
        yield Need(lock, "the lock file", lock, "; `npm ci` refuses to work without it", f"Commit {lock}.")
    if not name or everywhere or package is None or not _is_run(words, arguments, name):
        return
    scripts = {target.name: target for target in package.targets}
    if name in scripts or "--if-present" in words or "$" in name or _is_default(workspace, package, name):
        return
    if words[0] != "npm" and _may_be_program(package, name):
        return
    near = _near(name, tuple(scripts))
    advice = f"call `{near[0]}`" if near else "remove the step"
    yield Need(
        f"{package.path}#{name}",
        "the script",
        f"`{name}` of {package.path}",
        advice=f"Add a script `{name}` to {package.path}, or {advice}.",
        sure=words[0] == "npm",
    )


def _composer(workspace: Workspace, folder: str, words: list[str]) -> Iterator[Need]:
    where, arguments = place(words[1:], folder)
    name, by_name = composer_script(arguments)
    path = normal(posixpath.join(where or "", "composer.json"))
    package = next((item for item in workspace.inventory.manifests if item.path == path), None)
    if package is None or "$" in name or not (by_name or (":" in name and "/" not in name)):
        return
    scripts = tuple(target.name for target in package.targets)
    if name and name not in scripts:
        near = _near(name, scripts)
        advice = f"call `{near[0]}`" if near else "remove the step"
        yield Need(f"{path}#{name}", "the script", f"`{name}` of {path}",
                   advice=f"Add a script `{name}` to {path}, or {advice}.", sure=by_name)  # fmt: skip


def _is_run(words: list[str], arguments: list[str], name: str) -> bool:
    """Whether a script is called as such: `run name`, or a lifecycle script that npm, pnpm, yarn and bun know."""
    if {"run", "run-script"} & set(arguments[:1]):
        return True
    return words[0] != "bun" and name in ("test", "start") and arguments[:1] in (["test"], ["t"], ["start"])


def _is_default(workspace: Workspace, package: Manifest, name: str) -> bool:
    """`npm start` runs server.js, `npm restart` stops and starts, `npm stop` may lack a script."""
    home = posixpath.dirname(package.path)
    return name in ("restart", "stop") or (name == "start" and workspace.has(posixpath.join(home, "server.js")))


def _may_be_program(package: Manifest, name: str) -> bool:
    """Whether a dependency may bring a program of that name, which yarn, pnpm and bun also run."""
    needed = {item.name.rpartition("/")[2] for item in package.requirements}
    return name in needed or ("typescript" in needed and name == "tsc") or not {":", "-"} & set(name)


def _package(workspace: Workspace, folder: str) -> Manifest | None:
    """The nearest package.json at or above a folder."""
    packages = {item.path: item for item in workspace.inventory.manifests if item.kind == "npm"}
    for parent in (PurePosixPath(folder), *PurePosixPath(folder).parents):
        found = packages.get(normal(f"{parent}/package.json"))
        if found:
            return found
    return None


def _has_lock(workspace: Workspace, package: Manifest) -> bool:
    home = PurePosixPath(posixpath.dirname(package.path))
    return any(workspace.has(normal(f"{parent}/{name}")) for parent in (home, *home.parents) for name in _LOCKS["npm"])


def _make(workspace: Workspace, step: Step, folder: str, words: list[str]) -> Iterator[Need]:
    if any(word in ("-f", "--file", "--makefile") or word.startswith("-f") for word in words):
        return
    where, names = place(words[1:], folder)
    paths = [posixpath.join(where or "", name) for name in _MAKEFILES]
    found = [item for item in workspace.inventory.manifests if item.path in paths]
    programs = {
        posixpath.basename(item.words[0]) for other in workspace.job.steps for item in other.commands if item.words
    }
    if not found:
        if not _GENERATORS & programs and not any(map(workspace.has, paths)) and workspace.lacks(paths[0], step):
            yield Need(paths[0], "the makefile", paths[0], advice=f"Add {paths[0]}, or call the commands themselves.")
        return
    targets = {target.name for item in found for target in item.targets}
    for name in names:
        known = name in targets or workspace.has(normal(posixpath.join(where or "", name)))
        if not known and not found[0].incomplete and name.replace("-", "").replace("_", "").isalnum():
            near = _near(name, tuple(sorted(targets)))
            advice = f"call `{near[0]}`" if near else "remove the call"
            yield Need(f"{found[0].path}#{name}", "the target", f"`{name}` of {found[0].path}",
                       advice=f"Add a target `{name}` to {found[0].path}, or {advice}.")  # fmt: skip


def _program(workspace: Workspace, step: Step, folder: str, words: list[str]) -> Iterator[Need]:
    """A program by its path, a script given to an interpreter, a module, a file of requirements, a Compose file."""
    name = posixpath.basename(words[0])
    if name in _INTERPRETERS:
        rest = words[1:]
        if "-m" in rest:
            yield from _module(workspace, step, folder, rest[rest.index("-m") + 1 :])
        elif rest and not rest[0].startswith("-") and PurePosixPath(rest[0]).suffix in _PROGRAMS:
            yield from _file(workspace, step, folder, rest[0], "the script")
    elif "/" in words[0] and (PurePosixPath(words[0]).suffix in _PROGRAMS or name in _WRAPPERS):
        yield from _file(workspace, step, folder, words[0], "the script")
    elif name in ("pip", "pip3"):
        yield from _given(workspace, step, folder, words, ("-r", "--requirement", "-c", "--constraint"), "the file")
        yield from _given(workspace, step, folder, words, ("-e", "--editable"), "the package")
    elif name in _TAKE_PATHS:
        yield from _paths(workspace, step, folder, words)
    elif words[0] == "docker" and "build" in words[1:3]:
        yield from _given(workspace, step, folder, words, ("-f", "--file"), "the Dockerfile")
        yield from _of_context(workspace, step, folder, words)
    elif words[:2] == ["docker", "compose"] or name == "docker-compose":
        head = words[: next((i for i, word in enumerate(words) if word in ("up", "run", "build", "exec")), len(words))]
        yield from _given(workspace, step, folder, head, ("-f", "--file"), "the Compose file")
        yield from services(workspace.inventory, words)


def services(inventory: Inventory, words: Sequence[str]) -> Iterator[Need]:
    """The services that a call of Compose names and no Compose file has, where it reads files of the repository."""
    call = compose_command.of(words)
    if call is None or not all(_is_ours(inventory, file) for file in call.files):
        return
    there = documented_containers.known(inventory)
    for name in documented_containers.unknown_services(there, call):
        container = [item.name for item in inventory.services if item.container_name == name]
        near = container or _near(name, tuple(sorted(there.services)))
        detail = f"; the container of {near[0]} is called so" if container else ""
        advice = f"Name {near[0] if near else 'a service that is there'} in place of {name}."
        yield Need(f"service {name}", "the service", name, detail, advice)


def _is_ours(inventory: Inventory, file: str) -> bool:
    """Whether a Compose file is one of the repository, as far as its path tells."""
    return not {"$", "~"} & set(file) and posixpath.basename(file) in inventory.files_by_name


def _of_context(workspace: Workspace, step: Step, folder: str, words: list[str]) -> Iterator[Need]:
    """The Dockerfile of a context that is given as the last word, where none is named."""
    named = any(word.partition("=")[0] in ("-f", "--file") or word.startswith("-f") for word in words)
    context = normal(posixpath.join(folder, words[-1]))
    if not named and words[-1] != "-" and (context == "" or context in workspace.inventory.folder_set):
        yield from _file(workspace, step, "", posixpath.join(context, "Dockerfile"), "the Dockerfile")


def _paths(workspace: Workspace, step: Step, folder: str, words: list[str]) -> Iterator[Need]:
    """What a tool is told to look at; a word behind an option may be its value."""
    for before, word in pairwise(words):
        path = word.partition("::")[0]
        by_itself = not before.startswith("-") or before in _SWITCHES
        if by_itself and not word.startswith("-") and ("/" in path or path.endswith(".py")) and "=" not in word:
            yield from _file(workspace, step, folder, path, "the path")


def inputs_of(workspace: Workspace, step: Step) -> Iterator[Need]:
    """What the inputs of well-known actions name and the repository lacks."""
    name = step.uses.partition("@")[0]
    for pair in step.inputs if workspace.holds_repository else ():
        if what := _PATH_INPUTS.get((name, pair.name)):
            for path in filter(None, map(str.strip, pair.value.split("\n"))):
                yield from _file(workspace, step, "", path, what)
    yield from _sent(workspace, step) if workspace.holds_repository else ()


def _sent(workspace: Workspace, step: Step) -> Iterator[Need]:
    """What a step copies to another host, where nothing before it may have made that."""
    if workspace.may_hold_more(step):
        return
    plain = all(is_checkout(item) or not item.uses for item in workspace.job.steps[: step.index])
    for path, command in dict.fromkeys(uploads.to_hosts(step)):
        whole = normal(posixpath.join(workspace.folder(step, command), path))
        is_file = "." in posixpath.basename(whole)
        if whole and not path.startswith("!") and workspace.lacks(whole, step, "" if is_file else "folder"):
            yield Need(whole, "the file" if is_file else "the folder", whole, sure=plain)


def _given(
    workspace: Workspace, step: Step, folder: str, words: list[str], options: tuple[str, ...], what: str
) -> Iterator[Need]:
    """The files that follow an option."""
    for index, word in enumerate(words):
        option, _, value = word.partition("=")
        if option in options:
            path = (value or next(iter(words[index + 1 : index + 2]), "")).partition("[")[0]
            if path and path != "-" and "+" not in path.partition(":")[0]:
                yield from _file(workspace, step, folder, path, what)


def _file(workspace: Workspace, step: Step, folder: str, path: str, what: str) -> Iterator[Need]:
    whole = normal(posixpath.join(folder, path)) if not path.startswith(("/", "~", "$")) else path
    if workspace.lacks(whole, step):
        parent = posixpath.dirname(whole)
        lost = parent if parent and not workspace.has(parent) else whole
        near = _near(whole, tuple(workspace.inventory.scripts_by_path), 0.8)
        advice = f"Call {near[0]} in place of {whole}." if near else ""
        yield Need(lost, what, whole, advice=advice)


def _module(workspace: Workspace, step: Step, folder: str, rest: list[str]) -> Iterator[Need]:
    """A module whose package the repository holds; all others come from elsewhere."""
    parts = rest[0].split(".") if rest else []
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        return
    for root in (folder, posixpath.join(folder, "src")):
        base = normal(posixpath.join(root, *parts))
        if workspace.has(normal(posixpath.join(root, parts[0]))):
            found = any(workspace.has(path) for path in (f"{base}.py", f"{base}/__main__.py", base))
            if not found and workspace.lacks(f"{base}.py", step):
                yield Need(base, "the module", rest[0], f" (no {base}.py)")
            return
