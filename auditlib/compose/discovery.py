"""The Compose projects of a repository: which files belong together, and in which role.

A base file is one that `docker compose` finds by itself. `docker-compose.override.yml` beside it is read with it.
Files such as `docker-compose.prod.yml` beside a base are overlays, meant to be laid over the base with `-f`, unless
they stand on their own: they are deployed as a stack of Swarm, share with the base neither a service nor a network that
it alone declares, are complete in networks or under a name of their own, or say of a service what Compose refuses
beside what the base says. A file without a base is a project of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from pathlib import PurePosixPath

from msgspec import Struct

from auditlib.compose.errors import ComposeError
from auditlib.compose.sources import Sources
from auditlib.compose.tree import Map, Seq
from auditlib.compose.yaml_reader import read_documents
from auditlib.patterns import regex

BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""The files that Compose looks for, in its order of preference."""
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_NAME = regex(r"(?:docker-)?compose(?:[._-](?P<role>[\w.-]+?))?\.ya?ml\Z", re.IGNORECASE)
_STACK = regex(r"(?:[\w.-]+[._-])?stack(?:[._-](?P<role>[\w.-]+?))?\.ya?ml\Z", re.IGNORECASE)
"""Files of `docker stack deploy`, which nothing but their services tells from others of that name."""
_SWARM = regex(r"(?:^|[._-])swarm(?=[._-])", re.IGNORECASE)
"""Files for Swarm; a stack may also be what a repository calls all of its services."""
_TELLS_STACK = regex(r"\bdocker stack (?:deploy|up)\s[^\n]{0,300}")
_SUFFIX = regex(r"(?P<role>[\w.-]+)\.(?:docker-)?compose\.ya?ml\Z", re.IGNORECASE)
_SKIPPED = frozenset((".git", "node_modules", ".venv", "venv", "__pycache__", "vendor", ".tox", "site-packages"))
_SECTIONS = frozenset(
    ("services", "include", "networks", "volumes", "configs", "secrets", "models", "extends", "name", "version")
)


class Found(Struct, frozen=True):
    """One Compose project of a repository. All paths are relative to its root, with `/`."""

    directory: str
    """The folder of the project, `.` for the root."""
    files: tuple[str, ...]
    """What `docker compose` would read: the base and its override; for an overlay its base comes first."""
    role: str
    """`base`, `overlay` (laid over a base), `standalone` (complete by itself) or `broken` (not to be read)."""
    env_file: str | None = None
    """The `.env` beside it."""
    base: str | None = None
    """The file that an overlay is laid over."""
    others: tuple[str, ...] = ()
    """Further base files beside it that Compose would pass over."""
    alone: bool = False
    """Whether every service says what it runs, so that the file may also be used by itself."""
    reason: str = ""
    """Why the role is what it is, in words."""

    @property
    def name(self) -> str:
        """The file that is the project's own: the base, or the overlay."""
        return self.files[0] if self.role != "overlay" else self.files[-1]


def is_compose_file(name: str) -> bool:
    """Whether a file's name is that of a Compose file by convention."""
    return bool(_NAME.match(name) or _SUFFIX.match(name))


def is_for_swarm(name: str) -> bool:
    """Whether a file is for Swarm by its name."""
    return bool(_SWARM.search(name))


def _file_names(text: str) -> set[str]:
    """The names of the YAML files in a text, without their folders."""
    words = (word.strip("\"'`") for word in text.split())
    return {PurePosixPath(word).name for word in words if word.endswith((".yml", ".yaml"))}


def discover(root: str | os.PathLike[str], paths: Iterable[str] | None = None) -> tuple[Found, ...]:
    """The Compose projects below `root`; with `paths` (relative, with `/`) only those are looked at, without a walk."""
    top = os.fspath(root)
    every = sorted(set(paths)) if paths is not None else sorted(_walk(top))
    names = set(every)
    folders: dict[str, list[str]] = {}
    for path in every:
        if f"/{path}".rpartition("/")[0].endswith("/.github/workflows"):
            continue  # GitHub reads every file there as a workflow, whatever it is called
        folder, _, name = path.rpartition("/")
        if is_compose_file(name) or (_STACK.match(name) and _has_services(top, path)):
            folders.setdefault(folder or ".", []).append(path)
    found: list[Found] = []
    for folder in sorted(folders):
        found += _Folder(top, folder, folders[folder], names).found()
    return tuple(found)


