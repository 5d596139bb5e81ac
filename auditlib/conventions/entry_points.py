"""What the commands of well-known servers and runners start: a Python module, a script of package.json.

Sources: the command line documentation of uvicorn, gunicorn, hypercorn, Celery and npm.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service

_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "daphne", "granian"})
_APPLICATION = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*:[A-Za-z_][\w.]*(?:\(\))?")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_FETCHES = re.compile(r"\bgit clone\b|\bcurl\b.*\.(?:tar|zip|git)|\bpip3? install git\+")


def copies_nothing(inventory: Inventory, service: Service) -> bool:
    """Whether what an image holds can't be told from the repository: it copies nothing, or fetches sources."""
    found = services.dockerfile(inventory, service)
    if found is None:
        return True
    copies = any(item.keyword in ("COPY", "ADD") for item in found.instructions)
    mounted = any(mount.kind == "bind" for mount in service.mounts)
    fetches = any(item.keyword == "RUN" and _FETCHES.search(item.argument) for item in found.instructions)
    return fetches or not (copies or mounted)


def missing(inventory: Inventory, words: list[str], files: list[str], context: str) -> Iterator[tuple[str, str]]:
    """What a command starts and `files` don't hold: as the command names it, and what would have to be there."""
    names = [posixpath.basename(word) for word in words]
    python = any(path.endswith(".py") for path in files)
    if python and _SERVERS & set(names):
        for word in words:
            module = word.partition(":")[0]
            if _APPLICATION.fullmatch(word) and not _is_module(module, files):
                yield word, f"{module.replace('.', '/')}.py"
    elif python and "celery" in names:
        for word in _celery_applications(words):
            module = word.partition(":")[0]
            parent = module.rpartition(".")[0]
            if _DOTTED.fullmatch(module) and not (_is_module(module, files) or (parent and _is_module(parent, files))):
                yield f"Celery's {word}", f"{module.replace('.', '/')}.py"
    elif names[:2] in (["npm", "run"], ["yarn", "run"], ["pnpm", "run"]) and len(words) > 2:
        manifests = {item.path: item for item in inventory.manifests if item.kind == "npm"}
        manifest = manifests.get(posixpath.normpath(posixpath.join(context, "package.json")))
        if manifest and words[2] not in {target.name for target in manifest.targets}:
            yield f"`{' '.join(words[:3])}`", f"a script {words[2]} in package.json"


def _celery_applications(words: list[str]) -> list[str]:
    found = [after for word, after in pairwise(words) if word in ("-A", "--app")]
    return found + [word.removeprefix("--app=") for word in words if word.startswith("--app=")]


def _is_module(dotted: str, files: list[str]) -> bool:
    """Whether a file is the module, or a package of that name has one, in whichever folder the path begins."""
    path = dotted.replace(".", "/")
    return any(file == f"{path}.py" or file.endswith(f"/{path}.py") or f"/{path}/" in f"/{file}" for file in files)
