"""A mounted file or configuration folder is not in the repository.

Docker creates an empty folder where the source of a bind mount is missing. The program then finds a folder in place of
its configuration, and fails in a way that doesn't name the cause. A folder that is there, but lacks the file that the
program is told to read, stops its start too.

Anti-pattern:

    db:
      volumes:
        - ./init.sql:/docker-entrypoint-initdb.d/init.sql:ro  # there is no init.sql

Better:

    db:
      volumes:
        - ./db/init.sql:/docker-entrypoint-initdb.d/init.sql:ro

Recommendation:

    Commit the file, correct the path, or say in the README (and check in a script) how it is made before the start.
    Keys and certificates are made on the host, in a folder that Git ignores.

References:

- https://docs.docker.com/reference/compose-file/services/#volumes
- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

import posixpath
import re
import string
from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import (
    build_context,
    certificate_folders,
    deployment,
    encrypted_copies,
    entry_points,
    environments,
    git_ignores,
    key_files,
    mounts,
)
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import unfolded
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files
from auditlib.rules import _mount_lines as mount_lines
from auditlib.rules._rule import Evidence, rule

_CONFIG_OPTION = regex(r"--?config(?:[.-]file)?(?:=(?P<path>.+))?")
_ENDINGS = {".yaml": ".yml", ".yml": ".yaml"}
_HOMES = frozenset({"/app", "/code", "/src", "/usr/src/app", "/srv", "/workspace"})
"""Where images of languages and frameworks run commands, unless they are told of another folder."""
_OF_PATHS = f"{string.ascii_letters}{string.digits}_./-"
_EXPANDED = regex(r"\$\{?\w[^\s\"']{0,400}")
_END = regex(r"/((?:[\w.@-]{1,100}/){0,20}[\w.@-]{1,100})")
"""What stands behind a slash, such as that after a variable."""
_CONFIGURATION = ("/etc/", "/docker-entrypoint-initdb.d", "/run/secrets", "/usr/local/etc/", "/config/")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every missing source once; a folder that a service writes to may be created by Docker."""
    known = build_context.folders(inventory) | inventory.file_set
    missing: dict[str, dict[Location, tuple[Service, Mount]]] = {}
    for service in inventory.services:
        for mount in service.mounts:
            inside = mount.kind == "bind" and not mount.outside and "$" not in mount.source and not _is_of_logs(mount)
            if not inside or inventory.leads_through_link(mount.source):
                continue
            if mount.source not in known and _is_needed(service, mount):
                missing.setdefault(mount.source, {}).setdefault(mount.location, (service, mount))
    unread = dict(_unread(inventory, known))
    made = _made(inventory) if missing or unread else ""
    below = _below_variables(made)
    written = below | _written_below(inventory, known) if missing else below
    for path, (service, named) in unread.items():
        is_made = _is_named(path, made, known) or _ends_like(path, below)
        if not is_made and not mount_lines.template(inventory, path):
            yield _of_folder(inventory, path, service, named)
    filled = {mount.source for item in inventory.services for mount in item.mounts if _fills(inventory, item, mount)}
    for path, users in missing.items():
        supplied = path in filled or _is_named(path, made, known) or _ends_like(path, written)
        if not (supplied or encrypted_copies.of(inventory, path) or posixpath.basename(path).startswith(".env")):
            alike = next((item for item in known if item.lower() == path.lower()), "")
            meant = mounts.meant(next(iter(users.values()))[1])
            if meant not in known:
                yield _evidence(inventory, path, list(users.values()), alike or _other_ending(inventory, path))
            elif not _chooses_folder(inventory):
                yield _of_other_folder(path, list(users.values()), meant)


def _other_ending(inventory: Inventory, path: str) -> str:
    """The YAML file that is called the same but for its ending."""
    stem, ending = posixpath.splitext(path)
    other = stem + _ENDINGS.get(ending, "")
    return other if ending in _ENDINGS and other in inventory.file_set else ""


