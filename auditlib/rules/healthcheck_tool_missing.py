"""A health check calls a program that its image does not hold.

The probe runs inside the container. If curl or wget isn't in the image, it fails each time, the container is
"unhealthy" for ever, and everything that waits for it never starts. What a script of the repository calls that the
probe starts is looked at, too.

Anti-pattern:

    api:
      image: python:3.12-slim
      healthcheck:
        test: ["CMD", "curl", "-f", "http://localhost:8000/health"]

Better:

    api:
      image: python:3.12-slim
      healthcheck:
        test: ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/health')"]

Recommendation:

    Probe with a program that the image holds, or install the one that the probe calls in its Dockerfile.

References:

- https://docs.docker.com/reference/dockerfile/#healthcheck
- https://docs.docker.com/reference/compose-file/services/#healthcheck
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.command_words import core
from auditlib.conventions import image_contents, images, own_images, probes, services
from auditlib.conventions.probes import Probe
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules import _probe_lines as probe_lines
from auditlib.rules._rule import Evidence, rule

_APT = "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*"
_ON_FILES = (["chmod"], ["chown"], ["sed"], ["dos2unix"], ["ln"], ["cp"], ["mv"])
_URL = regex(r"https?://[\w.:/?=&-]{1,200}")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe whose tool the image is known to lack, and that no step of its Dockerfile brings."""
    found: defaultdict[tuple[Location, str, str], dict[str, tuple[Service, Location]]] = defaultdict(dict)
    for service in inventory.services:
        probe = probes.of(inventory, service)
        base, instructions, place = _image(inventory, service)
        tools, others = _tools(inventory, service, probe) if probe else ([], [])
        tool = next((name for name in tools if image_contents.lacks(base, name)), "")
        either = any(
            name in image_contents.WEB_CLIENTS and not image_contents.lacks(base, name) for name in tools + others
        )
        if probe and tool and not either and not _is_brought(instructions, tool) and not _is_mounted(service, tool):
            found[probe.location, tool, base].setdefault(service.name, (service, place))
    for (probed, tool, base), asking in found.items():
        yield _evidence(inventory, probed, tool, base, list(asking.values()))


def _tools(inventory: Inventory, service: Service, probe: Probe) -> tuple[list[str], list[str]]:
    """The programs that a probe calls, itself or in a script of the repository; and those that this calls at times."""
    inside = [(item, core(list(item.words))) for item in probes.followed(inventory, service, probe)]
    own = [command.words[0] for command in probe.commands if command.words]
    certain = [words[0] for item, words in inside if words and probes.is_certain(item)]
    return own + certain, [words[0] for item, words in inside if words and not probes.is_certain(item)]


def _evidence(
    inventory: Inventory, probed: Location, tool: str, base: str, asking: list[tuple[Service, Location]]
) -> Evidence:
    """One finding for all services that have one check, as those do that take it from one anchor."""
    (service, place), *others = asking
    names = listed(item.name for item, _ in asking)
    return Evidence(
        f"The health check of {names} calls {tool}, which {base} doesn't hold: "
        f"{'the service never becomes' if not others else 'none of them ever becomes'} healthy.",
        probed,
        subject=f"{service.name}/{tool}",
        service=service.name,
        related=(
            Related(place, f"{service.name} is made from {base}"),
            *(Related(item.location, f"{item.name} has the same check", member=True) for item, _ in others),
        ),
        recommendation=f"Let {service.name} ask itself by an option: its image has neither shell nor installer."
        if image_contents.is_empty(base)
        else f"Probe {names} with a program of {'their' if others else 'its'} image, or install {tool} in it.",
        example=_with_tool(inventory, service, base, tool),
    )


def _with_tool(inventory: Inventory, service: Service, base: str, tool: str) -> str:
    """The question asked by what the image holds, or the tool in an image that is built here."""
    found = services.dockerfile(inventory, service)
    if images.repository(base) in ("python", "node"):
        url = _url(probes.of(inventory, service))
        test = probe_lines.by_language(base, url) if url else ""
        known = compose_lines.of_service(service, f"healthcheck:\n  test: {test}") if test else ""
        return known or probe_lines.draft(inventory, service)
    if image_contents.is_empty(base):
        return compose_lines.of_service(service, f"healthcheck:\n  test: {probe_lines.ITSELF}")
    if found is None:
        return compose_lines.of_service(service, f'healthcheck:\n  test: ["CMD", "<a program that {base} holds>"]')
    alpine = "alpine" in images.tag(base) or images.repository(base) == "alpine"
    package = image_contents.BROUGHT_AS.get(tool, (tool, tool))[1]
    install = f"apk add --no-cache {package}" if alpine else _APT.format(package)
    return files.into(found.path, f"RUN {install}")


def _url(probe: Probe | None) -> str:
    """The address that a probe asks for, if it is written out."""
    words = (word for command in probe.commands for word in command.words) if probe else ()
    return next((word for word in words if _URL.fullmatch(word)), "")


def _image(inventory: Inventory, service: Service) -> tuple[str, tuple[Instruction, ...], Location]:
    """What the image of a service is built on, and by what, where it is built here or by a workflow."""
    found = services.dockerfile(inventory, service) or own_images.dockerfile(inventory, service)
    if found is None or (service.build and service.build.inline):
        return (service.image if service.build is None else ""), (), service.image_location
    base, instructions = services.final_stage(found, service.build.target if service.build else "")
    return base, instructions, instructions[0].location if instructions else found.location


def _is_brought(instructions: tuple[Instruction, ...], tool: str) -> bool:
    """Whether a step of the build names the tool, or runs a script that may install anything."""
    steps = [item for item in instructions if item.keyword in ("RUN", "COPY", "ADD")]
    scripts = any(item.keyword == "RUN" and any(map(_runs_script, item.commands)) for item in steps)
    return scripts or any(_names(item.argument, tool) for item in steps)


def _runs_script(command: Command) -> bool:
    """Whether a command names a script to run it; `chmod` and the like only change the file."""
    return any(".sh" in word for word in command.words) and core(list(command.words))[:1] not in _ON_FILES


def _names(text: str, tool: str) -> bool:
    """Whether a text names a tool, or the package that it comes with, as a word."""
    names = image_contents.BROUGHT_AS.get(tool, (tool,))
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w])", text) for name in names)


def _is_mounted(service: Service, tool: str) -> bool:
    return any(_names(mount.target, tool) for mount in service.mounts)
