"""A program is fetched and run without a look at what was fetched.

HTTPS proves which server answered, not that the file on it is the one that was published: an account that was taken
over or a release that was replaced runs with all rights of the script. A checksum in the repository makes the same file
the only one that runs, and a changed one shows.

Anti-pattern:

    curl -fsSL https://get.example.org | sh
    # or
    wget -q https://github.com/example/tool/releases/download/v1.4.0/tool-linux-amd64.tar.gz
    tar -xzf tool-linux-amd64.tar.gz -C /usr/local/bin

Better:

    wget -q https://github.com/example/tool/releases/download/v1.4.0/tool-linux-amd64.tar.gz
    echo "<the SHA-256 of the release>  tool-linux-amd64.tar.gz" | sha256sum -c -
    tar -xzf tool-linux-amd64.tar.gz -C /usr/local/bin

Recommendation:

    Fetch a release with a version, compare it with the checksum that stands in the script, and run it then.

References:

- https://www.gnu.org/software/coreutils/manual/html_node/sha2-utilities.html
- https://docs.docker.com/reference/dockerfile/#add---checksum
- https://slsa.dev/spec/v1.0/verifying-artifacts
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib import command_words
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FETCHES = ("curl", "wget")
_CHECKS = regex(r"^(?:sha\d+sum|shasum|md5sum|cosign|minisign|rhash|slsa-verifier)$")
_UNPACKS = frozenset({"tar", "unzip", "dpkg", "rpm", "install", "chmod", "apt", "apt-get", "dnf", "yum", "installer"})
_PROGRAM = regex(r"/releases/|linux|darwin|amd64|x86_64|arm64|aarch64|install|setup|\.(?:sh|deb|rpm|run|AppImage)$|"
                 r"uname|ARCH|^https://get\.", 0)  # fmt: skip
"""An address from which on what is fetched is a program; others give data."""
_KEY = regex(r"\.(?:asc|gpg|pub|pgp)$|(?:^|/)keyrings?/|trusted\.gpg\.d/")
"""A file that packages are proven with: nothing runs or unpacks it, and its rights are all that `chmod` changes."""
_OWN = regex(r"^[\"']?(?:https?://)?(?:localhost|127\.|0\.0\.0\.0|\[::1\]|host\.docker|[\w-]+(?::\d+)?/)")
_SAVES = frozenset({"-o", "--output", "-O", "--output-document"})
_KEEPS = regex(r"-[a-zA-Z]*O")
_PRINTS = regex(r"-[a-zA-Z]*O-$")
_MOVES = regex(r"releases/latest/|/(?:main|master|latest|HEAD)/|^https://get\.|/install(?:\.sh)?$")
_ARCHITECTURE = regex(r"ARCH|uname")
_DOCKER = "://get.docker.com"
"""Its documentation: "not recommended for production environments" (https://docs.docker.com/engine/install/ubuntu/)."""
_SCRIPT, _ARCHIVE = "install.sh", "download.tar.gz"


class _Download(Struct, frozen=True):
    """What is fetched, and where it is saved; where another program gets it at once, the words of that."""

    address: str
    saved: str
    location: Location
    reader: tuple[str, ...] = ()


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all downloads of scripts, workflows and Dockerfiles that run as they come."""
    found = [item for commands in _texts(inventory) for item in _unverified(commands)]
    if found:
        yield _evidence(found)


def _texts(inventory: Inventory) -> Iterator[Sequence[Command]]:
    """The commands of each text that runs as a whole."""
    yield from (script.commands for script in inventory.scripts)
    for step in inventory.steps:
        yield from (step.commands, step.remote)
    for dockerfile in inventory.dockerfiles:
        yield [item for each in dockerfile.instructions if each.keyword == "RUN" for item in each.commands]
    for manifest in inventory.manifests:
        yield from (target.commands for target in manifest.targets)


def _unverified(commands: Sequence[Command]) -> Iterator[_Download]:
    """The programs that a text fetches and runs, if it compares no checksum and no signature anywhere."""
    if not any(_FETCHES[0] in item.words or _FETCHES[1] in item.words for item in commands):
        return
    cores = [command_words.core(list(item.words)) for item in commands]
    if any(_compares(words) for words in cores):
        return
    used = {name: index for index, words in enumerate(cores) for name in _used(words)}
    for index, (command, words) in enumerate(zip(commands, cores, strict=True)):
        address = _address(words) if words and words[0] in _FETCHES else ""
        if address and not _OWN.match(address):
            saved = _saved(words, address)
            after = next(iter(cores[index + 1 : index + 2]), [])
            if command.caught and not saved and _is_fed(commands[index + 1 : index + 2], after, command, address):
                yield _Download(address, "", command.location, tuple(after))
            elif _PROGRAM.search(address) and not _KEY.search(saved) and used.get(saved.removeprefix("./"), 0) > index:
                yield _Download(address, saved, command.location)


def _compares(words: list[str]) -> bool:
    return bool(words) and bool(_CHECKS.match(words[0]) or (words[0].startswith("gpg") and "--verify" in words))


def _address(words: list[str]) -> str:
    return next((word.strip("\"'") for word in words[1:] if "://" in word), "")


def _saved(words: list[str], address: str) -> str:
    """The file that a download is saved to: a name of its own, or the last part of the address."""
    named = [after for word, after in itertools.pairwise(words) if word in _SAVES or _ends_in_o(word)]
    own = next((name.strip("\"'") for name in named if "://" not in name), "")
    if own in ("-", "/dev/null", "/dev/stdout"):
        return ""
    keeps = words[0] == "wget" or "--remote-name" in words or any(map(_KEEPS.match, words))
    return own or (posixpath.basename(address) if keeps and not any(map(_PRINTS.match, words)) else "")


def _ends_in_o(word: str) -> bool:
    """Whether letters that are run together end in the one that a file's name follows (`-fsSLo`, `-qO`)."""
    return word.startswith("-") and not word.startswith("--") and len(word) > len("-o") and word[-1] in "oO"


def _is_fed(following: Sequence[Command], words: list[str], fetch: Command, address: str) -> bool:
    """Whether the program behind the pipe is a shell that runs what comes, or unpacks a program."""
    if not following or not words or following[0].location.line > fetch.location.last_line:
        return False
    if words[0] == "tar":
        return bool(_PROGRAM.search(address))
    reads = len(words) == 1 or (words[1].startswith("-") and words[1] != "-c")
    return words[0] in command_words.SHELLS and reads


def _used(words: list[str]) -> set[str]:
    """The names that a command runs, unpacks or makes a program."""
    if not words:
        return set()
    names = {word.strip("\"'").removeprefix("./") for word in words}
    if posixpath.basename(words[0]) in command_words.SHELLS or posixpath.basename(words[0]) in _UNPACKS:
        return names
    return names & {words[0].removeprefix("./")}


def _evidence(found: list[_Download]) -> Evidence:
    first, *others = found
    into = "tar" if first.reader[:1] == ("tar",) else "a shell"
    what = f"fetches {first.address} and runs or unpacks it" if first.saved else f"pipes {first.address} into {into}"
    places = listed(item.location.file for item in others)
    more = f"; the same holds for {counted(len(others), 'more download')} of {places}" if others else ""
    return Evidence(
        f"{first.location.file} {what}, and nothing compares it with a checksum or a signature{more}.",
        first.location,
        subject="downloads",
        related=tuple(Related(item.location, f"{item.address} isn't compared either", member=True) for item in others),
        recommendation=_advice(first),
        example=files.into(first.location.file, _lines(first)),
    )


def _advice(download: _Download) -> str:
    if _DOCKER in download.address:
        return "Install Docker from a signed package repository: its script is not meant for production."
    pinned = ", and fetch a version that stays the same" if _MOVES.search(download.address) else ""
    name = posixpath.basename(_file(download))
    return f"Compare {name} with the SHA-256 that you write into {download.location.file}{pinned}."


def _lines(download: _Download) -> str:
    if _DOCKER in download.address:
        return (
            "apt-get update && apt-get install -y docker.io docker-compose-v2  # of Ubuntu; or docker-ce and "
            "docker-compose-plugin of Docker's own repository"
        )
    each = ", one for each architecture" if _ARCHITECTURE.search(download.address) else ""
    compare = f'echo "<the SHA-256 of the version that you looked at{each}>  {_file(download)}" | sha256sum -c -'
    if download.saved:
        return f"{compare}  # before it is used"
    program, *words = download.reader
    given = [word for word in words if word not in ("-s", "--", "-")]
    use = f"tar -xf {_ARCHIVE}" if program == "tar" else " ".join((program, _SCRIPT, *given))
    return f'curl -fsSL -o {_file(download)} "{download.address}"\n{compare} && {use}'


def _file(download: _Download) -> str:
    """The file that is compared: the one that is there, or one in the place of a pipe."""
    return download.saved or (_ARCHIVE if download.reader[:1] == ("tar",) else _SCRIPT)