def _unread(inventory: Inventory, known: frozenset[str]) -> Iterator[tuple[str, tuple[Service, str]]]:
    """The configuration files, by their path, that a program is told to read in a folder that it mounts."""
    for service in inventory.services:
        for word, after in pairwise((*service.command, "")):
            match = _CONFIG_OPTION.fullmatch(word)
            named = (match["path"] or after) if match else ""
            path = mounts.path_outside(service, named) if named.startswith("/") and service.build is None else ""
            folder = posixpath.dirname(path) or "."
            unknown = path and path not in known and not inventory.leads_through_link(path)
            unknown = unknown and all(mount.source != path for mount in service.mounts)  # it is told of as a mount
            if unknown and folder in known and posixpath.splitext(path)[1]:
                yield path, (service, named)


def _of_folder(inventory: Inventory, path: str, service: Service, named: str) -> Evidence:
    folder = posixpath.dirname(path) or "."
    files = [posixpath.basename(item) for item in inventory.files if (posixpath.dirname(item) or ".") == folder]
    return Evidence(
        f"{service.name} is told to read {named}, but {folder}/, which it mounts there, has no "
        f"{posixpath.basename(path)}{f', only {listed(files)}' if files else ''}: it fails at its start.",
        service.command_location or service.location,
        subject=path,
        service=service.name,
        related=tuple(Related(item.location, f"{service.name} mounts {folder}") for item in service.mounts
                      if item.kind == "bind" and mounts.is_below(named, item.target)),
        recommendation=f"Name the file {posixpath.basename(path)}, or give {service.name} the name of the one that is "
        f"in {folder}.",
        severity=Severity.HIGH,
        example=f"git mv {folder}/{files[0]} {path}" if len(files) == 1 else _files.committed([path]),
    )  # fmt: skip


def _chooses_folder(inventory: Inventory) -> bool:
    """Whether something starts Compose with a folder of its choice for the paths (`--project-directory`)."""
    words = (word for command in deployment.commands(inventory) for word in command.words)
    told = (item.text for document in inventory.documents for item in document.mentions)
    return any("--project-directory" in text for text in (*words, *told))


def _of_other_folder(path: str, users: list[tuple[Service, Mount]], meant: str) -> Evidence:
    """What is there, under a path that was written as if Compose began at the repository's root."""
    (service, first), *others = users
    file = first.location.file
    right = mount_lines.written(first, meant)
    written = f"./{meant}"
    told = [item.name for item, mount in users if _is_told(item, mount)]
    effect = f"; {listed(told)} can't start" if told else ""
    return Evidence(
        f"{listed(item.name for item, _ in users)} mounts {path}, as Compose begins at the folder of {file}: there "
        f"is {meant}, but not that, and Docker puts an empty folder in its place{effect}.",
        first.location,
        subject=path,
        service=service.name,
        related=tuple(Related(mount.location, f"{item.name} mounts it here", member=True) for item, mount in others),
        recommendation=f"Write {right} in place of {written} in {file}.",
        change=(f"{written}:", f"{right}:"),
        example=f"volumes: [{right}:{first.target}]",
        severity=_severity(first, certain=bool(told)),
    )


def _is_told(service: Service, mount: Mount) -> bool:
    """Whether a command names a mounted file as the configuration to read."""
    pairs = pairwise((*service.command, ""))
    found = ((match["path"] or after) for word, after in pairs if (match := _CONFIG_OPTION.fullmatch(word)))
    return any(named == mount.target for named in found)


def _is_of_logs(mount: Mount) -> bool:
    """Whether a folder is where a program of the host writes its logs, and is there when it has run."""
    return posixpath.basename(mount.source) in ("log", "logs") or mount.target.startswith("/var/log/")