def _walk(top: str) -> Iterator[str]:
    for folder, below, files in os.walk(top, followlinks=False):
        below[:] = sorted(d for d in below if d not in _SKIPPED)
        for name in files:
            if is_compose_file(name) or _STACK.match(name) or name == ".env":
                yield FilePath(folder, name).relative_to(top).as_posix()


_REPEATED = 3
"""Settings of a service that a file has in common with another, so that it was copied from there."""


class _Folder:
    """The Compose files of one folder."""

    def __init__(self, top: str, folder: str, paths: list[str], names: set[str]) -> None:
        self.top, self.folder = top, folder
        self.sources = Sources(top)
        self.by_name = {PurePosixPath(path).name: path for path in paths}
        env = str(PurePosixPath(folder, ".env"))
        self.env_file = env if env in names or os.path.isfile(os.path.join(top, env)) else None
        self.bases = [self.by_name[name] for name in BASES if name in self.by_name]
        self.overrides = [self.by_name[name] for name in OVERRIDES if name in self.by_name]

    def found(self) -> Iterator[Found]:
        """The base with its override, then every other file in its role."""
        used = set(self.bases)
        if self.bases:
            files = (self.bases[0], *self.overrides[:1])
            used.update(self.overrides)
            content, problem = self._read(self.bases[0])
            role = "base" if content is not None else "broken"
            alone = content is not None and _complete(content)
            why = problem or "found by docker compose itself"
            yield Found(self.folder, files, role, self.env_file, None, tuple(self.bases[1:]), alone, why)
        for path in sorted(self.by_name.values()):
            if path not in used:
                yield self._other(path)

    def _other(self, path: str) -> Found:
        content, problem = self._read(path)
        if content is None:
            return Found(self.folder, (path,), "broken", self.env_file, reason=problem)
        alone = _complete(content)
        if not self.bases:
            why = "no base file beside it"
        elif alone and (_STACK.match(PurePosixPath(path).name) or self._is_stack(path)):
            why = "a stack of its own, for `docker stack deploy`"
        elif alone and not _touches(content, self._read(self.bases[0])[0]):
            why = "complete by itself, and shares no service with the base"
        elif alone and _lives_apart(content, self._read(self.bases[0])[0]):
            why = "complete by itself, in networks of its own"
        elif alone and _names_itself(content):
            why = "complete by itself, with a project name of its own"
        elif alone and _says_again(content, self._read(self.bases[0])[0]):
            why = "complete by itself, and says again what the base says"
        elif alone and (service := _refused_over(content, self._read(self.bases[0])[0])):
            why = f"complete by itself, and no overlay: Compose refuses network_mode beside networks ({service})"
        else:
            base = self.bases[0]
            why = f"laid over {PurePosixPath(base).name}"
            return Found(self.folder, (base, path), "overlay", self.env_file, base, (), alone, why)
        return Found(self.folder, (path,), "standalone", self.env_file, None, (), alone, why)

    def _is_stack(self, path: str) -> bool:
        """Whether a file is for Swarm by its name, or says that it is deployed so, and nothing beside it."""
        name = PurePosixPath(path).name
        text = self.sources.read(os.path.join(self.top, path)).text
        told = [_file_names(match[0]) for match in _TELLS_STACK.finditer(text)]
        return any(names == {name} for names in told) or (is_for_swarm(name) and not any(told))

    def _read(self, path: str) -> tuple[Map | None, str]:
        """The first mapping of a file, or why there is none. Faults within it are for `load` to judge."""
        try:
            source = self.sources.read(os.path.join(self.top, path))
            documents = read_documents(source, lambda *_: None)
        except ComposeError as error:
            return None, error.reason
        content = next((d.value for d in documents if isinstance(d.value, Map)), None)
        if content is None:
            return None, "holds no mapping" if documents else "is empty"
        if not any(key in _SECTIONS or key.startswith("x-") for key in content):
            return None, "holds no services, include or other section of a Compose file"
        return content, ""


def _has_services(top: str, path: str) -> bool:
    """Whether a file lists services that say what they run."""
    try:
        documents = read_documents(Sources(top).read(os.path.join(top, path)), lambda *_: None)
    except ComposeError:
        return False
    return any(isinstance(item.value, Map) and "services" in item.value and _complete(item.value) for item in documents)


def _complete(content: Map) -> bool:
    """Whether every service says what it runs."""
    services = content.get("services")
    if not isinstance(services, Map) or not services:
        return isinstance(content.get("include"), Seq) and bool(content["include"])
    runs = ("image", "build", "extends", "provider")
    return all(isinstance(s, Map) and any(key in s for key in runs) for s in services.values())


