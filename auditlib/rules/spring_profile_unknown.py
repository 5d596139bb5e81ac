"""A service activates a profile of Spring that nothing knows.

Spring starts without a word when it finds no configuration for a profile, and takes the general one: addresses of a
developer's machine, or a database in memory.

Anti-pattern:

    environment:
      SPRING_PROFILES_ACTIVE: docker
    # src/main/resources has application.yml and application-prod.yml

Better:

    environment:
      SPRING_PROFILES_ACTIVE: prod

Recommendation:

    Add the profile's file, or activate one that there is.

References:

- https://docs.spring.io/spring-boot/reference/features/profiles.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import programs, spring
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MAIN = regex(r"(?:^|.*/)src/main/resources/(?:config/)?application\.(?:ya?ml|properties)")
_ELSEWHERE = ("SPRING_CLOUD_CONFIG", "SPRING_CONFIG_", "CONFIG_SERVER", "CONFIGSERVER")
_NAME = regex(r"[\w-]+")


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every profile that Compose activates for an application built here and that no file or code of it knows."""
    for program in programs.programs(inventory):
        main = next((path for path in inventory.files if _MAIN.fullmatch(path) and program.holds(path)), "")
        if not main or _is_configured_elsewhere(inventory, program):
            continue
        known = {item.name for item in inventory.spring_profiles if program.holds(item.location.file)}
        for entry in program.service.environment:
            wanted = [name for name in spring.profiles(entry) if _NAME.fullmatch(name)]
            unknown = [name for name in wanted if not known & {name, "*"} and name != "default"]
            if unknown:
                yield _evidence(program, entry, main, unknown, known)


def _is_configured_elsewhere(inventory: Inventory, program: Program) -> bool:
    """Whether a server of configurations, or files outside the image, may have the profile."""
    given = any(entry.name.startswith(_ELSEWHERE) for entry in program.service.environment)
    named = any("spring.config" in word for word in program.service.command)
    cloud = any(
        "spring-cloud" in need.name or need.name.endswith("config-client")
        for item in inventory.manifests
        for need in item.requirements
    )
    bootstrap = any(posixpath.basename(path).startswith("bootstrap.") for path in inventory.files)
    mounted = any("config" in mount.target for mount in program.service.mounts)
    return given or named or cloud or bootstrap or mounted


def _evidence(program: Program, entry: EnvironmentEntry, main: str, unknown: list[str], known: set[str]) -> Evidence:
    service = program.service
    file = f"{posixpath.dirname(main)}/application-{unknown[0]}{posixpath.splitext(main)[1]}"
    what = "a profile" if len(unknown) == 1 else "profiles"
    there = f"there is {listed(sorted(known))}" if known else "there is none"
    return Evidence(
        f"{service.name} activates {listed(unknown)}, {what} that no file or code of it knows; {there}.",
        entry.location,
        subject=f"{service.name}/{'/'.join(unknown)}",
        service=service.name,
        related=(Related(Location(main), "the general configuration, which holds then"),),
        recommendation=f"Add {file}, or activate another profile.",
        example=files.into(file, f"<the settings that differ under {unknown[0]}>"),
    )
