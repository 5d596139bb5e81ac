"""Names in images and web addresses that stand for one that somebody was to fill in.

Sources: https://www.rfc-editor.org/rfc/rfc2606 for the domains that nobody can have,
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html for the accounts of examples, and
https://docs.docker.com/reference/cli/docker/image/tag/ for what a reference may hold.
"""

from __future__ import annotations

import re

from auditlib.patterns import regex

_ANY = regex(
    r".*[<>].*|your[-_].+|change[-_]?me|replace[-_]?me(?:[-_].*)?|fixme|(?:.+[-_])?placeholder|"
    r"your(?:user(?:name)?|name|org(?:ani[sz]ation)?|account|registry|repo(?:sitory)?|company|project|team|app|image|"
    r"namespace|docker(?:hub)?(?:user(?:name)?|id|account)?|github(?:user(?:name)?|org)?)",
    re.I,
)
"""Before a slash, or as the whole name; behind an owner `your_spotify` is a program."""
_OWNER = regex(
    r"(?i:(?:docker(?:hub)?[-_]?|github[-_]?|gh[-_]?)?user[-_]?name)|(?:docker|github|registry)[-_](?:user|account|org)|"
    r"USER|OWNER|ORG|ORGANI[SZ]ATION|REGISTRY|ACCOUNT|PROJECT(?:[-_]ID)?|NAMESPACE|(?:MY|YOUR)[-_][A-Z_]+"
)
"""Before the last slash; those in capitals only in capitals."""
_REGISTRY = regex(
    r"(?:[\w-]+\.)*example(?:\.(?:com|org|net))?|(?:[\w-]+\.)+(?:example|invalid)|your[\w-]*\.[\w.-]+|"
    r"(?:123456789012|111122223333|000000000000|\d*x{4,}\d*|(?:AWS_)?ACCOUNT[-_]?ID)\.dkr\.ecr\..+",
    re.I,
)
"""A registry: a name with a dot, before the first slash."""
_PORT = regex(r":\d+$")
_ADDRESS = regex(r"https?://(?P<host>[^/:?#]+)(?::\d+)?(?:/(?P<owner>[^/?#]*))?")


def of_image(image: str) -> str:
    """The part of an image's name that is a placeholder; empty for one that may be real."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    parts = [*(head.split("/") if slash else ()), last.partition(":")[0]]
    registry = _PORT.sub("", parts[0])
    if len(parts) > 1 and "." in registry and _REGISTRY.fullmatch(registry):
        return registry
    named = parts[:-1] or parts
    return next((part for part in named if _ANY.fullmatch(part) or (slash and _OWNER.fullmatch(part))), "")


def of_address(address: str) -> str:
    """A web address up to the host or the owner that is a placeholder; empty for one that may be real."""
    match = _ADDRESS.match(address)
    if match and _REGISTRY.fullmatch(match["host"]):
        return address[: match.end("host")]
    return match[0] if match and _ANY.fullmatch(match["owner"] or "") else ""


def is_text(text: str) -> bool:
    """Whether a value is a word for what somebody is to fill in (`your-model`, `<region>`, `change-me`)."""
    return _ANY.fullmatch(text) is not None
