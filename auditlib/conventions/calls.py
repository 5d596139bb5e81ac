"""What the repository's own files say of its scripts: which are called by their path, which an interpreter runs, which
are copied, mounted or named anywhere."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.command_words import beside
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command, Script
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.model import Location
from auditlib.paths import below, normal
from auditlib.patterns import regex

_WORD = regex(r"[\w.@*-]+(?:/\*)?")
_STARTERS = frozenset({"sudo", "exec", "time", "nohup", "env", "command", "tini", "dumb-init", "--", "gosu", "su-exec"})
_MODES = frozenset({"+x", "a+x", "u+x", "ug+x", "755", "0755", "775", "0775", "777", "700", "750"})
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def by_path(inventory: Inventory) -> dict[str, Location]:
    """The scripts that a command starts by their path (`./run.sh`), or an image as its entry point, with the place."""
    found: dict[str, Location] = {}
    for job, step in ((one, step) for one in inventory.jobs for step in one.steps):
        folder = step.working_directory or job.working_directory
        for command in step.commands:
            _note(inventory, found, command, posixpath.join(folder, command.folder))
    for manifest in inventory.manifests:
        for target in manifest.targets:
            for command in target.commands:
                _note(inventory, found, command, posixpath.join(posixpath.dirname(manifest.path), command.folder))
    for file in inventory.dockerfiles:
        found |= _entry_points(inventory, file)
    for script in inventory.scripts:
        _note_scripts(inventory, found, script)
    return found


def told(inventory: Inventory) -> dict[str, Location]:
    """The scripts that documents have their readers start by their path, with the place."""
    found: dict[str, Location] = {}
    for mention in deployment.documented_commands(inventory):
        words = [word for word in mention.words if word not in _STARTERS]
        if words and words[0].startswith("./") and normal(words[0]) in inventory.scripts_by_path:
            found.setdefault(normal(words[0]), mention.location)
    return found


def _note_scripts(inventory: Inventory, found: dict[str, Location], script: Script) -> None:
    """What a script starts beside itself, or below the folder where scripts are mostly started.

    What it starts on a condition may be what the condition asks for (`[ -x … ]`).
    """
    home = posixpath.dirname(script.path)
    for command in script.commands:
        words = [word for word in command.words if word not in _STARTERS]
        if words and "/" in words[0] and not command.conditional:
            path = beside(words[0], home)
            for candidate in (path,) if path else _from_anywhere(words[0], command.folder, home):
                if candidate in inventory.scripts_by_path:
                    found.setdefault(candidate, command.location)
                    break


def _from_anywhere(word: str, folder: str, home: str) -> tuple[str, ...]:
    """Where a relative path in a script may lead, which is started from the root or from its own folder."""
    places = (folder, "") if folder else ("", home)
    return tuple(normal(posixpath.join(place, word)) for place in places) if word.startswith("./") else ()


def _note(inventory: Inventory, found: dict[str, Location], command: Command, folder: str) -> None:
    words = [word for word in command.words if word not in _STARTERS]
    if words and "/" in words[0]:
        path = posixpath.normpath(posixpath.join(folder, words[0]))
        if path in inventory.scripts_by_path:
            found.setdefault(path, command.location)


def _entry_points(inventory: Inventory, file: Dockerfile) -> dict[str, Location]:
    """The scripts that an image copies, without setting their mode, and starts."""
    copied: dict[str, str] = {}
    found: dict[str, Location] = {}
    on_path: set[str] = set()
    whole: list[str] | None = None
    for item in file.instructions:
        whole = _homes(item, whole)
        if item.keyword in ("COPY", "ADD") and not any(flag.startswith(("--from", "--chmod")) for flag in item.flags):
            copied |= (names := _copies(inventory, file, item))
            on_path |= {name for name in names if _is_on_path(name, item)}
        elif item.keyword in ("ENTRYPOINT", "CMD"):
            words = [word for word in item.words if word not in _STARTERS][:1]
            name = posixpath.basename(words[0]) if words and ("/" in words[0] or words[0] in on_path) else ""
            if name in copied:
                found[copied[name]] = item.location
            elif name and whole:
                found |= dict.fromkeys(_within(inventory, file, whole, words[0]), item.location)
    return found


def _is_on_path(name: str, item: Instruction) -> bool:
    """Whether a COPY puts a file of this name where a shell looks for programs."""
    target = item.words[-1]
    return target in (f"{folder}/{name}" for folder in _PATH) or target.rstrip("/") in _PATH


def _homes(item: Instruction, homes: list[str] | None) -> list[str] | None:
    """The folders of an image that hold the whole context, with the modes that the files have: after a `COPY . .`.

    None until a folder to work in is known, a list that may be empty from then on; its first is that folder.
    """
    if item.keyword == "WORKDIR" and item.words:
        return [item.words[0].rstrip("/"), *(homes or [""])[1:]]
    plain = item.keyword in ("COPY", "ADD") and not any(flag.startswith(("--from", "--chmod")) for flag in item.flags)
    if plain and len(item.words) == 2 and item.words[0] in (".", "./"):
        here = (homes or [""])[0]
        return [here, *(homes or [""])[1:], posixpath.normpath(posixpath.join(here or "/", item.words[1]))]
    return homes


def _within(inventory: Inventory, file: Dockerfile, homes: list[str], program: str) -> Iterator[str]:
    """The script that a path in an image is, where the image holds the whole context."""
    path = posixpath.normpath(posixpath.join(homes[0] or "/", program))
    for home in homes[1:]:
        if path.startswith(f"{home.rstrip('/')}/"):
            inside = path.removeprefix(f"{home.rstrip('/')}/")
            for folder in (posixpath.dirname(file.path), ""):
                known = posixpath.normpath(posixpath.join(folder, inside))
                if known in inventory.scripts_by_path:
                    yield known
                    return


def _copies(inventory: Inventory, file: Dockerfile, item: Instruction) -> dict[str, str]:
    """The scripts among the sources of a COPY, by the name that they get; the context is the Dockerfile's folder."""
    *sources, target = item.words or ("",)
    result = {}
    for source in sources:
        for folder in (posixpath.dirname(file.path), ""):
            path = posixpath.normpath(posixpath.join(folder, source))
            if path in inventory.scripts_by_path:
                name = target if len(sources) == 1 and not target.endswith(("/", ".")) else source
                result[posixpath.basename(name)] = path
                result[posixpath.basename(source)] = path
                break
    return result


