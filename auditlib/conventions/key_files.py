"""Which files and folders hold private keys, certificates or secrets, so that they never belong into a repository."""

from __future__ import annotations

import re

from auditlib.conventions import mounts
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.patterns import regex

_FILE = regex(
    r"\.(?:pem|key|p12|pfx|jks|crt)$|(?:^|/)(?:id_(?:rsa|ecdsa|ed25519)|acme\.json|\.?htpasswd|"
    r"(?:[\w-]{1,40}[._-])?(?:secrets?|credentials?)\.(?:ya?ml|json|toml|ini|txt|env))$",
    re.I,
)
_FOLDER = regex(
    r"(?:^|/)(?:ssl|tls|certs?|certificates?|private|letsencrypt|secrets?|\.?ssh|\.gnupg)(?:/[^/.]+)*/?$", re.I
)


def is_one(path: str) -> bool:
    """Whether a path is called like a key, or like a folder of keys."""
    return bool(_FILE.search(path) or _FOLDER.search(path))


def is_mounted(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a mount is called so on either side, or the proxy's configuration looks for a key in it."""
    named = [path for proxy in inventory.reverse_proxies for path in proxy.folders if _FILE.search(path)]
    outside = [mounts.path_outside(service, path) for path in named]
    return is_one(mount.source) or is_one(mount.target) or any(mounts.is_below(path, mount.source) for path in outside)
