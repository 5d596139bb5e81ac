"""What the commands of a repository have ufw let in and keep out.

Sources: https://manpages.ubuntu.com/manpages/noble/en/man8/ufw.8.html and
https://docs.docker.com/engine/network/packet-filtering-firewalls/#docker-and-ufw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib import command_words, stages
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.model import Location
from auditlib.patterns import regex

_SERVICES = {
    "ssh": ("22",), "openssh": ("22",), "http": ("80",), "www": ("80",), "https": ("443",), "nginx http": ("80",),
    "nginx https": ("443",), "nginx full": ("80", "443"), "apache": ("80",), "apache secure": ("443",),
    "apache full": ("80", "443"), "www full": ("80", "443"),
}  # fmt: skip
"""Ports by the names that ufw knows them by."""
_PORTS = regex(r"(?P<ports>\d{1,5}(?:[:,]\d{1,5}){0,15})(?:/(?:tcp|udp))?")
_AWARE = regex(r"\bufw-docker\b|\bDOCKER-USER\b|\bufw route\b|[\"']?iptables[\"']?\s*[:=]\s*false")
_AWARE_WORDS = frozenset({"docker-user", "ufw-docker"})


class Firewall(Struct, frozen=True):
    """What ufw is told: `allowed` and `denied` are ranges of ports, the former of those that everybody may reach."""

    start: Location | None
    """Where it is turned on, or told to keep out whatever isn't allowed."""
    allowed: tuple[range, ...]
    denied: tuple[tuple[range, Location], ...]

    def denies(self, port: str) -> Location | None:
        """Where ufw is told to keep a port out by its number."""
        return next((place for span, place in self.denied if int(port) in span), None)

    def keeps_out(self, port: str) -> bool:
        """Whether a port is meant to be closed, as far as all that the repository says goes."""
        allowed = any(int(port) in span for span in self.allowed)
        return not allowed and (self.start is not None or self.denies(port) is not None)


@answered_once
def ufw(inventory: Inventory) -> Firewall | None:
    """The firewall that scripts and documents set up; None without one, where a port that is allowed isn't known, or
    where somebody thought of Docker's own rules.
    """
    told = list(_told(inventory))
    if not told or _knows_docker(inventory):
        return None
    allowed: list[range] = []
    denied: list[tuple[range, Location]] = []
    start = None
    for words, place in told:
        verb, *rest = _rule(words) or [""]
        if verb in ("allow", "limit"):
            spans = _spans(rest)
            if spans is None:
                return None
            allowed += spans
        elif verb in ("deny", "reject"):
            denied += [(span, place) for span in _spans(rest) or ()]
        elif verb == "enable" or (verb == "default" and rest[:1] in (["deny"], ["reject"]) and "outgoing" not in rest):
            start = start or place
    return Firewall(start, tuple(allowed), tuple(denied))


def _rule(words: Sequence[str]) -> list[str]:
    """A rule without options, and without the place in the list where it is put (`insert 1 allow …`)."""
    plain = [word for word in words if not word.startswith("--")]
    return plain[2:] if plain[:1] == ["insert"] else plain[1:] if plain[:1] == ["prepend"] else plain


def _told(inventory: Inventory) -> Iterator[tuple[Sequence[str], Location]]:
    """The words that follow `ufw` in scripts, make targets and documents; not in those for development."""
    found = [(command.words, command.location) for command in deployment.commands(inventory)]
    found += [(tuple(item.text.split()), item.location) for item in deployment.documented_commands(inventory)]
    for words, place in found:
        if "ufw" in words and not stages.is_for_development(place.file):
            program, *rest = command_words.core(list(words)) or [""]
            if program == "ufw":
                yield rest, place


def _knows_docker(inventory: Inventory) -> bool:
    texts = (" ".join(command.words) for command in deployment.commands(inventory))
    return any(item.words & _AWARE_WORDS for item in inventory.documents) or any(map(_AWARE.search, texts))


def _spans(rest: Sequence[str]) -> list[range] | None:
    """The ports that a rule is for; none where it lets in some addresses alone, None where it can't be told."""
    words = rest[: rest.index("comment")] if "comment" in rest else rest
    if "from" in words and words[words.index("from") + 1 : words.index("from") + 2] != ["any"]:
        return []
    text = " ".join(
        word.strip("\"'") for word in words if word not in ("in", "proto", "tcp", "udp", "to", "any", "port")
    )
    if known := _SERVICES.get(text.lower()):
        return [range(int(port), int(port) + 1) for port in known]
    match = _PORTS.search(text)
    return [_span(part) for part in match["ports"].split(",")] if match and "$" not in text else None


def _span(part: str) -> range:
    first, _, last = part.partition(":")
    return range(int(first), int(last or first) + 1)