def _all_commands(inventory: Inventory) -> Iterator[Command]:
    yield from deployment.commands(inventory)
    for file in inventory.dockerfiles:
        for item in file.instructions:
            yield from item.commands


def made_executable(inventory: Inventory, *, in_images: bool = True) -> set[str]:
    """The names of files to which some command gives the execute bit; `*` and folders count for all that is there.

    What the build of an image does to its copies doesn't reach the files: without `in_images` it is left out.
    """
    by_folder: defaultdict[str, set[str]] = defaultdict(set)
    for script in inventory.scripts:
        folder, _, name = script.path.rpartition("/")
        by_folder[posixpath.basename(folder)].add(name)
        by_folder["*"].add(name)
    words = {
        word.rstrip("/")
        for command in (_all_commands(inventory) if in_images else deployment.commands(inventory))
        if any(posixpath.basename(word) in ("chmod", "install") for word in command.words[:2]) or _by_pattern(command)
        for word in (*command.words, *(("*",) if _by_pattern(command) else ()))
    }
    found = {posixpath.basename(word) for word in words}
    for word in words:
        plain = word.removesuffix("*.sh").removesuffix("*").rstrip("/")
        found |= by_folder["*" if plain in ("", ".") else posixpath.basename(plain)]
    return found


def _by_pattern(command: Command) -> bool:
    """Whether `find` or `xargs` gives the bit to files that it finds."""
    searches = command.words[:1] in (("find",), ("xargs",)) and "chmod" in command.words
    return searches and not _MODES.isdisjoint(command.words)


def interpreted(inventory: Inventory) -> set[str]:
    """The names of files that some command or document gives to an interpreter (`bash run.sh`, `. lib.sh`)."""
    found: set[str] = set()
    texts = [command.words for command in _all_commands(inventory)]
    texts += [tuple(item.text.split()) for item in deployment.documented_commands(inventory)]
    texts += [(*service.entrypoint, *service.command) for service in inventory.services]
    for words in texts:
        found |= {posixpath.basename(word) for text in words[1:] for word in _WORD.findall(text.replace("/", " "))}
    return found


@answered_once
def given_to_containers(inventory: Inventory) -> frozenset[str]:
    """The names of files that images copy by name, and of what services mount."""
    texts = [item.argument for file in inventory.dockerfiles for item in file.instructions
             if item.keyword in ("COPY", "ADD", "RUN", "ENTRYPOINT", "CMD")]  # fmt: skip
    texts += [mount.source for service in inventory.services for mount in service.mounts]
    texts += [item.source for item in inventory.file_objects]
    sources = {mount.source for service in inventory.services for mount in service.mounts if mount.kind == "bind"}
    folders = (sources & inventory.folder_set) - {"", "."}
    inside = {posixpath.basename(path) for folder in folders for path in below(inventory.files, folder)}
    named = {word for text in texts for part in text.split() for word in part.strip('[]",').split("/") if word}
    return frozenset(inside | named)


def everything_named(inventory: Inventory) -> dict[str, set[str]]:
    """All words that may name a script, of commands, documents, images, services and settings, with who says them.

    A script is known by its path, so that one that names only itself can be told; the others go by an empty name.
    """
    texts = [item.text for document in inventory.documents for item in document.mentions]
    texts += [word for service in inventory.services for word in (*service.entrypoint, *service.command)]
    texts += [word for service in inventory.services if service.healthcheck for word in service.healthcheck.test]
    texts += [name for file in inventory.env_files for name in file.scripts]
    texts += [target.text for manifest in inventory.manifests for target in manifest.targets]
    texts += [name for caller in inventory.callers for name in caller.scripts]
    texts += [text for workflow in inventory.stray_workflows for text in workflow.said]
    texts += [" ".join(command.words) for step in inventory.steps for command in step.remote]
    texts += [step.run for step in inventory.steps] + [step.uses for step in inventory.steps]
    said = [("", text) for text in (*texts, *given_to_containers(inventory))]
    for script in inventory.scripts:
        said += [(script.path, word) for command in script.commands for word in command.words]
        said += [(script.path, name) for name in script.assigned]
        said += [(script.path, f"{item.words[-1].rstrip('/')}/*") for item in script.commands if _runs_parts(item)]
    said += [(item.location.file, item.command) for item in inventory.cron_lines]
    said += [(item.location.file, pair.value) for item in inventory.units for pair in item.settings]
    found: defaultdict[str, set[str]] = defaultdict(set)
    for speaker, text in said:
        for name in _names(text):
            found[name].add(speaker)
    return found


def _runs_parts(command: Command) -> bool:
    """Whether a command runs all programs of a folder."""
    return len(command.words) > 1 and posixpath.basename(command.words[0]) == "run-parts"


def _names(text: str) -> Iterator[str]:
    for word in re.split(r"[\s'\"();|&<>=,]+", text):
        yield word
        yield posixpath.basename(word.rstrip("/"))
        if word.endswith(("/*", "/*.sh")):
            yield f"{posixpath.basename(posixpath.dirname(word))}/*"
