"""The environment files that a deployment writes anew on its host, with the variables that it puts into them.

Follows https://www.gnu.org/software/bash/manual/html_node/Redirections.html#Here-Documents. Only a text that makes the
whole file counts: what it adds to a file that may be there, or takes from elsewhere, isn't known by its names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct, field

from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.pipeline import remote

_PATH = r"[\"']?(?P<path>[\w./~${}-]{0,120}\.env(?:\.[\w-]{1,30}){0,2})[\"']?(?=\s|$|;|&)"
_TARGET = regex(rf"(?:(?P<sign>>{{1,2}})\s{{0,3}}|\btee\s{{1,3}}(?P<append>-a\s{{1,3}})?){_PATH}")
_HERE = regex(r"<<-?\s{0,3}[\"']?(?P<word>[A-Za-z_]\w{0,40})[\"']?")
_PRINTED = regex(r"^[^#]{0,40}?\b(?:echo|printf)\s(?:-\w{1,2}\s)?\s{0,9}(?P<quote>[\"']?)(?P<name>[A-Za-z_]\w{0,80})=")
_NAMED = regex(r"^\s{0,40}(?:export\s)?(?P<name>[A-Za-z_]\w{0,80})=")
_OPENED = regex(r"^\s{0,40}(?:sudo\s)?echo\s(?:-\w{1,2}\s)?\s{0,9}(?P<quote>[\"'])")
_EMPTIES = regex(r"^\s{0,40}(?::\s?|truncate -s 0 \S{0,80}|echo -n \"\"\s?|echo \"\"\s?)?$")
_OTHERWISE = regex(
    rf"\b(?:cp|mv|ln|install|curl|wget|scp|rsync|source|sops|age|gpg|openssl|base64|aws|doppler)\b[^\n]{{0,300}}?{_PATH}"
)
_COPIES = regex(r"scp|ssh|rsync|sftp")
_TOLD = regex(r"(?<![\w$])(?P<name>[A-Za-z_]\w{0,80})=")
_LINES = 2_000


class Written(Struct):
    """A file of variables that a step makes; `known` where all that it will hold stands in the step's text."""

    path: str
    step: Step
    job: Job
    location: Location
    text: str
    names: set[str] = field(default_factory=set)
    known: bool = True

    @property
    def told(self) -> set[str]:
        """All names that the text gives a value, in the file or beside it (`export TAG=…`)."""
        forwarded = {name.strip() for pair in self.step.inputs if pair.name == "envs" for name in pair.value.split(",")}
        return self.names | forwarded | {match["name"] for match in _TOLD.finditer(self.text)}


def written(inventory: Inventory) -> Iterator[Written]:
    """The files that jobs which deploy make on a host, by a script that they have it run, or send there."""
    for job in inventory.jobs:
        if not deployment.is_empty(job):
            found = [item for step, text in remote.scripts(job) for item in _of_text({}, job, step, text)]
            found += _of_runner(inventory, job) if deployment.deploys(job) else []
            yield from (item for item in found if item.known and item.names)


def _of_runner(inventory: Inventory, job: Job) -> list[Written]:
    """The files that a job makes beside its own checkout, where nothing is at first, and that it sends or uses."""
    found: dict[str, Written] = {}
    others = {step.index for step, _ in remote.scripts(job)}
    steps = [step for step in job.steps if step.index not in others]
    for step in steps:
        _of_text(found, job, step, step.run, fresh=True)
    return [
        item for item in found.values()
        if item.path not in inventory.file_set and any(_hands_on(step, posixpath.basename(item.path)) for step in steps)
    ]  # fmt: skip


def _hands_on(step: Step, name: str) -> bool:
    """Whether a step copies a file to a host."""
    sent = " ".join(pair.value for pair in step.inputs if pair.name in ("source", "local", "path"))
    copying = (command.words for command in step.commands if command.words[:1] in (("scp",), ("rsync",)))
    return (bool(_COPIES.search(step.uses)) and name in sent) or any(
        word.endswith(name) for words in copying for word in words
    )


def _of_text(found: dict[str, Written], job: Job, step: Step, text: str, fresh: bool = False) -> list[Written]:
    lines, index = text.splitlines()[:_LINES], 0
    while index < len(lines):
        body, after = _body(lines, index)
        target = _TARGET.search(lines[index]) or (_TARGET.search(lines[after - 1]) if after > index + 1 else None)
        if target:
            _note(_file(found, job, step, text, target["path"], fresh), target, lines[index], body)
        elif other := _OTHERWISE.search(lines[index]):
            _file(found, job, step, text, other["path"], fresh).known = False
        index = after
    return list(found.values())


def _body(lines: list[str], index: int) -> tuple[list[str], int]:
    """The lines that belong to one, of a here-document or of a text in quotes; and the number of the next line."""
    here = _HERE.search(lines[index])
    opened = _OPENED.match(lines[index])
    for end in range(index + 1, len(lines)) if here else ():
        if here and lines[end].strip() == here["word"]:
            return lines[index + 1 : end], end + 1
    if opened and not here and lines[index].count(opened["quote"]) % 2:
        for end in range(index + 1, len(lines)):
            if opened["quote"] in lines[end]:
                last = lines[end].partition(opened["quote"])[0]
                return [lines[index][opened.end() :], *lines[index + 1 : end], last], end + 1
    return [], index + 1


def _note(file: Written, target: re.Match[str], line: str, body: list[str]) -> None:
    """Takes into account what one command writes into a file."""
    printed = None if body else _PRINTED.match(line)
    if not (target["sign"] == ">>" or target["append"]):
        file.known, file.names = True, set()
    if body:
        told = [item.strip() for item in body if item.strip() and not item.strip().startswith("#")]
        names = [match["name"] for item in told if (match := _NAMED.match(item))]
        file.names |= set(names)
        file.known = file.known and len(names) == len(told)
    elif printed:
        file.names.add(printed["name"])
    elif not _EMPTIES.match(line[: target.start()]):
        file.known = False


def _file(found: dict[str, Written], job: Job, step: Step, text: str, path: str, fresh: bool) -> Written:
    """What is known of a file so far; before its first line only of a `fresh` one what is in it."""
    if path not in found:
        name = posixpath.basename(path)
        commands = (*step.remote, *step.commands)
        places = (item.location for item in commands if any(each.endswith(name) for each in item.writes))
        found[path] = Written(path, step, job, next(places, step.location), text, known=fresh)
    return found[path]
