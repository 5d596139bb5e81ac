"""The tags under which workflows push the repository's images, and those for which their deployments ask.

Follows https://github.com/docker/metadata-action#tags-input and
https://github.com/appleboy/ssh-action#pass-environment-variable-to-shell-script.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from auditlib import compose_command
from auditlib.conventions import deploy_texts, deployment, images, matrices, pushed_images
from auditlib.conventions.pushed_images import expanded
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step, Workflow
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

COMMIT = "${{ github.sha }}"
_SHORT, _BRANCH, _RELEASE, _UNKNOWN = "<short commit>", "<branch>", "<release>", "<unknown>"
_EXPRESSION = regex(r"\$\{\{\s*([^}]*?)\s*\}\}")
_OF_SHELL = regex(r"\$\{?GITHUB_SHA\b\}?")
_OUTPUT = regex(r"\$\{\{ steps\.(?P<step>[\w-]+)\.version \}\}")
_BY_OTHER_WAYS = regex(
    r"\bbake\b|\bcompose\b.*\spush\b|imagetools|--all-tags|\b(?:crane|skopeo|regctl|kaniko|buildah|jib|ko)\b|"
    r"--publish\b|put-image|\bbuilds submit\b|\bacr (?:build|import)\b"
)
"""What pushes an image, or gives it another tag, under a name that isn't read."""
_BY_HAND = regex(r"^(?:docker|podman)\s+(?:image\s+)?push\b|\s--push\b")
_USUAL = "type=ref,event=branch\ntype=ref,event=tag"
_PULLS = regex(r"(?:sudo )?docker (?:image )?pull (?:(?:-q|--quiet) )?(?P<image>[^-].*)$")
_VERBS = frozenset({"pull", "up"})
_FIXED = frozenset({"latest", "stable", "edge"})
"""Tags that no branch and no release is called by."""
_COUNTED = regex(r"\$\{\{ github\.(?:run_number|run_id|run_attempt|ref_name|sha) \}\}")


class Asked(Struct, frozen=True):
    """An image that a deployment pulls or starts, by the last part of its name and its tag; without a service where
    Docker itself is called."""

    name: str
    tag: str
    service: Service | None
    location: Location


def pushed(inventory: Inventory) -> dict[str, dict[str, Location]]:
    """By the last part of an image's name the tags under which workflows push it; nothing where more may be pushed."""
    if any(job.uses for job in inventory.jobs) or any(_pushes_unfollowed(inventory)):
        return {}
    found: defaultdict[str, dict[str, Location]] = defaultdict(dict)
    for workflow in inventory.workflows:
        for leg in (leg for job in workflow.jobs for leg in matrices.legs(job)):
            for item in pushed_images.of(workflow, leg):
                name, _, tag = _plain(item.reference).rpartition("/")[2].partition(":")
                if set("$<") & set(name):
                    return {}
                for each in _tags(leg, tag or "latest"):
                    found[name].setdefault(each, item.location)
    return found


def _pushes_unfollowed(inventory: Inventory) -> Iterator[bool]:
    """For each step, and each command of scripts and makefiles, whether it pushes in a way that isn't followed."""
    for step in inventory.steps:
        texts = (step.uses, *(" ".join(item.words) for item in step.commands))
        yield any(map(_BY_OTHER_WAYS.search, texts))
    files = {item.file for item in inventory.workflows}
    for item in deployment.commands(inventory):
        text = " ".join(item.words)
        yield item.location.file not in files and bool(_BY_HAND.search(text) or _BY_OTHER_WAYS.search(text))


def _plain(text: str) -> str:
    """A text whose expressions are all written in the same way."""
    return _OF_SHELL.sub(lambda _: COMMIT, _EXPRESSION.sub(r"${{ \1 }}", text))


def _tags(leg: Job, tag: str) -> Iterator[str]:
    """The tags that one stands for: those that the metadata action makes, or itself."""
    match = _OUTPUT.fullmatch(tag)
    step = next((item for item in leg.steps if match and item.id == match["step"]), None)
    yield from [tag] if match is None else _made(step) if step else [_UNKNOWN]


