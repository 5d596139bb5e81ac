"""A document tells its readers to call what the repository lacks.

A make target, Compose file, npm script, service or container that was renamed or removed stops the first person who
follows the document, often in the middle of an incident.

Anti-pattern:

    # README.md
    docker compose -f docker-compose.dev.yml up    # the file is called compose.yaml

Better:

    docker compose up

Recommendation:

    Write what there is, or add what is missing.

References:

- https://www.gnu.org/software/make/manual/html_node/Goals.html
- https://docs.docker.com/reference/cli/docker/compose/#use--f-to-specify-the-name-and-path-of-one-or-more-compose-files
- https://docs.npmjs.com/cli/using-npm/scripts
"""

from __future__ import annotations

import difflib
import posixpath
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from auditlib import compose_command
from auditlib.command_words import composer_script, split
from auditlib.conventions import documented_containers
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest
from auditlib.inventory.document import Document, Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TARGET = regex(r"[a-z][\w:-]*")
_FILE = regex(r"(?:\./)?(?:[\w-][\w.-]*/)*[\w.-]+\.ya?ml")
_GENERATORS = frozenset({"CMakeLists.txt", "configure", "configure.ac", "Makefile.in", "Makefile.am", "meson.build"})
_SCRIPT = regex(r"(?:\./)?(?:[\w-][\w.-]*/)+[\w.-]+\.(?:sh|bash)")
_ELSEWHERE = frozenset({"-C", "-f", "--directory", "--file", "--makefile"})
_SCRIPTS = frozenset({"dev", "start", "build", "test", "lint", "format", "preview", "migrate", "seed", "typecheck"})
"""Names that package managers without `run` take for a script's."""
_OPERAND = regex(
    r"(?:kubectl (?:apply|create|delete|replace) (?:.{0,40} )?(?:-f|-k|--filename)[ =]|ansible-playbook (?:-i \S+ )?|"
    r"helm (?:install|upgrade) (?:.{0,60} )?(?=\./)|(?:python3?|node|deno run|bun|ts-node|php|k6 run|"
    r"promtool check config|promtool check rules|locust -f) |docker build (?:.{0,60} )?(?:-f|--file)[ =]|"
    r"psql (?:.{0,80} )?-f |cd )"
    r"(?P<path>(?:\./)?[\w.-]+(?:/[\w.-]+)+/?|[\w-]+/)(?= |$)"
)
"""A file or folder of the repository that a program is given."""
_PIP = regex(
    r"(?:sudo )?(?:\S{0,60}/)?(?:pip3?|python3? -m pip|uv pip) install (?:\S+ ){0,8}?(?:-r ?|--requirement[ =])"
    r"(?P<path>[\w./-]{1,120}\.txt)(?= |$)"
)
_LISTS = regex(
    r"pip3? freeze|poetry export|pip-compile|uv (?:export|pip (?:compile|freeze))|pipreqs|pipenv requirements"
)
"""What writes such a list."""
_STARTERS = frozenset({"sudo", "bash", "sh", "time", "exec", "source", "."})
_NOT_OURS = frozenset(
    {"node_modules", "dist", "build", "target", "vendor", ".venv", "venv", "bin", "out", "tmp", "www", ".git"}
)
_WHOLE = regex(r"[\w ./:@-]+(?<![-./:])")
"""A call without placeholders, patterns and the like."""
_NO_MAKEFILE = "a makefile"
_COMPOSE = ("docker-compose", "docker compose")


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each thing that commands of documents call and that is nowhere in the repository, with all its places."""
    names = {posixpath.basename(path) for path in inventory.files}
    found: defaultdict[str, list[Mention]] = defaultdict(list)
    containers = documented_containers.known(inventory)
    for document in inventory.documents:
        commands = [item for item in document.mentions if item.kind in ("command", "dispatch")]
        if _is_of_another(document, commands):
            continue
        written = {posixpath.basename(item.text) for item in document.mentions if item.kind == "written"}
        for item in commands:
            for missing in (
                *_targets(inventory, names, item),
                *_files(names, commands, item),
                *_scripts(inventory, names, commands, item),
                *_operands(inventory, commands, item),
                *_requirements(names, commands, item),
                *_project(inventory, document, commands, item),
                *_dispatched(inventory, item),
                *documented_containers.missing(containers, item, document.added),
            ):
                if posixpath.basename(missing.rpartition(" ")[2]) not in written:
                    found[missing].append(item)
        for item in [item for item in document.mentions if item.kind == "inline"]:
            for missing in _in_a_sentence(inventory, names, document, item):
                found[missing].append(item)
    for missing, uses in found.items():
        yield _evidence(missing, uses)


def _in_a_sentence(inventory: Inventory, names: set[str], document: Document, item: Mention) -> Iterator[str]:
    """What a call within a sentence names and no file has, where the repository has such targets and services."""
    if _WHOLE.fullmatch(item.text):
        missing = (
            *_targets(inventory, names, item),
            *documented_containers.missing(documented_containers.known(inventory), item, document.added),
        )
        yield from (each for each in missing if each != _NO_MAKEFILE)


def _is_of_another(document: Document, commands: list[Mention]) -> bool:
    """Whether a document may speak of another repository: it fetches several, or lies among what others made."""
    fetched = (item.text.split() for item in commands if item.text.startswith("git clone"))
    clones = {
        posixpath.basename(word.rstrip("/")).removesuffix(".git")
        for words in fetched for word in words[2:] if "/" in word and not word.startswith("-") and "\u2039" not in word
    }  # fmt: skip
    return len(clones) > 1 or any(
        part in ("vendor", "third_party", "node_modules") for part in document.path.split("/")
    )


def _targets(inventory: Inventory, names: set[str], item: Mention) -> Iterator[str]:
    """A make target, or a script of npm or Composer, that no makefile, package.json or composer.json has."""
    for words in _calls(item.text.split()):
        yield from _target(inventory, names, item, words)


def _target(inventory: Inventory, names: set[str], item: Mention, words: list[str]) -> Iterator[str]:
    kind = {"make": "make", "npm run": "npm", "composer run": "composer"}.get(" ".join(words[:-1]), "")
    files = [manifest for manifest in inventory.manifests if manifest.kind == kind]
    beside = _is_beside(item, files) or _is_inside(inventory, item, files)
    if kind != "make" and item.text.split() != words and not beside:
        return
    unknown = any(manifest.incomplete for manifest in files) or (kind == "make" and names & _GENERATORS)
    known = {target.name for manifest in files for target in manifest.targets}
    if kind == "make":  # a name of `.PHONY` alone does nothing, of which another rule tells
        known |= {fault.target for fault in inventory.recipe_faults if fault.kind == "absent"}
    if kind == "make" and not files:
        if not unknown and _TARGET.fullmatch(words[-1]):
            yield _NO_MAKEFILE
        return
    if kind and not unknown and _TARGET.fullmatch(words[-1]) and words[-1] not in known and files:
        yield f"the {'target' if kind == 'make' else 'script'} {words[-1]}"


def _is_beside(item: Mention, files: list[Manifest]) -> bool:
    """Whether one of the files lies in the root, or beside the document that calls it."""
    folders = {"", posixpath.dirname(item.location.file)}
    return any(posixpath.dirname(file.path) in folders for file in files)


def _is_inside(inventory: Inventory, item: Mention, files: list[Manifest]) -> bool:
    """Whether the command enters a service whose image is built in the folder of one of the files."""
    call = compose_command.of(item.text.split())
    name = split(list(call.arguments))[0] if call else ""
    built = {service.build.context for service in inventory.services_by_name.get(name, ()) if service.build}
    return any((posixpath.dirname(file.path) or ".") in built for file in files)


def _calls(words: list[str]) -> Iterator[list[str]]:
    """The calls that a command is, each with nothing but one name; `make` may be given several, and variables."""
    if words[:1] != ["make"] or len(words) == 2:
        yield _called(words)
        return
    if not _ELSEWHERE.intersection(words):
        yield from (["make", word] for word in words[1:] if not word.startswith("-") and "=" not in word)


def _called(words: list[str]) -> list[str]:
    """A command of the host, or of a container, as it is written with nothing but the name of what it calls."""
    if words[:1] == ["docker-compose"] or words[:2] == ["docker", "compose"]:
        verb, rest = split(words[2 if words[0] == "docker" else 1 :])
        words = split(rest)[1] if verb in ("exec", "run") else words
    program = words[0] if words else ""
    if program in ("npm", "pnpm", "yarn", "bun") and words[1:2] in (["run"], ["run-script"]):
        return ["npm", "run", *words[2:3]] if not {"-w", "--workspace", "--filter", "-C"} & set(words) else words
    if program == "npm" and words[1:2] in (["test"], ["start"]):
        return ["npm", "run", words[1]]
    if program in ("yarn", "pnpm") and words[1:2] and (words[1] in _SCRIPTS or ":" in words[1]):
        return ["npm", "run", words[1]]
    if program == "composer":
        name, by_name = composer_script(words[1:])
        return ["composer", "run", name] if by_name or (":" in name and "/" not in name) else words
    return words


def _files(names: set[str], commands: list[Mention], item: Mention) -> Iterator[str]:
    """Compose files that a command names, that aren't there and that no other command makes."""
    if not item.text.startswith(_COMPOSE):
        return
    words = item.text.split()
    others = " ".join(other.text for other in commands if not other.text.startswith(_COMPOSE))
    for option, word in pairwise(words):
        name = posixpath.basename(word)
        if option in ("-f", "--file") and _FILE.fullmatch(word) and name not in names and name not in others:
            yield f"the file {word}"


