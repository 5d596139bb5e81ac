"""What to say and to write where the source of a mount isn't there."""

from __future__ import annotations

import posixpath
import re
import shlex
import textwrap

import msgspec

from auditlib.conventions import git_ignores, mounts
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files
from auditlib.rules._rule import Evidence

_TEMPLATES = (
    ".template", ".tmpl", ".tpl", ".gotmpl", ".j2", ".jinja", ".jinja2", ".erb", ".example", ".sample", ".dist",
)  # fmt: skip
_SECRET = regex(r"(?:^|[._-])(?:tokens?|passw(?:or)?d|passphrase|api[._-]?key)(?:\.txt)?$", re.I)
"""How a file with a secret is called that no ending tells from a folder."""
_RESULTS = frozenset({".next", ".nuxt", ".output", "build", "dist", "out"})
"""The folders that builds of JavaScript write."""


def written(mount: Mount, path: str) -> str:
    """A path of the repository as a Compose file writes it."""
    path = posixpath.relpath(path, posixpath.dirname(mount.location.file))
    return path if path.startswith("..") else f"./{path}"


def template(inventory: Inventory, path: str) -> str:
    """The file that the source is probably made from, by a program that no reader follows."""
    return next((path + suffix for suffix in _TEMPLATES if path + suffix in inventory.file_set), "")


def _supplied(path: str, mount: Mount, *, ignored: bool) -> str:
    """A file that is committed, or for a folder the step that fills it before the first start."""
    is_file = bool(posixpath.splitext(path)[1])
    if is_file and not ignored:
        return _files.committed([path])
    if is_file:
        made = f"<the command that makes {path}, which is read at {mount.target}>"
        return _files.into("README.md", f"Before the first start:\n\n    {made}")
    made = f"mkdir -p {shlex.quote(path)}\n<the command that puts there what is read at {mount.target}>"
    return _files.into("README.md", f"Before the first start:\n\n{textwrap.indent(made, '    ')}")


def way(path: str, mount: Mount, template: str, *, secret: bool, ignored: bool) -> str:
    """What brings the source to where it is mounted from."""
    if secret:
        return _kept_outside(path, mount, ignored=ignored)
    if template:
        return f"cp {shlex.quote(template)} {shlex.quote(path)}"
    return _supplied(path, mount, ignored=ignored)


def _kept_outside(path: str, mount: Mount, *, ignored: bool) -> str:
    """The line that has Git ignore keys, and the step that makes them on the host."""
    made = f"<the command that makes the keys that are read at {mount.target}, as certbot or openssl does>"
    if is_secret(path):
        made = f"<the command that writes what is read at {mount.target}> > {shlex.quote(path)}"
    steps = _files.into("README.md", f"On the host:\n\n    {made}")
    return steps if ignored else "\n".join((_files.into(".gitignore", f"/{path}"), steps))


def _named_right(mount: Mount, path: str, alike: str) -> tuple[str, str]:
    """The edit of a mount that names a file like the one that is meant."""
    name = posixpath.basename(path)
    same = alike and posixpath.dirname(alike) == posixpath.dirname(path) and posixpath.basename(mount.target) != name
    return (name, posixpath.basename(alike)) if same else ("", "")


def _mounted(service: Service, mount: Mount, source: str) -> str:
    """The mount with the source that is there."""
    return compose_lines.mount_of(service, source, mount.target, ":ro" if mount.read_only else "")


def copy_of(inventory: Inventory, path: str, template: str) -> str:
    """What to do about a file that people make from a template, as they put their own values in."""
    ignored = git_ignores.left_out_by(inventory, path)
    rest = "" if ignored else ", and have Git ignore the copy where it gets passwords"
    return f"Say in the README that {template} is copied before the start{rest}."


def is_secret(path: str) -> bool:
    return _SECRET.search(posixpath.basename(path)) is not None


def first_step(path: str, mount: Mount, script: str, *, secret: bool, ignored: bool) -> str:
    if secret:
        return f"Say in the README how {path} is made on the host, and have Git ignore it, as it holds secrets."
    if right := mounts.undoubled(mount):
        return f"Commit {right}, and mount it as {written(mount, right)}, as Compose begins at its file's own folder."
    if script:
        return f"Say in the README that {script} is built before the start, or take the mount out."
    if ignored:
        return f"Say in the README how {path}, which Git ignores, is made before the start."
    return f"Commit {path}, or say in the README how it is made before the start."


def build_script(inventory: Inventory, path: str) -> str:
    """The package.json whose build makes a folder of this name beside it."""
    file = posixpath.join(posixpath.dirname(path), "package.json")
    builds = any(
        item.path == file and any(each.name == "build" for each in item.targets) for item in inventory.manifests
    )
    return file if builds and posixpath.basename(path) in _RESULTS else ""


def taken_out(found: Evidence, mount: Mount) -> Evidence:
    """What to do about a folder that nobody reads."""
    return msgspec.structs.replace(
        found,
        recommendation=f"Remove the mount from {mount.location.file}, as no provider reads {mount.target}.",
        example=_files.into(mount.location.file, f"# out: - {mount.source}:{mount.target}"),
    )


def renamed(found: Evidence, service: Service, mount: Mount, path: str, alike: str) -> Evidence:
    """What to do where the repository has a file of a like name."""
    return msgspec.structs.replace(
        found,
        recommendation=f"Mount {alike} in place of {path}, if it is what is meant.",
        change=_named_right(mount, path, alike),
        example=_mounted(service, mount, alike),
    )
