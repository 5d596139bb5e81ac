"""A secret is given to a build as a build argument.

Build arguments stay in the history of the image (`docker history`), in the cache, and in the attestations of a build:
who can pull the image can read them.

Anti-pattern:

    ARG NPM_TOKEN
    RUN echo "//npm.example.com/:_authToken=$NPM_TOKEN" > .npmrc && npm ci

Better:

    RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci

Recommendation:

    Mount the secret for the one instruction that needs it, pass it with `secrets:` or `--secret`, and replace the value
    that was built in.

References:

- https://docs.docker.com/build/building/secrets/
- https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import deployment, environments, secrets, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.redaction import is_credential_name
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_ASSIGNED = regex(r"^\s*([A-Za-z_]\w*)=(\S.*)", re.M)
_IN_PAGES = regex(
    r"MAPBOX\w*_TOKEN$|MAPS_(?:API_)?KEY$|(?:^|_)FIREBASE_(?:WEB_)?API_KEY$|_CLIENT_TOKEN$|^GPG_KEY$", re.I
)
"""What a build writes into pages for every visitor, and the fingerprint by which official images check a download."""

_BY_WORKFLOW, _BY_COMMAND = "the workflow passes it", "a command passes it"


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every secret by its name, with the Dockerfiles that take it and the places that pass it."""
    taken, passed, declared = _taken(inventory), _passed(inventory), _declared(inventory)
    invented = _invented(inventory) - passed.keys()
    for name in dict.fromkeys([*taken, *passed]):
        if name in invented:
            continue
        places = {**taken.get(name, {}), **passed.get(name, {})}
        (first, text), *others = places.items()
        final = taken.get(name, {}) == {} or any("final" in text for text in taken[name].values())
        unused = bool(inventory.dockerfiles) and name not in declared
        aside = all(environments.is_for_development(place.file) for place in places)
        yield Evidence(
            f"{name} is a build argument ({text}): its value stays in {_kept_in(final, unused)}.",
            first,
            subject=name,
            related=tuple(Related(place, said, member=True) for place, said in others),
            recommendation=f"Remove {name} from the arguments of the build, and replace its value if others saw them."
            if unused
            else f"Give {name} to the container when it starts, take it out of the build, and replace its value."
            if (running := _is_for_running(inventory, name))
            else f"Replace the argument by `RUN --mount=type=secret,id={name.lower()},env={name} …`, pass it "
            f"as a build secret, and replace the value of {name}.",
            severity=Severity.LOW if aside else None if final and not unused else Severity.MEDIUM,
            confidence=Confidence.MEDIUM if unused else None,
            example=files.into(first.file, f"# without {name} among the arguments of the build")
            if unused
            else files.into("Compose", f"environment:\n  {name}: ${{{name}:?}}")
            if running
            else login_lines.with_kept(_mounted(name, places), inventory, [name]),
        )


def _is_for_running(inventory: Inventory, name: str) -> bool:
    """Whether a Dockerfile makes a variable of an argument, as the program needs it when it runs."""
    steps = (item for file in inventory.dockerfiles for item in file.instructions if item.keyword == "ENV")
    return any(re.search(rf"\$\{{?{name}\b", item.argument) for item in steps)


def _kept_in(final: bool, unused: bool) -> str:
    if unused:
        return "the attestations of the build, if it writes any, though no Dockerfile of the repository takes it"
    return "the history of the image" if final else "the build cache and in the attestations of the build"


def _mounted(name: str, places: dict[Location, str]) -> str:
    """The secret in the one instruction that needs it, and where the builds that pass it get it from."""
    secret = name.lower()
    taken = next((place.file for place, text in places.items() if text.endswith("takes it")), "Dockerfile")
    lines = [files.into(taken, f"RUN --mount=type=secret,id={secret},env={name} <the command that needs it>")]
    texts = {text: place for place, text in places.items()}
    if workflow := texts.get(_BY_WORKFLOW):
        given = f"with:\n  secrets: |\n    {secret}=${{{{ secrets.{name} }}}}"
        lines.append(files.into(workflow.file, given))
    if command := texts.get(_BY_COMMAND):
        lines.append(files.into(command.file, f"docker build --secret id={secret},env={name} …"))
    built = next((place for text, place in texts.items() if text.startswith("the build of ")), None)
    if built or len(lines) == 1:
        given = f"build:\n  secrets: [{secret}]\nsecrets:\n  {secret}: {{environment: {name}}}"
        lines.append(files.into(built.file if built else "Compose", given))
    return "\n".join(lines)


def _is_secret(name: str) -> bool:
    return is_credential_name(name) and not secrets.is_public(name) and not _IN_PAGES.search(name)


def _taken(inventory: Inventory) -> dict[str, dict[Location, str]]:
    """The secrets that Dockerfiles declare with ARG; one with a default is a stand-in for the build alone."""
    found: defaultdict[str, dict[Location, str]] = defaultdict(dict)
    for file in inventory.dockerfiles:
        _, final = services.final_stage(file)
        for item in file.instructions:
            for name, value in item.variables if item.keyword == "ARG" and item.stage else ():
                if value is None and _is_secret(name):
                    stage = "the final stage" if item in final else f"the stage {item.stage}"
                    found[name][item.location] = f"{stage} of {file.path} takes it"
    return found


def _declared(inventory: Inventory) -> set[str]:
    """The arguments that Dockerfiles take, with a default or without."""
    arguments = (item for file in inventory.dockerfiles for item in file.instructions if item.keyword == "ARG")
    return {name for item in arguments for name, _ in item.variables}


def _passed(inventory: Inventory) -> dict[str, dict[Location, str]]:
    """The secrets that Compose files, workflows and commands give to builds."""
    found: defaultdict[str, dict[Location, str]] = defaultdict(dict)
    for service in inventory.services:
        for name, value in service.build.arguments if service.build else ():
            stands_in = value is not None and (value.placeholder or not value.text)
            if _is_secret(name) and not stands_in and service.build:
                found[name][service.build.location] = f"the build of {service.name} passes it"
    for step in inventory.steps:
        for pair in step.inputs:
            if pair.name in ("build-args", "build_args"):
                for name, text in _ASSIGNED.findall(pair.value):
                    if _is_secret(name) and "$" in text:
                        found[name][pair.location] = _BY_WORKFLOW
    for name, text, command in _by_command(inventory):
        if _is_secret(name) and ("$" in text or not text):
            found[name][command.location] = _BY_COMMAND
    return found


def _by_command(inventory: Inventory) -> Iterator[tuple[str, str, Command]]:
    """The arguments that commands pass, with their values; an empty one comes from the environment."""
    for command in deployment.commands(inventory):
        for flag, word in pairwise(command.words):
            if flag == "--build-arg":
                name, _, value = word.partition("=")
                yield name, value, command


def _invented(inventory: Inventory) -> set[str]:
    """The arguments that a workflow or a command fills with a text of its own, to stand in for the build alone."""
    pairs = (pair for step in inventory.steps for pair in step.inputs if pair.name in ("build-args", "build_args"))
    written = [item for pair in pairs for item in _ASSIGNED.findall(pair.value)]
    written += [(name, value) for name, value, _ in _by_command(inventory) if value]
    built = (item.build.arguments for item in inventory.services if item.build)
    stand_ins = {name for given in built for name, value in given if value and value.placeholder}
    return stand_ins | {name for name, value in written if "$" not in value}
