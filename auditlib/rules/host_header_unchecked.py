"""Django answers requests for whatever host.

With `"*"` in ALLOWED_HOSTS the host that a client names is believed. Links in mails and redirects that are made of it
lead to where an attacker wants, and caches can be filled with them.

Anti-pattern:

    ALLOWED_HOSTS = ["*"]

Better:

    ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")

Recommendation:

    Read the host names from the environment, and name those of each deployment.

References:

- https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts
- https://docs.djangoproject.com/en/stable/topics/security/#host-headers-virtual-hosting
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_READING = {
    "decouple": 'ALLOWED_HOSTS = config("ALLOWED_HOSTS", cast=Csv())  # from decouple import Csv, config',
    "django-environ": 'ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")',
    "environs": 'ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")',
}
"""By the library through which the settings are read."""
_PLAIN = 'import os\n\nALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")'
_SHARED = frozenset({"base", "common", "default", "defaults"})
"""Files of settings that those of each environment start from, and may change."""
_OTHERS = regex(r"(?:\w+_)?settings(?:_\w+)?\.py|(?:local|prod|production|staging|live)\.py")
_TRIED_OUT = regex(r"(?:^|/)(?:\w+[_-])?(?:examples?|sandbox|demos?|tests?|tutorials?)(?:[_-]?(?:app|project|site))?/")
"""Folders of a project that shows how a library is used."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every setting of Django, those for development and tests left out, that allows all hosts."""
    for item in inventory.any_hosts:
        file = item.location.file
        if not environments.is_for_development(file) and not _TRIED_OUT.search(file):
            shared = _is_shared(inventory, file)
            yield Evidence(
                'ALLOWED_HOSTS holds "*": Django takes whatever host a client names for its own'
                f"{', where no other settings say otherwise' if shared else ''}.",
                item.location,
                subject="ALLOWED_HOSTS",
                recommendation=f"Read ALLOWED_HOSTS from the environment in {file}.",
                confidence=Confidence.MEDIUM if shared else None,
                example=files.into(file, _read(inventory, file)),
            )


def _is_shared(inventory: Inventory, file: str) -> bool:
    """Whether other settings may start from these: by their name, or as there are others beside them."""
    folder, name = posixpath.split(file)
    beside = (posixpath.split(path) for path in inventory.files if path != file)
    others = any(home == folder and _OTHERS.fullmatch(other) for home, other in beside)
    return posixpath.splitext(name)[0] in _SHARED or others


def _read(inventory: Inventory, file: str) -> str:
    """The list from the environment, as the other settings of the file are read."""
    styles = (item.style for item in inventory.settings if item.location.file == file)
    return next((_READING[style] for style in styles if style in _READING), _PLAIN)