def _is_needed(service: Service, mount: Mount) -> bool:
    """Whether the service reads what is mounted: a file, something read-only, or its configuration."""
    told = any(_CONFIG_OPTION.fullmatch(word) and f"={mount.target.rstrip('/')}/" in word for word in service.command)
    told = told or _holds_program(service, mount)
    return told or _is_read_only(mount) or mount.target.startswith(_CONFIGURATION)


def _holds_program(service: Service, mount: Mount) -> bool:
    """Whether what an image of others is told to start can only be in this mount, where its commands run."""
    alone = service.build is None and sum(item.kind == "bind" for item in service.mounts) == 1
    home = mount.target.rstrip("/")
    here = home == service.working_dir.rstrip("/") if service.working_dir else home in _HOMES
    started = entry_points.starts((*service.entrypoint, *service.command), {}) if alone and here else ()
    return any(start.paths and not start.missing.startswith("/") and not start.within for start in started)


def _fills(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a service can put there what it or others read: a folder that it may write."""
    writes = not _is_needed(service, mount) or certificate_folders.are_filled(inventory, service, mount)
    return mount.kind == "bind" and writes


def _is_read_only(mount: Mount) -> bool:
    """Whether the service can't fill the mount by itself: a file, or one that it may not write."""
    return _is_file(mount) or mount.read_only


def _is_file(mount: Mount) -> bool:
    return bool(posixpath.splitext(mount.source)[1]) and bool(posixpath.splitext(mount.target)[1])


def _made(inventory: Inventory) -> str:
    """What commands may make, and documents' mentions, as one text to look for a path in."""
    words = [word for command in deployment.commands(inventory) for word in (*_results(command), *command.writes)]
    words += [path for script in inventory.scripts for path in script.makes]
    words = [each for word in words for each in unfolded(word)]
    return "\n".join([*words, *(item.text for document in inventory.documents for item in document.mentions)])


def _below_variables(made: str) -> frozenset[str]:
    """The ends of paths below folders that variables hold (`"$HERE/app.conf"`)."""
    return frozenset(end for word in _EXPANDED.findall(made) for end in _END.findall(word))


def _ends_like(path: str, ends: frozenset[str]) -> bool:
    """Whether a path is one of these, or lies somewhere and ends so."""
    parts = path.split("/")
    return any("/".join(parts[index:]) in ends for index in range(len(parts)))


def _written_below(inventory: Inventory, known: frozenset[str]) -> frozenset[str]:
    """The paths with a folder that commands write to and that aren't there, such as those below one that a `cd` to a
    variable leads to (`cd "$TARGET" && app export > config/app.yaml`).
    """
    words = [path for command in deployment.commands(inventory) for path in command.writes]
    words += [path for script in inventory.scripts for path in script.makes]
    ends = (posixpath.normpath(path) for path in words if not path.startswith(("/", "$", "~")))
    return frozenset(path for path in ends if "/" in path and not path.startswith("..") and path not in known)


def _is_named(path: str, text: str, known: frozenset[str]) -> bool:
    """Whether a text names a path that isn't there, not one of the repository that only ends like it."""
    starts = (match.start() for match in re.finditer(re.escape(path), text))
    return any(posixpath.normpath(f"{_leading(text, start)}{path}").lstrip("/") not in known for start in starts)


def _leading(text: str, end: int) -> str:
    """What of a path stands before a place; not more of it than a path is long."""
    before = text[max(0, end - 200) : end]
    return before[len(before.rstrip(_OF_PATHS)) :]


def _results(command: Command) -> tuple[str, ...]:
    """The words of a command less the sources of a copy, which are there before."""
    copies = bool(command.words) and posixpath.basename(command.words[0]) in ("cp", "mv", "ln", "install")
    return command.words[-1:] if copies else command.words


def _is_read_by_no_provider(inventory: Inventory, mount: Mount) -> bool:
    """Whether a folder is for dashboards of Grafana, whose providers all look for them elsewhere."""
    paths = [item.path for item in inventory.dashboard_providers]
    near = any(mounts.is_below(path, mount.target) or mounts.is_below(mount.target, path) for path in paths)
    return mount.target.startswith("/var/lib/grafana/dashboards") and bool(paths) and not near


def _severity(mount: Mount, *, certain: bool) -> Severity | None:
    """What no start survives is worse; what is for development is slight."""
    if environments.is_for_development(mount.location.file):
        return Severity.LOW
    return Severity.HIGH if certain else None


def _evidence(inventory: Inventory, path: str, users: list[tuple[Service, Mount]], alike: str) -> Evidence:
    (service, first), *others = users
    template = mount_lines.template(inventory, path)
    secret = mount_lines.is_secret(path) or any(key_files.is_mounted(inventory, *user) for user in users)
    ignored = bool(git_ignores.left_out_by(inventory, path) or git_ignores.left_out_by(inventory, f"{path}/"))
    kept = secret and ignored
    idle = all(_is_read_by_no_provider(inventory, mount) for _, mount in users)
    names = dict.fromkeys(item.name for item, _ in users)
    filled = not any(_is_read_only(mount) for _, mount in users)
    told = [item.name for item, mount in users if _is_told(item, mount)]
    script = "" if alike or kept or template else mount_lines.build_script(inventory, path)
    state = _state(path, template, alike, script, kept=kept)
    outcome = f" puts an empty folder in its place{_outcome(service, first, told, filled=filled)}"
    if first.is_config:
        state, outcome = state[: -len("; Docker")], f": Compose refuses to start {service.name}"
    found = Evidence(
        f"{listed(names)} {'mounts' if len(names) == 1 else 'mount'} {path}, {state}{outcome}.",
        first.location,
        subject=path,
        service=service.name,
        related=tuple(Related(mount.location, f"{item.name} mounts it here", member=True) for item, mount in others),
        recommendation=f"Say in the README how {path} is made on the host."
        if kept
        else mount_lines.copy_of(inventory, path, template)
        if template and not secret
        else mount_lines.first_step(path, first, script, secret=secret, ignored=ignored),
        severity=Severity.LOW
        if kept or idle
        else _severity(first, certain=(bool(told) or first.is_config) and not template),
        confidence=Confidence.MEDIUM if filled or template or kept or script else None,
        example=f"(cd {posixpath.dirname(script) or '.'} && npm ci && npm run build)"
        if script
        else mount_lines.way(mounts.undoubled(first) or path, first, template, secret=secret, ignored=ignored),
    )
    if idle:
        return mount_lines.taken_out(found, first)
    return mount_lines.renamed(found, service, first, path, alike) if alike and not secret else found


def _state(path: str, template: str, alike: str, script: str, *, kept: bool) -> str:
    """What the repository has in the place of a path, up to what Docker does then."""
    if alike:
        why = "on Linux " if alike.lower() == path.lower() else ""
        return f"which {why}is another than {alike}, which the repository has; Docker"
    if kept:
        return "which Git ignores, as is right for secrets; unless the host has it, Docker"
    if template:
        return f"of which the repository has only {template}; unless something makes the one from the other, Docker"
    if script:
        return f"which only the build of {script} makes; unless that has run on the host, Docker"
    return "which the repository doesn't have and nothing in it makes; Docker"


def _outcome(service: Service, mount: Mount, told: list[str], *, filled: bool) -> str:
    """What comes of the empty folder, as far as anything tells."""
    if told:
        return f"; {listed(told)} {'is' if len(told) == 1 else 'are'} told to read it, and can't start"
    if _is_file(mount) and "initdb.d" not in mount.target:
        return f"; where the image of {service.name} has a file at {mount.target}, it doesn't start"
    if _holds_program(service, mount):
        return f"; what {service.name} is told to start is nowhere else"
    return f"; {service.name} starts without its content, unless it fills the folder by itself" if filled else ""
