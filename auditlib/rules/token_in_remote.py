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
_NAME_ALONE = regex(r"https?://\$[({]?(?i:\w{0,40}(?:user|name|login|actor|account)\w{0,20})[)}]?@")
"""An address with the name of a login and no password, for which Git asks."""
_OF_PIPELINES = regex(r"(?:^|/)(?:\.github|\.gitlab|\.circleci|\.buildkite|\.travis|ci)/")


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text for a host that stays, with commands by which Git keeps an address with a token."""
    found = (use for use in command_texts.uses(inventory, ("git",))
             if not _is_thrown_away(inventory, use) and _keeps(use))  # fmt: skip
    for uses in command_texts.by_text(found):
        yield _evidence(uses)


def _is_thrown_away(inventory: Inventory, use: Use) -> bool:
    """Whether a text runs on a host that is thrown away: by itself, or as a script of pipelines, which calls it."""
    text = use.text
    if text.kind == "remote":
        return False
    if text.is_on_thrown_away_host or (text.kind == "script" and _OF_PIPELINES.search(text.path)):
        return True
    called = (each.words for job in inventory.jobs if "self-hosted" not in job.runs_on
              for step in job.steps for each in step.commands)  # fmt: skip
    return text.kind == "script" and any(word.removeprefix("./") == text.path for words in called for word in words)


def _keeps(use: Use) -> bool:
    text = " ".join(use.command.words)
    known = "@" in text and bool(_KEEPS.search(text.removeprefix("sudo "))) and _TOKEN.search(text) is not None
    return known and not _NAME_ALONE.search(text) and not _is_undone(use)


def _is_undone(use: Use) -> bool:
    """Whether the text itself takes the address away later, or the folder that has it."""
    if any(word.startswith(("$(mktemp", "mktemp")) for each in use.text.commands for word in each.words):
        return True
    later = [" ".join(each.words) for each in use.after]
    set_again = any(" remote set-url " in text and not _TOKEN.search(text) for text in later)
    return set_again or any(" remote remove " in text or " remote rm " in text for text in later)


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
