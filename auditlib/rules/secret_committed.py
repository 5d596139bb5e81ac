"""A provider's token or a private key stands in a file of the repository.

What was committed once is in every clone, fork and backup, and stays in the history when the file is mended. Programs
that look for such tokens in public repositories find them within minutes.

Anti-pattern:

    # config/deploy.yml
    slack_webhook: https://hooks.slack.com/services/T…/B…/…

Better:

    # config/deploy.yml
    slack_webhook: ${SLACK_WEBHOOK:?set it in the secret store}

Recommendation:

    Revoke the secret at its provider first, then give the new one by a secret store or the environment.

References:

- https://docs.github.com/en/code-security/secret-scanning/introduction/about-secret-scanning
- https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository
- https://cwe.mitre.org/data/definitions/798.html
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import IN_URL, OF_CLIENT, OF_SCRIPT, CommittedSecret, FixedSecret
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_PUBLIC = frozenset({"Google API key"})
"""Keys that web pages carry by design; whether one is restricted, the files don't tell."""
_FROM_FILE = frozenset({"password", "credentials", "bearer_token", "client_secret"})
"""What Prometheus takes from a file as well (`password_file`)."""
_UNTOLD = "whether it is in use anywhere, the files don't tell"
_OF_ANYBODY = frozenset({OF_CLIENT, OF_SCRIPT, "live API key"})
"""What no form tells the issuer of: it may be the project's own, and open one installation only."""


@rule(
    area=Area.CONFIGURATION, severity=Severity.CRITICAL, confidence=Confidence.HIGH, effort=Effort.SMALL, retired=True
)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every secret of a provider's format once; templates of environment files have a rule of their own."""
    templates = {file.path for file in inventory.env_files if file.template}
    found: defaultdict[int, list[CommittedSecret]] = defaultdict(list)
    composed = _in_compose(inventory)
    for item in inventory.committed_secrets:
        told = item.kind == OF_CLIENT and item.value.identity in composed  # the finding on Compose names the file
        if item.kind != IN_URL and item.location.file not in templates and not told:
            found[item.value.identity].append(item)
    for items in found.values():
        yield _evidence(inventory, sorted(items, key=lambda item: environments.is_for_development(item.location.file)))
    managers = {receiver.file for receiver in inventory.receivers}
    configurations = {item.file for item in inventory.prometheus} | managers
    for secret in inventory.fixed_secrets:
        known = secret.location.file in configurations and secret.value.identity not in found
        if known and not secret.value.weak and (secret.value.generated or "password" in secret.name):
            yield _of_monitoring(secret, of_alertmanager=secret.location.file in managers)


def _in_compose(inventory: Inventory) -> set[int]:
    """The secrets that services are given."""
    entries = (entry for service in inventory.distinct_services for entry in service.environment)
    return {entry.value.identity for entry in entries if entry.value is not None and entry.value.secret}


def _of_monitoring(secret: FixedSecret, *, of_alertmanager: bool) -> Evidence:
    """A login of Alertmanager or Prometheus: a password has no form of its own, but the key says what it is."""
    file, value = secret.location.file, secret.value
    with_file = of_alertmanager or secret.name in _FROM_FILE
    held = f"`{secret.name}_file`" if with_file else ""
    return Evidence(
        f"{file} gives {secret.name} a value ({value.text}); "
        f"{'by its words it is an example, unless it was left' if secret.tells_itself else _UNTOLD}.",
        secret.location,
        subject=f"{file}/{secret.name}/{value.digest}",
        recommendation=f"Replace the value of {secret.name} wherever it is used, and "
        + (f"let {file} name a file that holds it: {held}." if held else f"have each start write it into {file}."),
        severity=Severity.LOW if secret.tells_itself or environments.is_for_development(file) else Severity.HIGH,
        example=files.into(file, f"{secret.name}_file: /run/secrets/{secret.name}")
        if with_file
        else files.into(file, f"{secret.name}: <written here by what starts it, from a secret of the host>"),
        confidence=Confidence.LOW if secret.tells_itself else Confidence.MEDIUM,
    )


def _from_outside(item: CommittedSecret) -> str:
    """How the file gets the new secret; a file that is nothing else leaves the repository."""
    file = item.location.file
    if environments.is_document(file):
        return files.into(file, f"<your {item.kind}>")
    if file.endswith((".pem", ".key")) or posixpath.basename(file).startswith("id_"):
        return f"git rm --cached {shlex.quote(file)}\necho {shlex.quote(f'/{file}')} >> .gitignore"
    if item.kind == OF_SCRIPT:
        return files.into(file, f': "${{{item.name or "PASSWORD"}:?is not set}}"')
    return files.into(file, code_lines.reading(re.sub(r"\W+", "_", item.kind).upper(), file))


def _evidence(inventory: Inventory, items: list[CommittedSecret]) -> Evidence:
    first, *others = items
    aside = environments.is_for_development(first.location.file)
    document = environments.is_document(first.location.file)
    held = f" as {first.name}" if first.name else ""
    verb = "Change" if first.kind == OF_SCRIPT else "Revoke"
    article = "an" if first.kind[0] in "AEIOU" else "a"
    assumption = ""
    if aside:
        assumption = "; the file is one of tests or examples, so that it may be made up"
    elif first.kind in _PUBLIC:
        assumption = "; if a browser needs it, it must at least be restricted"
    usual = Severity.MEDIUM if first.kind in _PUBLIC else Severity.HIGH if first.kind in _OF_ANYBODY else None
    return Evidence(
        f"{first.location.file} holds {article} {first.kind}{held} ({first.value.text}){assumption}.",
        first.location,
        subject=f"{first.kind}/{first.value.digest}",
        related=tuple(Related(item.location, "the same secret stands here", member=True) for item in others),
        recommendation=f"{verb} the {first.kind}, and write a placeholder in its place in {first.location.file}."
        if document
        else f"{verb} the {first.kind}, remove it from {first.location.file}, and give the new one from outside the "
        "repository.",
        severity=Severity.LOW if aside else usual,
        example=login_lines.with_kept(_from_outside(first), inventory, (), [first.value]),
        confidence=Confidence.LOW if aside else Confidence.MEDIUM if document or first.kind in _PUBLIC else None,
    )
