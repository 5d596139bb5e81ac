"""The same secret is written into several files.

To replace it, every file has to be found and changed at the same moment; the one that is forgotten keeps the old value
or fails. So it isn't replaced at all, not even after somebody has left who knew it.

Anti-pattern:

    # compose.yaml
    POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-password123}
    # alembic.ini
    sqlalchemy.url = postgresql://app:password123@localhost/app

Better:

    # compose.yaml
    POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}
    # alembic/env.py
    config.set_main_option("sqlalchemy.url", settings.database_url)

Recommendation:

    Keep the secret in one place outside the repository, and let every file read it from there.

References:

- https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
- https://12factor.net/config
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, secrets
from auditlib.conventions.secrets import Sighting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import SHOWN
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_DISTINCT = 8
"""Characters from which two equal values are hardly equal by chance."""
_ALONE = regex(r"‹secret[^›]*›")


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every secret whose value stands in two files or more that are neither templates, documents nor for tests."""
    found: defaultdict[int, dict[tuple[str, int], Sighting]] = defaultdict(dict)
    for item in secrets.sightings(inventory):
        if item.kind != "template" and not environments.is_aside(item.location.file):
            found[item.value.identity].setdefault((item.location.file, item.location.line), item)
    shown = _shown(inventory)
    for places in found.values():
        items = list(places.values())
        items = _of_one(items + _elsewhere(shown, items))
        if len({item.location.file for item in items}) > 1 and not _is_set_once(items):
            yield _evidence(inventory, items)


def _elsewhere(shown: dict[str, dict[str, Location]], items: list[Sighting]) -> list[Sighting]:
    """The other scripts, makefiles and workflows that hold the value, one place each."""
    value, known = items[0].value, {item.location.file for item in items}
    if not (secrets.is_distinct(value) and _ALONE.fullmatch(value.text)):
        return []
    return [
        Sighting("", value, place, "file") for file, place in shown.get(value.text, {}).items() if file not in known
    ]


def _shown(inventory: Inventory) -> dict[str, dict[str, Location]]:
    """By secret, as it is shown, the files whose commands or variables of workflows hold it, with the first place."""
    texts = [(word, command.location) for command in deployment.commands(inventory) for word in command.words]
    for workflow in inventory.workflows:
        pairs = [pair for job in workflow.jobs for step in job.steps for pair in step.env]
        pairs += [*workflow.env, *(pair for job in workflow.jobs for pair in job.env)]
        texts += [(pair.value, pair.location) for pair in pairs]
    found: defaultdict[str, dict[str, Location]] = defaultdict(dict)
    for text, place in texts:
        for secret in SHOWN.findall(text) if not environments.is_aside(place.file) else ():
            found[secret].setdefault(place.file, place)
    return found


def _is_set_once(items: list[Sighting]) -> bool:
    """Whether a new value goes into one file at most, or all are stand-ins for one variable.

    What code or Compose falls back to stays behind where the environment gives the variable.
    """
    given = {item.name for item in items if item.kind == "env_file" and item.name}
    written = [
        item for item in items
        if not (item.replaceable and (item.kind in ("setting", "file") or item.name in given))
    ]  # fmt: skip
    places = {item.name if item.replaceable else item.location.file for item in written}
    return len(places) < 2 or len({item.location.file for item in written}) < 2


def _of_one(items: list[Sighting]) -> list[Sighting]:
    """Those of equal values that are one secret; a short, well-known one goes by the same name, or is in an address."""
    if secrets.is_distinct(items[0].value) or any(secrets.stands_in_url(item.value) for item in items):
        return items
    files: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        files[item.name].add(item.location.file)
    return [item for item in items if item.name and len(files[item.name]) > 1]


def _advice(name: str, files: list[str]) -> str:
    """What to do in the other files; a configuration that knows no variables is filled in from outside."""
    reading = [file for file in files[1:] if code_lines.can_read(file)]
    if reading:
        return f"Read {name} from the environment in {listed(reading, limit=2)}, and write its value nowhere."
    return f"Have {listed(files[1:], limit=2)} filled in from a template when it is deployed, and keep it out of Git."


def _evidence(inventory: Inventory, items: list[Sighting]) -> Evidence:
    first, *others = items
    files = list(dict.fromkeys(item.location.file for item in items))
    named = next((item.name for item in items if item.name), "")
    name = named or "A password"
    mixed = len({bool(_ALONE.fullmatch(item.value.text)) for item in items}) > 1  # some hold it in an address
    whole = mixed and not _ALONE.fullmatch(first.value.text)
    what = f"The password in {name}" if whole else name
    usual = "" if whole else named
    sure = first.value.length >= _DISTINCT and not first.value.placeholder
    return Evidence(
        f"{what} ({first.value.text}) stands in at least {len(files)} files, {listed(files)}: a new value has to be "
        "written into each of them.",
        first.location,
        subject=f"{name}/files",
        service=first.service or None,
        related=tuple(
            Related(item.location, f"{item.name or 'the same secret'} stands here", member=True) for item in others
        ),
        recommendation=_advice(name, files),
        severity=Severity.LOW if first.value.placeholder else None,  # what is to be filled in, in each of them
        confidence=None if sure else Confidence.MEDIUM,
        example=login_lines.with_kept(
            code_lines.everywhere(inventory, items, usual), inventory, {item.name for item in items}, [first.value]
        ),
    )
