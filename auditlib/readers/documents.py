"""Documents: Markdown and the like, their headings, and what they mention of the repository.

Read line by line after CommonMark's rules for headings and code fences (https://spec.commonmark.org/); rendering is not
needed, and a line scanner is linear whatever a file holds.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.inventory.document import Document, Heading, Mention
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import document_claims, told_memory
from auditlib.readers.reading import Reading, each
from auditlib.readers.shell import commands, given_to_compose
from auditlib.redaction import SHOWN
from auditlib.source import Source

KIND = "document"
_ENDINGS = ("md", "markdown", "mdx", "rst", "adoc", "asciidoc")
PATTERNS = tuple(f"*.{spelt}" for ending in _ENDINGS for spelt in (ending, ending.upper(), ending.capitalize()))
"""Endings are as often in capitals as names are (`README.MD`)."""

_HEADING = regex(r" {0,3}(?P<marks>#{1,6}|={1,6})[ \t]+(?P<text>.*)$")
_UNDERLINE = regex(r"(?P<mark>[=~^*-])(?P=mark){2,}[ \t]*$")
_TEXT = regex(r"[^\s*>|#-]")
_FENCE = regex(r" {0,12}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)")
_CODE = regex(r"(?<!`)`++([^`\n]{1,300})`")
_LINK = regex(r"\]\(<?(?P<target>[^)\s>#?]+)")
_REFERENCE = regex(r" {0,3}\[(?!\^)[^\]\n]{1,200}\]:[ \t]+<?(?P<target>[^\s>#?]+)")
_ANCHOR = regex(r"<a\s[^>]{0,200}?\bhref=[\"'](?P<target>[^\"'#?]+)")
_VARIABLE = regex(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|(?<=\$)[A-Z][A-Z0-9]+\b|\b[A-Z][A-Z0-9]{2,}(?==)")
_DRAWN = regex(r"[\s│|┃]{0,80}(?:├|└|┣|┗|\+|\|)[─━-]{1,3}[>\s]\s*([\w.-]{1,100}\.(?:sh|bash|zsh|ps1))(?![\w.-])")
"""A script in a drawn tree, where its folder stands on another line."""
_ONE_WORD = regex(r"(?<=`)[A-Z][A-Z0-9]{2,}(?=`)")
"""A name in code that no sign but its place tells from a word (`DOMAIN`)."""
_ADDS = regex(
    r"(?i:\b(?:add(?:ing)?|create|define|introduce|append|duplicate)\b)(?P<what>.{1,120})|\s{1,12}(?P<key>[a-z][\w-]{0,60}):\s*$"
)
"""A line that has its reader add something, or an entry of YAML that it shows."""
_ADDED = regex(r"(?<![\w./-])[a-z][a-z\d]*(?:[_-][a-z\d]+)*(?![\w./-])")
_PATH = regex(r"(?<![\w:/.-])\.{0,2}/?[\w.@-]+(?:/[\w.@-]+)*/?")
_GLOB = regex(r"(?<![\w:/.*-])(?:\./)?[\w.@-]+(?:/[\w.@-]+)*/\*\.sh\b")
"""All scripts of a folder."""
_METRIC = regex(
    r"\b(?:node|container|pg|mysql|redis|nginx|probe|windows)_[a-z0-9_]{2,60}_(?:bytes|total|seconds|ratio|count)\b"
)
"""Names that only metrics have, by the exporter before them and the unit behind."""
_SCRIPT = regex(r"(?<![\w/.-])(?:\.{1,2}/)?[\w@-][\w.@-]*(?:/[\w.@-]+)*\.(?:sh|bash)\b")
"""A script outside code, which its ending tells from a word."""
_PROGRAM = regex(
    r"(?<![\w.@-])(?:[\w@-][\w.@-]{0,100}\.(?:sh|bash|zsh|py|ps1|rb|pl|[cm]?ts)|[a-z0-9_@-][\w.@-]{0,100}\.[cm]?js)(?![\w/-]|\.\w)"
)
"""A program by its name alone, as a tree of files, a table or a sentence has it; `Node.js` is none."""
_WORD = regex(r"[^\W\d_]{2,40}")
_DENIED = regex(
    r"\b(?:no|without|lacks?|keine?|ohne|sans|aucune?|sin|sem|нет|без)\b(?:[ /-]+(?!(?:need|problem|later|longer)\b)"
    r"[^\W\d_]+){1,4}",
    re.I,
)
"""A few words after one that denies them."""
_SHELLS = frozenset({"sh", "bash", "shell", "zsh", "console", "shell-session", "terminal", ""})
_POWERSHELL = frozenset({"powershell", "pwsh", "ps1", "ps"})
_OF_DOCKER = regex(r"[ \t]*docker(?:-compose)? ")
_PROMPT = regex(r"[ \t]*(?:[\w@:~./-]{0,60}[$%]|>)[ \t]+(?=\S)")
"""What a terminal shows before a command; a `#` begins a comment far more often than it is root's prompt."""
_TREE = regex(r"[ \t]*[\u2500-\u257f]")
"""A line of a tree of files, as `tree` draws it."""
_TO_FILL_IN = regex(r"<(?P<what>[\w./:@-]{1,60})(?: [\w./:@-]{1,60}){0,5}>")
"""What the reader is to replace (`git clone <address>`), which a shell would take for a redirection."""
_SPELLED = regex(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
"""A variable outside code, which only its underscore tells from a word in capitals."""
_ADDRESS = regex(
    r"(?<![=\"'\w])https?://(?:localhost|127\.0\.0\.1|<[\w .-]{1,40}>|[A-Z][A-Z_]{2,40}|your[\w-]{0,30}):\d{2,5}\b"
)
"""Where the reader is sent on the own machine, or on the host that a placeholder stands for; after `=` or a quotation
mark it is a setting's value."""
_RELATIVE_FILE = regex(
    r"(?:\.{1,2}/)*(?:[\w@.-]+/)*(?:[\w@.-]*\w\.(?!(?:png|jpe?g|gif|svg|webp|mp4|webm)$)[A-Za-z]{1,6}|LICENSE)", re.I
)
"""A picture that is missing misleads nobody."""
_RULE = regex(r"\|?[ :-]*-{2,}[ :-]*(?:\|[ :-]*)+")
"""What stands below the head of a table."""
_DISPATCH = "Run workflow"
"""The button that starts a workflow by hand."""
_PROFILE = regex(
    r"--profile[= ][\"'`]?(?P<option>[\w.*-]{1,60})|\b[Pp]rofiles?:? [\"'`]{1,3}(?P<after>[\w.-]{1,60})[\"'`]|"
    r"[\"'`](?P<before>[\w.-]{1,60})[\"'`]{1,3} (?:[Cc]ompose )?[Pp]rofile\b"
)
"""A profile of Compose, by the option that activates it or in a sentence."""
_RUN = regex(r"\bdocker[ -]compose\b[^\n;&|`]{0,100}? run (?:[^\n;&|`]{0,200})")
"""A call of Compose that starts one service, which activates its profile, wherever it stands in a line."""
_LINE_LIMIT = 5_000
_OPENING = 30
"""So many lines of a document may say what the whole is for."""
_WIPES = regex(
    r"\b(?:docker|podman)[- ]compose\b[^`|;&#]{0,160}?\bdown\b[^`|;&#]{0,80}?\s(?:-v|--volumes)\b[^`|;&#]{0,60}"
)
"""A command that removes the volumes too."""
_REMOVES = regex(r"\b(?:docker|podman) volume (?:rm|remove)(?: -f| --force)? (?P<name>[A-Za-z\d][\w.-]*)")
"""A command that removes a volume by its name."""
_BRINGS_BACK = regex(
    r"restor|backup|recover|\btar\b|pg_dump|wiederherst|sicherung|restaur|sauvegarde|respald|восстанов|резерв|очист|恢复|"
    r"备份|復元",
    re.I,
)
"""What is around a removal that makes room for what is brought back."""
_WARNS = regex(
    r"data\b|volume|reset|wip(?:e|ing)|delet|destroy|fresh|scratch|\blos[et]|slate|\btests?\b|careful|caution|danger|warn|"
    r"nuclear|nuke|everything|⚠|purge|permanent|irrevers|"
    r"daten|lösch|donn[ée]es|supprim|perte|datos|borra|elimin|dados|apag|danych|veri|"
    r"данн|удал|уничтож|сброс|томов|数据|删除|清空|谨慎|データ|削除|볼륨|데이터",
    re.I,
)
"""What says, or lets one think, that data goes."""


def read(source: Source) -> Reading:
    """A Document for each file that is one by its ending."""
    return each(source, source.matching(*PATTERNS), KIND, _read)


def _read(source: Source, file: str) -> Iterator[Document]:
    lines = [line[:_LINE_LIMIT] for line in source.lines(file)]
    headings: list[Heading] = []
    mentions: list[Mention] = []
    fences: list[tuple[int, list[str]]] = []
    windows: list[tuple[int, list[str]]] = []
    fence = language = ""
    fenced = [False] * len(lines)
    tables = _SecretTables()
    matter = _front_matter(lines)
    shown = [SHOWN.sub("", line[:_LINE_LIMIT]) for line in source.masked_lines(file)]
    for number, line in enumerate(lines[matter:], start=matter + 1):
        opened = _FENCE.match(line)
        mentions += _anywhere(Location(file, number), line, shown[number - 1].strip())
        if (wipes := _WIPES.search(line)) and not _is_warned(lines, number, headings):
            mentions.append(Mention("wipe", wipes[0].strip(), Location(file, number)))
        removes = _REMOVES.search(line) if "volume" in line else None
        if removes and not _is_meant(lines, number, headings, shown[0] if shown else ""):
            mentions.append(Mention("wipe", removes[0].strip(), Location(file, number)))
        mentions += [Mention("secret", name, Location(file, number)) for name in tables.row(line)]
        fenced[number - 1] = bool(fence or opened)
        if fence and opened and opened["fence"].startswith(fence) and not opened["language"]:
            fence = ""
        elif fence:
            mentions += _mentions(source, file, number, line)
            mentions += [Mention("drawn", drawn[1], Location(file, number))] if (drawn := _DRAWN.match(line)) else []
            if fences and language in _SHELLS:
                fences[-1][1].append(line)
            elif windows and language in _POWERSHELL:
                windows[-1][1].append(_as_in_a_shell(line, windows[-1][1][-1:]))
        elif opened:
            fence, language = opened["fence"], opened["language"].lower()
            fences.append((number + 1, []))
            windows.append((number + 1, []))
        else:
            headings += _heading(file, number, line, lines[number - 2] if number > matter + 1 else "")
            mentions += _of_prose(source, file, number, line)
            mentions += told_memory.mentions(Location(file, number), line, headings)
    mentions += [mention for first, body in fences for mention in _commands(file, first, body)]
    called = (mention for first, body in windows if any(body) for mention in _commands(file, first, body))
    mentions += [Mention("call", mention.text, mention.location) for mention in called]
    mentions += document_claims.read(file, shown, fenced, headings)
    title = next((heading.text for heading in headings), "")
    words = frozenset(word.lower() for line in shown for word in _WORD.findall(line))
    denied = words - {word.lower() for line in shown for word in _WORD.findall(_DENIED.sub("", line))}
    yield Document(
        file, title, tuple(headings), tuple(dict.fromkeys(mentions)), words, Location(file), denied,
        _is_for_one_host(file, lines, headings), frozenset(name for line in shown for name in _added(line)),
        frozenset(name for line in lines for name in _ENV_FILE.findall(line) if ".env" in line),
    )  # fmt: skip


_ENV_FILE = regex(r"[\w*<>{}\[\]$-][\w.*<>{}\[\]$-]{0,80}\.env\b(?:\.[\w-]{1,40})?")


def _added(line: str) -> list[str]:
    """What a line has its reader add: the words behind the verb, of which some are names."""
    told = _ADDS.match(line) or _ADDS.search(line)
    return _ADDED.findall(told["what"] or told["key"]) if told else []


def _is_for_one_host(file: str, lines: list[str], headings: list[Heading]) -> bool:
    """Whether a README says of the whole that it is meant for one host, before it comes to the parts."""
    end = headings[1].location.line - 1 if len(headings) > 1 else _OPENING
    opening = " ".join(lines[: min(end, _OPENING)])
    return posixpath.basename(file).lower().startswith("readme") and stages.ONE_HOST.search(opening) is not None


def _anywhere(place: Location, line: str, shown: str) -> Iterator[Mention]:
    """What a line mentions by signs that tell it from words in code as in prose."""
    yield from (Mention("metric", name, place) for name in _METRIC.findall(line))
    if _ADDRESS.search(line):
        yield Mention("address", shown, place)
    yield from (Mention("profile", f"--profile {name}", place) for name in _profiles(line))
    yield from (Mention("program", name, place) for name in _PROGRAM.findall(line))
    yield from (Mention("given", name, place) for name in given_to_compose(line))
    yield from (Mention("profile", call, place) for call in _RUN.findall(line))


def _of_prose(source: Source, file: str, number: int, line: str) -> Iterator[Mention]:
    """What a line outside fences mentions: in code that it holds, by links, and by names that are no words."""
    place = Location(file, number)
    if _DISPATCH in line:
        yield Mention("dispatch", _DISPATCH, place)
    yield from (Mention("variable", name, place) for name in _SPELLED.findall(line))
    yield from document_claims.calls(place, _CODE.findall(line), line)
    links = _links(_CODE.sub("", line))
    for code in (*_CODE.findall(line), *links):
        yield from (Mention("glob", item, place) for item in _GLOB.findall(code))
        yield from _mentions(source, file, number, code)
    yield from (Mention("link", link, place) for link in links if _is_broken(source, file, link))
    for script in _SCRIPT.findall(line):
        found = _mentions(source, file, number, script)
        lacks = not found and script.startswith("./")
        yield from [Mention("missing", script, place)] if lacks else found


def _as_in_a_shell(line: str, before: list[str]) -> str:
    """A call of Docker in PowerShell as a shell has it; nothing of another line."""
    if not _OF_DOCKER.match(line) and not (before and before[0].endswith("\\")):
        return ""
    text = line.rstrip().replace("\\", "/")
    return f"{text[:-1]}\\" if text.endswith("`") else text


def _links(line: str) -> list[str]:
    """Where a line's links lead: those in Markdown, the targets of references, and those in HTML."""
    return [*_LINK.findall(line), *_REFERENCE.findall(line[:_LINE_LIMIT])[:1], *_ANCHOR.findall(line)]


def _is_warned(lines: list[str], number: int, headings: list[Heading]) -> bool:
    """Whether a line, what stands around it, or the heading above says that data goes."""
    around = [_WIPES.sub("", line) for line in lines[max(0, number - 5) : number + 4]]
    return any(map(_WARNS.search, [*around, *(heading.text for heading in headings[-1:])]))


def _is_meant(lines: list[str], number: int, headings: list[Heading], title: str) -> bool:
    """Whether what stands around the removal of a volume, or above, says that data goes or is brought back."""
    around = [_REMOVES.sub("", line) for line in lines[max(0, number - 7) : number + 6]]
    told = [title, *around, *(heading.text for heading in headings[-1:])]
    words = [re.sub(r"(?i)volumes?", "", line) for line in told]
    return any(_WARNS.search(line) or _BRINGS_BACK.search(line) for line in words)


class _SecretTables(Struct):
    """Follows the tables of a document whose first column is headed by the word secret."""

    before: str = ""
    within: bool = False

    def row(self, line: str) -> list[str]:
        """The names in the first cell of a row of such a table."""
        cells = line.strip().strip("|").split("|")
        if self.within and len(cells) < 2:
            self.within = False
        elif _RULE.fullmatch(line.strip()):
            self.within = "secret" in self.before.strip().strip("|").partition("|")[0].lower()
        elif self.within:
            return [*_VARIABLE.findall(cells[0]), *_ONE_WORD.findall(cells[0])]
        self.before = line
        return []


def _profiles(line: str) -> Iterator[str]:
    """The profiles of Compose that a line names."""
    for match in _PROFILE.finditer(line) if "rofile" in line else ():
        yield match["option"] or match["after"] or match["before"]


def _heading(file: str, number: int, line: str, previous: str) -> Iterator[Heading]:
    """A heading with marks before it, or the line before, if this one underlines it."""
    if match := _HEADING.match(line):
        yield Heading(_plain(match["text"].rstrip(" \t").rstrip("#")), len(match["marks"]), Location(file, number))
    elif (match := _UNDERLINE.match(line)) and _TEXT.match(previous):
        yield Heading(_plain(previous.strip()), 1 if match["mark"] == "=" else 2, Location(file, number - 1))


def _plain(text: str) -> str:
    """A heading's words, without the marks of emphasis, code and links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}", r"\1", text).strip()


def _mentions(source: Source, file: str, number: int, text: str) -> list[Mention]:
    """The variables in a piece of code, and the paths in it that exist in the repository, Windows' way too."""
    place = Location(file, number)
    return [
        *(Mention("variable", name, place) for name in _VARIABLE.findall(text)),
        *(Mention("path", path, place) for path in _paths(source, file, text.replace("\\", "/"))),
    ]


def _paths(source: Source, file: str, text: str) -> Iterator[str]:
    folder = file.rpartition("/")[0]
    for path in _PATH.findall(text):
        for candidate in dict.fromkeys((path, f"{folder}/{path}")):
            relative = posixpath.normpath(candidate.strip("/"))
            if (
                len(relative) > 1
                and not relative.startswith("..")
                and (source.is_file(relative) or source.is_folder(relative))
            ):
                yield relative
                break


def _is_broken(source: Source, file: str, link: str) -> bool:
    """Whether a link names a file of the repository by its relative path, which is not there.

    What leads out of the repository is for its web host (`../../issues`), what has no ending for a site's generator.
    """
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), link))
    named = _RELATIVE_FILE.fullmatch(link) and not path.startswith("..")
    return bool(named) and not source.is_file(path) and not source.is_folder(path)


def _front_matter(lines: list[str]) -> int:
    """How many lines the YAML that some generators of sites want at the beginning takes up."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    return next((number for number, line in enumerate(lines[1:200], start=2) if line.rstrip() in ("---", "...")), 0)


def _without_prompts(body: list[str]) -> Iterator[str]:
    """The commands of a terminal's text; where prompts are shown, what has none is output."""
    shown = any(_PROMPT.match(line) for line in body)
    continued = False
    for line in body:
        match = _PROMPT.match(line)
        text = line[match.end() :] if match else line if continued or not shown else ""
        yield "" if _TREE.match(text) else text
        continued = bool(match or continued) and line.endswith("\\")


def _commands(file: str, first: int, body: list[str]) -> Iterator[Mention]:
    text = _TO_FILL_IN.sub(r"\g<what>", "\n".join(_without_prompts(body)))
    for command in commands(text, file, first):
        joined = any(len(word.split()) > 1 for word in command.words)
        yield Mention("command", " ".join(command.words), command.location, tuple(command.words) if joined else ())
        yield from (Mention("written", path, command.location) for path in command.writes)
