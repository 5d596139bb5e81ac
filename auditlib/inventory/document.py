"""What documents say of the repository."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location
from auditlib.patterns import regex

_LETTERS = regex(r"[^\W\d_]{2,40}")
_PATTERN = regex(r"[*<>{}\[\]$]")


class Mention(Struct, frozen=True):
    """What a document mentions of the repository: `kind` is `path`, `command` or `variable`; `missing` is a script
    outside code that the repository lacks, `link` a relative link to a file that it lacks, `address` a line that
    sends its reader to a port of the own machine, or of a placeholder for the host, `metric` the name of an
    exporter's metric, `dispatch` a line that has a workflow started by hand, `secret` a name in the first column of
    a table of secrets, `glob` all scripts of a folder, `profile` the option that activates a profile of Compose, or
    a call that runs one of its services, `given` a variable that is set before a call of Compose, `wipe` a command
    that removes volumes where nothing around it says that data goes, `memory` the amount of it that the host needs at
    least, `restart` a call that restarts services after an environment file was changed, `alert` a name in a table of
    alerts, `open` a step or section that is still to be written, `version` an image, its version, and `+` where
    a newer one does, too, `kept` what is kept for how many days, `call` a command of Docker in PowerShell, `port` a
    program and its port in a table of ports, `drawn` a script in a tree of files, by its name alone, `program` that of
    another program, wherever it stands, `written` a file to which a command writes what it prints, `inline` a call of
    make, npm or Compose in the code of a sentence."""

    kind: str
    text: str
    location: Location
    quoted: tuple[str, ...] = ()
    """The words of a command where one of them holds blanks, which `text` doesn't tell from several."""

    @property
    def words(self) -> list[str]:
        """The words of a command as a shell takes them."""
        return list(self.quoted) or self.text.split()


class Claim(Struct, frozen=True):
    """A product in a version, as a document names it; `least` where a newer one does as well."""

    product: str
    version: tuple[int, ...]
    least: bool

    @classmethod
    def of(cls, mention: Mention) -> Claim:
        """What a mention of the kind `version` says."""
        product, version, more = mention.text.split(" ")
        return cls(product, tuple(map(int, version.split("."))), more == "+")


class Heading(Struct, frozen=True):
    """A heading of a document, with its level from 1."""

    text: str
    level: int
    location: Location


class Document(Struct, frozen=True):
    """A Markdown document. `words` are its distinct words in lower case, for asking whether it speaks of a thing."""

    path: str
    title: str
    headings: tuple[Heading, ...]
    mentions: tuple[Mention, ...]
    words: frozenset[str]
    location: Location
    denied: frozenset[str] = frozenset()
    """The words that stand only where the document says that there is no such thing (`no replica or backup`)."""
    for_one_host: bool = False
    """Whether it is a README whose text before its second heading says so."""
    added: frozenset[str] = frozenset()
    """The words, and names among them, of what its lines have the reader add, and the entries of YAML that it shows."""

    env_files: frozenset[str] = frozenset()
    """The environment files that it names by more than `.env` (`backend.env`), patterns (`<service>.env`) too."""

    def names_env_file(self, name: str) -> bool:
        """Whether it names an environment file, or a pattern that may stand for it."""
        return name in self.env_files or any(_PATTERN.search(item) for item in self.env_files)

    def names(self, name: str) -> bool:
        """Whether it may hold a name, as far as its words tell, which are of letters alone (`HighLatency_P95`)."""
        parts = _LETTERS.findall(name.lower())
        return bool(parts) and self.words.issuperset(parts)


class AbsentPath(Struct, frozen=True):
    """A file that a document names as the repository's own and that it lacks."""

    path: str
    location: Location
