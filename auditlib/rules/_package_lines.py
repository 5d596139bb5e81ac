"""What to write where packages are installed in any version: constraints, lock files, and the copies of them."""

from __future__ import annotations

import posixpath
import re
import shlex

from msgspec import Struct

from auditlib.conventions.image_sources import Copied
from auditlib.conventions.package_installs import FROM_LOCK, LOCKS, MAKES_LOCK, Installs
from auditlib.inventory.delivery import Manifest
from auditlib.model import Location
from auditlib.rules import _files as files

NAMED = 5
_LINE = 160
"""Characters of a command that is shown as it stands, with what it lacks."""


class Use(Struct, frozen=True):
    """A command that installs from a file of the repository; `image` is the Dockerfile's path, if one does."""

    location: Location
    installs: Installs
    image: str = ""
    copied: Copied | None = None
    excluded: str = ""
    """The `.dockerignore` that keeps the lock file out."""
    aside: bool = False
    """Whether the image, or the stage of it, is for development or tests alone, or built by nothing."""
    command: str = ""
    """The whole instruction of an image's build."""
    python: str = ""
    """The version of Python in the image, where its base names it."""

    @property
    def is_for_production(self) -> bool:
        """Whether it makes an image that runs in production."""
        return bool(self.image) and not self.aside


def constraints(manifest: Manifest, uses: list[Use]) -> str:
    """How the versions of today get into a file that the installation is given."""
    name, use = posixpath.basename(manifest.path), next((use for use in uses if use.image), uses[0])
    python = f" --python-version {use.python}" if use.python else ""
    written = f"{_into(manifest.path)}uv pip compile{python} {shlex.quote(name)} -o constraints.txt"
    renamed = _renamed(name, use)
    path = next((item for item in use.installs.files if posixpath.basename(item) == name), renamed or name)
    wanted, given = f"-r {path}", f"-r {path} -c {posixpath.join(posixpath.dirname(path), 'constraints.txt')}"
    run = f"pip install {given}"
    if not use.image:
        return f"{written}\n{files.into(use.location.file, f'run: {run}')}"
    if wanted in use.command and "\n" not in use.command and len(use.command) < _LINE:
        run = use.command.replace(wanted, given, 1)
    lines = "\n".join(filter(None, (_copied_with(name, "constraints.txt", use), f"RUN {run}")))
    return f"{written}\n{files.into(use.image, lines)}"


def _renamed(name: str, use: Use) -> str:
    """The path that a file has in the image, where its COPY gives it another name."""
    words = use.copied.instruction.words if use.copied and use.copied.instruction.keyword == "COPY" else ()
    alone = len(words) == 2 and posixpath.basename(words[0]) == name and words[1] in use.installs.files
    return words[1] if alone and posixpath.basename(words[1]) != name else ""


def _copied_with(name: str, other: str, use: Use) -> str:
    """The COPY of a file with another one beside it; empty where the image gets all that is there."""
    words = use.copied.instruction.words if use.copied and use.copied.instruction.keyword == "COPY" else ()
    source = next((word for word in words[:-1] if posixpath.basename(word) == name), "")
    if not source or any(posixpath.basename(word) == other for word in words):
        return ""
    if renamed := _renamed(name, use):
        return f"COPY {posixpath.join(posixpath.dirname(source), other)} {posixpath.dirname(renamed) or '.'}/"
    into = posixpath.dirname(words[-1]) if posixpath.basename(words[-1]) == name else words[-1].rstrip("/")
    return f"COPY {' '.join(words[:-1])} {posixpath.join(posixpath.dirname(source), other)} {into or '.'}/"


def lock(path: str, manager: str, uses: list[Use], ignoring: str) -> str:
    """How the lock file is made and committed, and gets into the images that name what they copy."""
    made = f"{_into(path)}{MAKES_LOCK[manager]} && git add {lock_name(manager)}"
    made = f"# without {lock_name(manager)} in {ignoring}:\n{made}" if ignoring else made
    own = ((use, _copied_with(posixpath.basename(path), lock_name(manager), use)) for use in uses if use.image)
    copies = dict.fromkeys(files.into(use.image, line) for use, line in own if line)
    return "\n".join((made, f"{FROM_LOCK[manager]}  # from then on", *copies))


def _into(path: str) -> str:
    """How a shell gets to the folder of a file."""
    folder = posixpath.dirname(path)
    return f"cd {shlex.quote(folder)} && " if folder else ""


def lock_name(manager: str) -> str:
    own = {"yarn": "yarn.lock", "pnpm": "pnpm-lock.yaml", "bun": "bun.lock"}
    return own.get(manager, LOCKS[manager][1][0])


def with_lock(path: str, name: str, use: Use) -> tuple[str, str]:
    """The edit of the COPY, where it copies the manifest alone into a folder."""
    item = use.copied.instruction if use.copied else None
    manifest = posixpath.basename(path)
    if use.excluded or item is None or item.keyword != "COPY" or item.words[-1] not in (".", "./", "/app/", "/app"):
        return "", ""
    source = next((word for word in item.words[:-1] if posixpath.basename(word) == manifest), "")
    return (source, f"{source} {source[: -len(manifest)]}{name}") if source and item.words[-1] != "/app" else ("", "")


def copying(path: str, name: str, use: Use) -> str:
    if use.excluded:
        return files.into(use.excluded, f"!{name}")
    copied = _copied_with(posixpath.basename(path), name, use) or f"COPY {posixpath.basename(path)} {name} ./"
    return files.into(use.image, f"{copied}\nRUN {_from_lock(use)}")


def _from_lock(use: Use) -> str:
    """The build's own command as it keeps to the lock file, with its other options."""
    manager = use.installs.manager
    known = re.subn(rf"\b{manager} (?:install|sync|i)\b", FROM_LOCK[manager], use.command, count=1)
    plain = known[1] and "\n" not in use.command and len(use.command) < _LINE
    return known[0] if plain else FROM_LOCK[manager]


def pinned(found: Installs) -> str:
    """The instruction of a build with versions; of a manager whose command isn't known the packages alone."""
    separator = "==" if found.manager == "pip" else "@"
    names = [f"{name}{separator}<version>" for name in found.unpinned[:NAMED]]
    command = {"pip": "pip install --no-cache-dir", "npm": "npm install -g"}.get(found.manager, "")
    return f"RUN {command} {' '.join(names)}" if command else "\n".join(names)
