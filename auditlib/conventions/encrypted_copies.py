"""Files that a repository keeps encrypted, under the name of the file that a deployment makes of them.

Of SOPS, age, GnuPG, git-secret and OpenSSL, as their documentation and their users name them.
"""

from __future__ import annotations

import posixpath

from auditlib.inventory import Inventory

_ENDINGS = (".enc", ".sops", ".age", ".gpg", ".pgp", ".asc", ".secret", ".encrypted", ".vault")


def of(inventory: Inventory, path: str) -> str:
    """The encrypted copy of a file that isn't there: `app.env.enc`, `app.enc.env`, `enc.app.env`; empty without one."""
    folder, name = posixpath.split(posixpath.normpath(path))
    stem, ending = posixpath.splitext(name)
    names = [f"{name}{mark}" for mark in _ENDINGS] + [f"{mark[1:]}.{name}" for mark in _ENDINGS]
    names += [f"{stem}{mark}{ending}" for mark in _ENDINGS if ending]
    return next((item for item in (posixpath.join(folder, each) for each in names) if item in inventory.file_set), "")
