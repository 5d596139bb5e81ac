"""Only the shell of the deployment sets a variable that Compose lets be empty.

Whoever starts the stack again by hand, after a restart of the host or by a runbook, has another shell: Compose creates
the containers anew without the values, and says nothing. What needs them breaks hours later, and the next deployment
mends it, so that nobody finds out why.

Anti-pattern:

    # the deployment, by SSH
    export S3_SECRET=${{ secrets.S3_SECRET }}
    docker compose up -d
    # compose.yaml
    environment:
      S3_SECRET: ${S3_SECRET:-}

Better:

    # the deployment, by SSH: it writes the file that every start reads
    printf 'S3_SECRET=%s\\n' "$S3_SECRET" > .env && chmod 600 .env
    docker compose up -d
    # compose.yaml
    environment:
      S3_SECRET: ${S3_SECRET:?}

Recommendation:

    Keep the values in an environment file on the host, and demand the variables with `:?`.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
- https://docs.docker.com/compose/how-tos/environment-variables/best-practices/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Mention
from auditlib.inventory.stack import Variable
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.pipeline import remote
from auditlib.pipeline.remote import Exported, Overruled
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each deployed project one finding for all variables that a script run by SSH exports before it starts it.

    And one for each script whose images no other start would take.
    """
    for item in remote.exported(inventory):
        yield _evidence(inventory, item)
    by_file: dict[str, list[Overruled]] = {}
    for found in remote.overruled(inventory):
        by_file.setdefault(found.export.file, []).append(found)
    for several in by_file.values():
        yield _of_images(sorted(several, key=lambda found: "stag" in found.project.location.file))


def _of_images(found: list[Overruled]) -> Evidence:
    first, *others = found
    users = list(dict.fromkeys(item.service or "" for item in first.variables))
    name, services = first.variables[0].name, listed(users, limit=3)
    by_template = first.elsewhere.file != first.file
    keeps = f"{first.file} has{' by its template' if by_template else ''}" if first.file else "the default is"
    home = first.file or ".env"
    return Evidence(
        f"Only the shell of the deployment in {first.export.file} says which image {services} "
        f"{'runs' if len(users) == 1 else 'run'} ({name}); {keeps} "
        f"{first.value}: any other `docker compose up`, after a crash or by a runbook, starts that one.",
        first.export,
        subject=f"{first.project.name}/{name}",
        service=first.variables[0].service,
        related=(
            Related(first.elsewhere, f"what every other start takes for {name}"),
            Related(first.variables[0].location, "the image"),
            *(Related(item.export, f"the same for {item.project.location.file}", member=True) for item in others),
        ),
        recommendation=f"Have the deployment write {name} to {home} on the host, in place of the export.",
        confidence=Confidence.HIGH if first.file and not by_template else None,  # a host may have another copy
        example=f"# {first.export.file}, in place of the export\n"
        f"touch {home} && sed -i '/^{name}=/d' {home}\n"
        f"echo '{name}=<what is exported now>' >> {home}",
    )


def _by_hand(inventory: Inventory) -> Iterator[Mention]:
    """Where documents have people start the stack."""
    for item in deployment.documented_commands(inventory):
        call = compose_command.of(item.text.split())
        if call and call.verb == "up":
            yield item


def _evidence(inventory: Inventory, exported: Exported) -> Evidence:
    used, step = exported.variables, exported.step
    first, *others = used
    names = listed(item.name for item in used)
    services = listed(item.service or "" for item in used)
    by_hand = list(_by_hand(inventory))
    them = "it" if len({item.name for item in used}) == 1 else "them"
    return Evidence(
        f"Only the shell of the deployment in {step.location.file} exports {names}, and {first.location.file} lets "
        f"{them} be empty: any other `docker compose up` starts {services} without {them}, unless "
        "the host has an environment file that nothing here tells of.",
        first.location,
        subject=f"{exported.project.name}/exported",
        service=first.service,
        related=(
            *(Related(item.location, f"{item.name} may be empty too", member=True) for item in others),
            Related(step.location, f"exports {them} for its own start"),
            *(Related(item.location, "has people start the stack by hand") for item in by_hand[:4]),
        ),
        recommendation=f"Have the deployment write {listed((item.name for item in used), limit=3)} to `.env` on the "
        f"host, and {f'say in {by_hand[0].location.file} what fails without' if by_hand else 'demand it with `:?`'}.",
        change=("", "") if by_hand else _change(first),
        example=f"# {step.location.file}, before `docker compose up`\n"
        f"touch .env && chmod 600 .env && sed -i '/^{first.name}=/d' .env\n"
        f"printf '{first.name}=%s\\n' \"${first.name}\" >> .env",
    )


def _change(variable: Variable) -> tuple[str, str]:
    return f"${{{variable.name}{variable.operator}}}", f"${{{variable.name}:?set it in .env}}"