def _scripts(inventory: Inventory, names: set[str], commands: list[Mention], item: Mention) -> Iterator[str]:
    """A script in a folder of the repository that a command starts, that isn't there and that no command makes."""
    started = _started(item)
    path = normal(started) if _SCRIPT.fullmatch(started) else ""
    name, folder = posixpath.basename(path), posixpath.dirname(path)
    homes = {folder, normal(posixpath.join(posixpath.dirname(item.location.file), folder))}
    if not path or name in names or not homes & inventory.folder_set:
        return
    others = (other for other in commands if posixpath.basename(_started(other)) not in (name, "chmod", "ls"))
    made = any(name in other.text for other in others)
    slip = difflib.get_close_matches(name, [posixpath.basename(script.path) for script in inventory.scripts], 1, 0.85)
    if not made and not slip:
        yield f"the script {path}"


def _operands(inventory: Inventory, commands: list[Mention], item: Mention) -> Iterator[str]:
    """A path that a program is given, that leads nowhere from any folder and that no other command names."""
    match = _OPERAND.match(item.text)
    path = normal(match["path"].rstrip("/")) if match else ""
    first = path.partition("/")[0]
    changes = bool(match) and item.text.startswith("cd ")
    if not path or path.startswith("..") or first in _NOT_OURS or (changes and first not in inventory.folder_set):
        return
    there = inventory.file_set | inventory.folder_set
    if path in there or any(other.endswith(f"/{path}") for other in there):
        return
    last = posixpath.basename(path)
    if not any(last in other.text for other in commands if other is not item and not _OPERAND.match(other.text)):
        yield f"the {'file' if '.' in last else 'folder'} {path}"


