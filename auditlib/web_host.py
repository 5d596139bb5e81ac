"""Where a repository is shown on the web, and links to its lines there.

The address comes from `.git/config`, read as text. Credentials in a remote's URL are dropped before anything else is
done with it; what is no plain host and path gives no address.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from auditlib.model import Location
from auditlib.patterns import regex

_SECTION = regex(r'\s*\[\s*(?P<name>[^\]\s"]+)(?:\s+"(?P<sub>[^"]*)")?\s*\]')
_URL = regex(r"\s*url\s*=\s*(?P<url>\S+)\s*$", re.I)
_REMOTE = regex(
    r"(?:(?P<scheme>https|ssh|git\+ssh|git)://)?(?:[^@/\s]*@)?(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"(?::(?P<port>\d+)(?=/))?[:/]/?(?P<path>[\w.~-]+(?:/[\w.~-]+)+)/?"
)
_FORMS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (regex(r"^github\.com$|^github\.|\.github\."), "{base}/blob/{commit}/{path}#L{first}", "-L{last}"),
    (regex(r"^gitlab\.|\.gitlab\."), "{base}/-/blob/{commit}/{path}#L{first}", "-{last}"),
    (regex(r"^bitbucket\.org$"), "{base}/src/{commit}/{path}#lines-{first}", ":{last}"),
    (
        regex(r"^(?:codeberg\.org|gitea\.|forgejo\.)|\.(?:gitea|forgejo)\."),
        "{base}/src/commit/{commit}/{path}#L{first}",
        "-L{last}",
    ),
)
"""The hosts whose links are known: by name, the link to a line, and what a range of lines adds to it."""


def address(git_config: str) -> str:
    """The page of the remote `origin`, as `https://host/owner/name`; empty if the host is no known one."""
    found = _REMOTE.fullmatch(_origin(git_config))
    if found is None or ".." in found["path"]:
        return ""
    port = f":{found['port']}" if found["port"] and found["scheme"] == "https" else ""
    base = f"https://{found['host'].lower()}{port}/{found['path'].removesuffix('.git')}"
    return base if _form(base) else ""


def link(base: str, commit: str, place: Location) -> str:
    """The address of a place as it was at a commit; empty if the base or the commit is not known."""
    form = _form(base)
    if not form or not commit:
        return ""
    pattern = form[1] + (form[2] if place.last_line > place.line else "")
    return pattern.format(
        base=base, commit=commit, path=quote(place.file, safe="/"), first=place.line, last=place.last_line
    )


def page(base: str, path: str) -> str:
    """The address of a file on the branch `main`; empty if the base is not known."""
    form = _form(base)
    pattern = form[1].partition("#")[0].replace("/src/commit/", "/src/branch/") if form else ""
    return pattern.format(base=base, commit="main", path=quote(path, safe="/"))


def _form(base: str) -> tuple[re.Pattern[str], str, str] | None:
    host = base.removeprefix("https://").partition("/")[0].partition(":")[0]
    return next((form for form in _FORMS if form[0].search(host)), None)


def _origin(git_config: str) -> str:
    """The URL of the remote `origin` as it stands in the file; empty if there is none."""
    inside = False
    for line in git_config.splitlines():
        section = _SECTION.match(line)
        if section:
            inside = section["name"].lower() == "remote" and section["sub"] == "origin"
        elif inside and (found := _URL.match(line)):
            return found["url"]
    return ""
