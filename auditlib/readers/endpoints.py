"""The hosts that a text names, so that a connection is seen where nobody declared it.

It runs on the raw text, before secrets are masked, and hands on hosts and ports only.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.stack import Endpoint
from auditlib.patterns import regex
from auditlib.redaction import is_credential_name

TEXT_LIMIT = 4_000
"""Characters of a value that are looked at; a longer one is a document, not an address."""

_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?"
_URL = regex(r"\b([A-Za-z][A-Za-z0-9+.-]{1,30})://([^\s/\"'<>`|]+)")
_NEXT = regex(r",(?=[A-Za-z][A-Za-z0-9+.-]{1,30}://)")
"""What parts the URLs of a list (`nats://a:4222,nats://b:4222`)."""
_AUTHORITY = regex(rf"({_HOST})(?::(\d{{1,5}}))?(?=$|[?#;)\]}}])")
_PAIR = regex(rf"(?:^|[\s,;=@('\"])({_HOST}):(\d{{2,5}})(?=$|[\s,;/)'\"])")
_AFTER_CREDENTIALS = regex(rf"@(?:\w+\()?({_HOST}):(\d{{2,5}})(?=$|[\s,;/)'\"])")
_BARE = regex(rf"({_HOST})$")
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none"})
_ADDRESS_NAME = regex(
    r"(?:^|_)(?:HOST|HOSTS|HOSTNAME|SERVER|SERVERS|ADDR|ADDRESS|ENDPOINT|ENDPOINTS|URL|URI|NODES|PEERS|BROKERS|"
    r"UPSTREAM|BACKEND_HOST|SERVICE_NAME|SEED_HOSTS|CONTACT_POINTS)$"
)
_NO_ADDRESS_NAME = regex(
    r"ALLOWED|TRUSTED|CORS|CSRF|ORIGIN|NO_PROXY|VIRTUAL|LISTEN|BIND|IMAGE|VERSION|TAG$|^(?:REVERB|OCTANE)_SERVER$"
)
"""Names whose hosts are let in or listened on, not connected to, or that hold no host at all: Laravel's choose an entry
of its configuration.
"""


def endpoints(name: str, text: str) -> tuple[Endpoint, ...]:
    """The hosts that the value `text` of a variable `name` names, in their order, each once.

    A URL and a `host:port` count whatever the name; a bare word only where the name says that it is an address
    (`CHROMA_HOST`). In a value that is a secret by its name only what follows an `@` counts, or a URL's host.
    """
    upper = name.upper().replace("-", "_").replace(".", "_")
    if len(text) > TEXT_LIMIT or _NO_ADDRESS_NAME.search(upper):
        return ()
    found = list(_in_urls(text))
    if not found:
        pattern = _AFTER_CREDENTIALS if is_credential_name(name) else _PAIR
        found = [Endpoint("", host, port) for host, port in pattern.findall(text) if not host.isdigit()]
    if not found and _ADDRESS_NAME.search(upper):
        words = (word.strip() for word in text.split(","))
        plain = (word for word in words if word.lower() not in _SWITCHES and not word.isdigit())
        found = [Endpoint("", word, "") for word in plain if _BARE.match(word)]
    return tuple(dict.fromkeys(found))


def _in_urls(text: str) -> Iterator[Endpoint]:
    """The hosts of every URL; several of one URL (`kafka://a:1,b:2`) each count."""
    for scheme, authority in _URL.findall(_NEXT.sub(" ", text)):
        for part in authority.rpartition("@")[2].split(","):
            if match := _AUTHORITY.match(part):
                yield Endpoint(scheme.lower(), match[1], match[2] or "")
