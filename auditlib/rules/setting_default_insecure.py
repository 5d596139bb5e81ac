"""Settings code gives a secret a default value.

Code that starts without its secrets starts in production without them too. The value in the source is then the
secret, and everybody who has ever read the repository can sign tokens or connect with it. Nothing fails, so nobody
notices.

Anti-pattern:

    class Settings(BaseSettings):
        SECRET_KEY: str = "change-me-in-production"

Better:

    class Settings(BaseSettings):
        SECRET_KEY: SecretStr

Recommendation:

    Remove the default, so that a missing secret stops the start, and set the variable in every environment.

References:

- https://docs.pydantic.dev/latest/concepts/pydantic_settings/
- https://12factor.net/config
- https://cwe.mitre.org/data/definitions/798.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every setting whose default is, or holds, a secret."""
    for setting in inventory.settings:
        if setting.default is None or not setting.default.secret or setting.default_kind != "literal":
            continue
        if environments.is_for_development(setting.location.file):
            continue
        passed = _passed(inventory, setting.name)
        demanded = _is_demanded(inventory, setting.name)
        kind = (
            "a placeholder"
            if setting.default.placeholder
            else "a well-known or easily guessed value"
            if setting.default.weak
            else "a value"
        )
        yield Evidence(
            f"{setting.name} defaults to {kind} that stands in the code ({setting.default.text}); "
            + (
                "Compose demands the variable, but every other start of this code runs with the default."
                if demanded
                else "wherever the variable isn't set, the code runs with it."
            ),
            setting.location,
            subject=setting.name,
            related=passed,
            recommendation=f"Remove the default of {setting.name}, so that a start without it fails, and pass it "
            "wherever this code runs.",
            severity=Severity.MEDIUM if demanded else None,
        )


def _passed(inventory: Inventory, name: str) -> tuple[Related, ...]:
    """Where Compose gives the variable to a service."""
    places = {
        entry.location: Related(entry.location, f"{service.name} gets {name} here")
        for service in inventory.services
        for entry in service.environment
        if entry.name == name
    }
    return tuple(places.values())


def _is_demanded(inventory: Inventory, name: str) -> bool:
    operators = {variable.operator for variable in inventory.variables if variable.name == name}
    return bool(operators) and operators <= {":?", "?"}
