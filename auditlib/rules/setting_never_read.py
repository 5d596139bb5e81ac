"""A settings class declares what no code reads.

Who sets the variable believes that it counts. The value that does count stands elsewhere, often a second copy of the
same password or address, and the two drift apart; a required one stops a start for nothing.

Anti-pattern:

    class Settings(BaseSettings):
        database_url: str
        postgres_host: str = "localhost"     # nothing asks for it: database_url names the host

Better:

    class Settings(BaseSettings):
        database_url: str

Recommendation:

    Remove the field, and the variable wherever nothing else uses it, or read it.

References:

- https://docs.pydantic.dev/latest/concepts/pydantic_settings/
- https://12factor.net/config
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import programs, secrets
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for all fields of its settings classes that no code names.

    One whose default is a secret is a finding of its own, which says so too.
    """
    found: defaultdict[str, list[Setting]] = defaultdict(list)
    for setting in inventory.settings:
        if setting.unused and not programs.is_aside(setting) and not _holds_secret(setting):
            found[setting.location.file].append(setting)
    offered = _offered(inventory) if found else {}
    for path, settings in found.items():
        yield _evidence(path, settings, offered)


def _holds_secret(setting: Setting) -> bool:
    default = setting.default if setting.default_kind == "literal" else None
    return default is not None and default.secret and not secrets.opens_nothing(setting.name, default)


def _offered(inventory: Inventory) -> dict[str, list[Related]]:
    """Where a template offers a variable that Compose doesn't use either, by the variable's name in capitals."""
    used = {item.name for item in inventory.variables}
    places: defaultdict[str, list[Related]] = defaultdict(list)
    for file in inventory.env_files:
        for line in file.lines if file.template else ():
            if line.name not in used:
                places[line.name.upper()].append(Related(line.location, f"{file.path} offers {line.name}"))
    return places


def _evidence(path: str, settings: list[Setting], offered: dict[str, list[Related]]) -> Evidence:
    first, *others = settings
    names = list(dict.fromkeys(setting.attribute for setting in settings))
    required = [setting.attribute for setting in settings if setting.required]
    them = "it" if len(names) == 1 else "them"
    stops = f" Without {listed(required, limit=4)} the program refuses to start all the same." if required else ""
    places = [place for setting in settings for place in offered.get(setting.name.upper(), ())]
    return Evidence(
        f"{path} declares {counted(len(names), 'setting')} that no other line of the code names: {listed(names)}. "
        f"What the environment says of {them} changes nothing in that code, unless it reads {them} by a computed name."
        f"{stops}",
        first.location,
        subject=f"{path}/unread",
        related=(
            *(Related(setting.location, f"{setting.attribute} is read nowhere", member=True) for setting in others),
            *places[:8],
        ),
        recommendation=f"Remove {listed(names, limit=3)} from {path}{_and_from(places)}, or read {them}.",
        example=files.into(
            path, "\n".join(f"# {setting.location.line}: without {_field(setting)}" for setting in settings)
        ),
    )


def _and_from(places: list[Related]) -> str:
    """The template that would go on offering them, though classes of settings may refuse what they don't know."""
    return f" and from {places[0].location.file}" if places else ""


def _field(setting: Setting) -> str:
    return setting.attribute.rpartition(".")[2]