def _requirements(names: set[str], commands: list[Mention], item: Mention) -> Iterator[str]:
    """A list of packages that pip is given, that is in no folder and that no other command makes."""
    match = _PIP.match(item.text)
    name = posixpath.basename(match["path"]) if match else ""
    others = (other.text for other in commands if other is not item and not _PIP.match(other.text))
    if name and name not in names and not any(name in other or _LISTS.match(other) for other in others):
        yield f"the file {match['path'] if match else name}"


def _project(inventory: Inventory, document: Document, commands: list[Mention], item: Mention) -> Iterator[str]:
    """A Compose file for a call that names none, where nothing changes the folder and none lies in the usual ones."""
    call = compose_command.of(item.text.split()) if "compose" in item.text else None
    if call is None or call.verb not in ("up", "build", "down", "logs", "exec", "run", "ps") or not inventory.projects:
        return
    elsewhere = any("cd " in other.text or "COMPOSE_FILE" in other.text for other in document.mentions)
    homes = {posixpath.dirname(file) for project in inventory.projects for file in project.files}
    above = posixpath.dirname(document.path)
    if len(homes) == 1 and not (call.options or elsewhere or homes & {"", above}) and item in commands:
        yield "a Compose file in the folder where it is called"


def _started(item: Mention) -> str:
    """The program that a command starts, or the script that a shell is given."""
    return next((word for word in item.text.split() if word not in _STARTERS), "")


def _dispatched(inventory: Inventory, item: Mention) -> Iterator[str]:
    """A workflow that can be started by hand, where a document says to do so and none can."""
    if item.kind == "dispatch" or item.text.startswith("gh workflow run "):
        events = {trigger.event for workflow in inventory.workflows for trigger in workflow.triggers}
        if events and "workflow_dispatch" not in events:
            yield "a workflow with `workflow_dispatch`"


def _evidence(missing: str, uses: list[Mention]) -> Evidence:
    first, *others = uses
    calls = list(dict.fromkeys(item.text for item in uses))
    more = f" and {counted(len(calls) - 1, 'further target')}" if missing == _NO_MAKEFILE and len(calls) > 1 else ""
    return Evidence(
        f"{first.location.file} tells its readers to call `{first.text}`{more}, and the repository lacks {missing}.",
        first.location,
        subject=missing,
        related=tuple(Related(item.location, f"calls {missing} too", member=True) for item in others),
        recommendation=f"Correct the command{'s' if more else ''} in {first.location.file}, or add {missing}.",
        example=files.into(first.location.file, "<the command that does this now>"),
    )
