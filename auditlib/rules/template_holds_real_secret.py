"""A template of an environment file holds a value that looks like a real secret.

A template is made to be copied and committed. Who writes it by copying a working `.env` publishes what was in there,
and everybody who copies the template runs with the same secret.

Anti-pattern:

    # .env.example
    SECRET_KEY=9fX2…32 random characters…

Better:

    # .env.example
    SECRET_KEY=            # openssl rand -hex 32

Recommendation:

    Empty the value in the template and replace the secret wherever it is in use.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/best-practices/
- https://cwe.mitre.org/data/definitions/798.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import bundles
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import IN_URL, CommittedSecret, EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_PUBLIC = regex(r"(?:^|_)(?:PUBLIC|PUBLISHABLE|SITE_?KEY|ANON_KEY)(?:_|$)")

_OF_LOGIN = regex(r"(?:AUTH_USERS?|BASIC_?AUTH(?:_USERS?)?|HTPASSWD|PASSWORD_?HASH|HASHED_?PASSWORD)$")
"""Names of hashes of passwords, as proxies take them: what opens the door isn't there, though it can be guessed."""


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL, retired=True)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each template one finding for all values that a provider gave out or that a program made."""
    provided = (item for item in inventory.committed_secrets if item.kind != IN_URL)
    by_line = {(item.location.file, item.location.line): item for item in provided}
    for file in inventory.env_files:
        if file.template:
            secret = [line for line in file.lines if not _is_for_everybody(line.name)]
            real = [line for line in secret if (file.path, line.location.line) in by_line or _is_real(line)]
            if real:
                yield _evidence(inventory, file, real, by_line)


def _is_for_everybody(name: str) -> bool:
    """Whether a value goes into pages or is given to whoever asks: a key of a front end, or the public half of one."""
    return bool(bundles.VARIABLE.match(name) or _PUBLIC.search(name.upper()))


def _is_real(line: EnvLine) -> bool:
    value = line.value
    return value is not None and value.secret and value.generated and not (value.placeholder or value.weak)


def _evidence(
    inventory: Inventory, file: EnvFile, lines: list[EnvLine], by_line: dict[tuple[str, int], CommittedSecret]
) -> Evidence:
    kinds = {
        line.name: found.kind for line in lines if (found := by_line.get((file.path, line.location.line))) is not None
    }
    first, *others = lines
    random = [line.name for line in lines if line.name not in kinds]
    said = [f"{name} a value that is by its form a {kind}" for name, kind in kinds.items()]
    hashed = not kinds and all(_OF_LOGIN.search(name.upper()) for name in random)
    said += [f"{listed(random)} a value that is random to all appearances"] if random else []
    return Evidence(
        f"{file.path} gives {listed(said, limit=4)}; whether it is in use anywhere, the files don't tell.",
        first.location,
        subject=f"{file.path}/secrets",
        related=tuple(Related(line.location, f"{line.name}: {line.value}", member=True) for line in others),
        recommendation=f"Empty {listed((line.name for line in lines), limit=3)} in {file.path}, and replace the value "
        "wherever it was used.",
        severity=Severity.MEDIUM if hashed else None,
        confidence=Confidence.HIGH if kinds else None,
        change=(f"={first.value.text}", "=") if first.value else ("", ""),
        example=login_lines.with_kept(
            files.into(file.path, "\n".join(f"{line.name}=" for line in lines)),
            inventory,
            [line.name for line in lines],
        ),
    )
