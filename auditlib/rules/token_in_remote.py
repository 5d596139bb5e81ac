"""A token stays in the checkout's address of its repository.

Git writes the address that it clones from into `.git/config`, the token with it: there it stays in the clear, on a
server that deploys, for everybody who reads the folder, in every copy of it and in each error message that names the
address.

Anti-pattern:

    git clone "https://x-access-token:${GITHUB_TOKEN}@github.com/acme/shop.git" /srv/shop

Better:

    GIT_SSH_COMMAND="ssh -i /root/.ssh/deploy_key" git clone git@github.com:acme/shop.git /srv/shop

Recommendation:

    Clone by a deploy key that only reads, or hand the token over by a credential helper.

References:

- https://docs.github.com/en/authentication/connecting-to-github-with-ssh/managing-deploy-keys
- https://git-scm.com/docs/gitcredentials
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_KEEPS = regex(r"^git (?:-C \S+ )?(?:clone|remote (?:set-url|add)|submodule add)\b")
_TOKEN = regex(r"https?://(?:[^/@\s:]{1,80}:)?\$[({][^/@]{1,120}@(?P<host>[^/\s]+)/(?P<path>\S+)|"
               r"https?://(?:[^/@\s:]{1,80}:)?\$\w{1,80}@(?P<other>[^/\s]+)/(?P<rest>\S+)")  # fmt: skip


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text for a host that stays, with commands by which Git keeps an address with a token."""
    found = (use for use in command_texts.uses(inventory, ("git",))
             if not use.text.is_on_thrown_away_host and _keeps(use))  # fmt: skip
    for uses in command_texts.by_text(found):
        yield _evidence(uses)


def _keeps(use: Use) -> bool:
    text = " ".join(use.command.words)
    return "@" in text and bool(_KEEPS.search(text.removeprefix("sudo "))) and _TOKEN.search(text) is not None


def _evidence(uses: list[Use]) -> Evidence:
    first, *others = uses
    match = _TOKEN.search(" ".join(first.command.words))
    host = (match["host"] or match["other"]) if match else "<host>"
    path = (match["path"] or match["rest"]) if match else "<the repository>"
    return Evidence(
        f"{first.text.opening} gives Git an address of {host} with a token in it: it stays in `.git/config` of the "
        "checkout, in the clear.",
        first.command.location,
        subject=f"{first.text.name}/git",
        related=tuple(Related(use.command.location, "an address with a token too", member=True) for use in others),
        recommendation=f"Let {first.text.path} fetch by a deploy key that only reads.",
        example=files.into(first.text.path, f"git clone git@{host}:{path.strip(chr(34))}"),
    )
