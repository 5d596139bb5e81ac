"""A start of the application drops the tables of its database.

What is handy on a laptop, an empty schema at each start, deletes what users have entered once the same setting
runs on the server: at the next deployment, after a crash, or when the host starts again. No backup is asked.

Anti-pattern:

    sequelize.sync({ force: true })
    spring.jpa.hibernate.ddl-auto=create

Better:

    npx sequelize-cli db:migrate        # before the start
    spring.jpa.hibernate.ddl-auto=validate

Recommendation:

    Apply migrations at the start, and keep what drops tables to a command that people call on their own machines.

References:

- https://docs.spring.io/spring-boot/how-to/data-initialization.html
- https://sequelize.org/docs/v6/core-concepts/model-basics/#model-synchronization
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, spring
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PROFILE = regex(r"(?:^|/)application-(?P<name>[\w-]+)\.(?:ya?ml|properties)$")


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """What the code or settings of deployed services drop when they start."""
    for use in code_traits.of(inventory, "drop"):
        match = _PROFILE.search(use.trait.location.file)
        idle = match is not None and use.services and not any(_may_take(item, match["name"]) for item in use.services)
        if not idle and not any(map(_says_otherwise, use.services)):
            yield _of_code(use)


def _may_take(service: Service, profile: str) -> bool:
    """Whether a service activates a profile of Spring, or doesn't say which."""
    active = [name for entry in service.environment for name in spring.profiles(entry)]
    return not active or profile in active or any("$" in name for name in active)


def _says_otherwise(service: Service) -> bool:
    """Whether Compose itself gives what a file of Spring says, by a variable or an option."""
    named = any(entry.name.replace("_", "").endswith("DDLAUTO") for entry in service.environment)
    return named or any("ddl-auto" in word for word in (*service.command, *service.entrypoint))


def _of_code(use: Use) -> Evidence:
    trait = use.trait
    name = code_traits.names([use])
    end = ", and when it stops" if trait.word == "ddl-auto: create-drop" else ""
    return Evidence(
        f"{name} drops its tables at each start{end} (`{trait.word}`), and the data in them.",
        trait.location,
        subject=f"{trait.location.file}/{trait.word}",
        service=code_uses.first_service([use]),
        recommendation=f"Take `{trait.word}` out of {trait.location.file}, and apply migrations instead.",
        example=files.into(trait.location.file, _settled(trait.location.file))
        if trait.word.startswith("ddl-auto")
        else f"<apply migrations before {name} starts>",
    )


def _settled(file: str) -> str:
    return "spring.jpa.hibernate.ddl-auto=validate" if file.endswith(".properties") else "ddl-auto: validate"
