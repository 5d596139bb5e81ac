"""What a step sends away: the files that a deployment copies to a server, a store or a page."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.delivery import Command, Step
from auditlib.model import Location
from auditlib.patterns import regex

_INPUTS = {
    "peaceiris/actions-gh-pages": "publish_dir", "JamesIves/github-pages-deploy-action": "folder",
    "actions/upload-pages-artifact": "path", "softprops/action-gh-release": "files", "appleboy/scp-action": "source",
    "nwtgck/actions-netlify": "publish-dir", "SamKirkland/FTP-Deploy-Action": "local-dir",
}  # fmt: skip
"""By action the input that names the files."""
_TO_STORE = regex(
    r"^(?:aws\s+s3\s+(?:sync|cp|mv)|gsutil\s.*\b(?:cp|rsync)|gcloud\s+storage\s+(?:cp|rsync)|rclone\s+(?:sync|copy))\s"
)
_ELSEWHERE = regex(r"^(?:s3|gs|https?)://|^[\w.@${}-]+:")
_TO_HOST = regex(r"^(?:scp|rsync)\s")
_NAMED = regex(r"^(?:netlify\s+deploy\b.*\s--dir[= ]|(?:npx\s+)?wrangler\s+pages\s+deploy\s+)(?P<path>[\w./-]+)")


def sent(step: Step) -> Iterator[tuple[str, Location]]:
    """The paths that a step sends, as they are written, each with its place."""
    wanted = _INPUTS.get(step.uses.partition("@")[0])
    for pair in step.inputs:
        if pair.name == wanted:
            yield from ((path, pair.location) for path in pair.value.replace(",", " ").split())
    for command in step.commands:
        yield from ((path, command.location) for path in _of_command(command))


def to_hosts(step: Step) -> Iterator[tuple[str, Command | None]]:
    """Those that it copies to another host by SSH, each with the command that does, if an action doesn't."""
    if step.uses.startswith("appleboy/scp-action@"):
        yield from ((path, None) for path, _ in sent(step))
    for command in step.commands:
        if _TO_HOST.search(" ".join(command.words)):
            yield from ((path, command) for path in _of_command(command) if path != command.words[0])


def _of_command(command: Command) -> Iterator[str]:
    text = " ".join(command.words)
    if match := _NAMED.search(text):
        yield match["path"]
    elif _TO_STORE.search(text) or _TO_HOST.search(text):
        words = [word for word in command.words if not word.startswith("-")]
        target = next((index for index, word in enumerate(words) if _ELSEWHERE.search(word)), 0)
        yield from words[target - 1 : target] if target else ()