def _touches(content: Map, base: Map | None) -> bool:
    """Whether a file changes a service of the base, or needs one, or joins a network that the base alone declares."""
    theirs = base.get("services") if base is not None else None
    if base is None or not isinstance(theirs, Map):
        return False
    mine = content.get("services")
    if not isinstance(mine, Map):
        return False
    needed = {name for service in mine.values() for name in _depends_on(service)}
    if any(name in theirs for name in mine) or any(name in theirs and name not in mine for name in needed):
        return True
    joined = {name for item in mine.values() if isinstance(item, Map) for name in _names(item.get("networks"))}
    return not (joined - _names(content.get("networks"))).isdisjoint(_names(base.get("networks")))


def _lives_apart(content: Map, base: Map | None) -> bool:
    """Whether a file joins its services by other networks than the base, and brings all that they need of it."""
    if base is None or not (mine := _own_networks(content)) or not (theirs := _own_networks(base)) or mine & theirs:
        return False
    services, others = content["services"], base["services"]
    used = [_names(item.get("networks")) if isinstance(item, Map) else set() for item in services.values()]
    joined = all(names and names <= mine for names in used)
    needed = {other for name in services for other in _depends_on(others.get(name))}
    return joined and needed.issubset(services) and (bool(needed) or _repeats(services, others))


def _names_itself(content: Map) -> bool:
    """Whether a file says what its project is called, and needs no service, volume or network of another file."""
    services = content.get("services")
    if not content.get("name") or not isinstance(services, Map):
        return False
    items = [item for item in services.values() if isinstance(item, Map)]
    needed = {name for item in items for name in _depends_on(item)}
    joined = {name for item in items for name in _names(item.get("networks"))} - {"default"}
    return needed.issubset(services) and joined.issubset(_names(content.get("networks")))


def _repeats(mine: Map, theirs: Map) -> bool:
    """Whether the services in common run the same, and some say again what they publish, which an overlay doesn't."""
    shared = [(_says(service), _says(theirs[name])) for name, service in mine.items() if name in theirs]
    same = [one for one, other in shared if one == other and all(one)]
    return len(same) > 1 and all(one[0] and one[0] == other[0] for one, other in shared)


def _says_again(content: Map, base: Map | None) -> bool:
    """Whether a file repeats much of what the base says of half of the services that they share, or something beside
    the image of each: an overlay has no reason to.

    One that names the image again may only change it elsewhere; what stands in both word for word is not changed.
    """
    theirs = base.get("services") if base is not None else None
    shared = [(mine, theirs.get(name)) for name, mine in content["services"].items()] if isinstance(theirs, Map) else []
    pairs = [(one, other) for one, other in shared if isinstance(one, Map) and isinstance(other, Map)]
    repeated = [{key for key, value in one.items() if other.get(key) == value} for one, other in pairs]
    many = sum(len(keys) >= _REPEATED for keys in repeated) >= len(pairs) / 2
    each = len(pairs) >= _REPEATED and all(len(keys) > 1 and keys & {"image", "build"} for keys in repeated)
    return len(pairs) > 1 and (many or each)


def _says(service: object) -> tuple[object, object]:
    return (service.get("image"), service.get("ports")) if isinstance(service, Map) else (None, None)


def _refused_over(content: Map, base: Map | None) -> str:
    """A service to which one file gives networks and the other a network mode: Compose takes only one of them."""
    theirs = base.get("services") if base is not None else None
    if not isinstance(theirs, Map):
        return ""
    for name, mine in content["services"].items():
        pair = [set(item) if isinstance(item, Map) else set() for item in (mine, theirs.get(name))]
        if any("networks" in one and "network_mode" in other for one, other in (pair, pair[::-1])):
            return str(name)
    return ""


def _own_networks(content: Map) -> set[str]:
    """The networks that a file makes, apart from those that exist already."""
    found = content.get("networks")
    items = found.items() if isinstance(found, Map) else ()
    return {name for name, item in items if not (isinstance(item, Map) and item.get("external"))}


def _depends_on(service: object) -> set[str]:
    """The services that one waits for."""
    return _names(service.get("depends_on")) if isinstance(service, Map) else set()


def _names(listing: object) -> set[str]:
    """The names of a list, or the keys of a mapping."""
    return {item for item in listing if isinstance(item, str)} if isinstance(listing, Map | Seq) else set()