def _made(step: Step) -> Iterator[str]:
    """What the metadata action makes of its rules."""
    given = {pair.name: pair.value for pair in step.inputs}
    rules = [line.strip() for line in given.get("tags", _USUAL).splitlines() if line.strip()]
    flavor = dict(re.findall(r"(\w+)=([^,\n]*)", given.get("flavor", "")))
    if flavor.get("prefix") or flavor.get("suffix"):
        yield _UNKNOWN
    made = [_of_rule(rule) for rule in rules]
    if flavor.get("latest") == "true" or (flavor.get("latest") != "false" and _RELEASE in made):
        yield "latest"
    yield from made


def _of_rule(rule: str) -> str:
    options = dict(part.partition("=")[::2] for part in re.split(r",(?![^{}]*\}\})", rule))
    kind = options.get("type", "raw" if "," not in rule else "")
    if options.get("suffix") or (kind != "sha" and options.get("prefix")):
        return _UNKNOWN
    if kind == "sha":
        return f"{options.get('prefix', 'sha-')}{COMMIT if options.get('format') == 'long' else _SHORT}"
    if kind == "raw":
        return _plain(options.get("value", rule))
    if kind in ("semver", "pep440", "match") or (kind == "ref" and options.get("event") == "tag"):
        return _RELEASE
    return {"ref": _BRANCH, "edge": "edge"}.get(kind, _UNKNOWN)


def asked(inventory: Inventory, workflow: Workflow, job: Job) -> Iterator[Asked]:
    """The images that the steps of a job have Compose or Docker pull or start, with the tags that it is given."""
    for step in job.steps:
        known = _given(workflow, job, step)
        for command in step.remote or step.commands:
            yield from _of_docker(job, known, command)
            call = compose_command.of(command.words)
            if call and call.verb in _VERBS:
                for project in deploy_texts.projects(inventory, command, call):
                    for service in deploy_texts.started(inventory, project, call):
                        yield from _of_service(inventory, service, known, command)


def _of_docker(job: Job, known: Mapping[str, str], command: Command) -> Iterator[Asked]:
    """The image that a `docker pull` names in full, as far as its variables are known."""
    match = _PULLS.match(" ".join(command.words))
    for reference in expanded(match["image"], job, known) if match else ():
        path, _, last = _plain(reference).rpartition("/")
        name, _, tag = last.partition(":")
        if path and tag and "$" not in _COUNTED.sub("", last) and "@" not in last and not command.conditional:
            yield Asked(name, tag, None, command.location)


def _given(workflow: Workflow, job: Job, step: Step) -> Mapping[str, str]:
    """The variables that the commands of a step see; on another host only those that the action passes on."""
    known = pushed_images.variables(workflow, job, step)
    passed = next((pair.value for pair in step.inputs if pair.name == "envs"), "").split(",")
    seen = {name.strip() for name in passed} if step.remote else set(known)
    found = {name: expanded(value, job, known)[0] for name, value in known.items() if name in seen}
    for command in step.remote or step.commands:
        if command.words[:1] == ("export",):
            found |= dict(word.partition("=")[::2] for word in command.words[1:] if "=" in word)
    return found


def _of_service(inventory: Inventory, service: Service, known: Mapping[str, str], command: Command) -> Iterator[Asked]:
    name, _, tag = service.image.partition("@")[0].rpartition("/")[2].partition(":")
    used = [item for item in inventory.variables_of.get((service.project, service.name), ())
            if item.target.endswith(f".{service.name}.image")]  # fmt: skip
    last = max(used, key=lambda item: item.location.column, default=None)
    default = last.default.text if last and last.default and last.operator in (":-", "-") else ""
    if service.build or not name or images.product(service.image):
        return
    if last is None:
        yield Asked(name, tag or "latest", service, command.location)
    elif tag == (default or "") and last.name in known and not command.assignments:
        yield Asked(name, _plain(known[last.name]), service, command.location)


def lacks(tags: Mapping[str, Location], wanted: str) -> bool:
    """Whether none of the tags under which an image is pushed can be the one that is asked for."""
    return bool(tags) and not any(_may_be(tag, wanted) for tag in tags)


def _may_be(tag: str, wanted: str) -> bool:
    if tag == wanted or _UNKNOWN in tag:
        return True
    counted = _COUNTED.sub("", tag)
    if "$" in counted:
        return True
    if wanted == COMMIT:
        return False
    return wanted not in _FIXED
