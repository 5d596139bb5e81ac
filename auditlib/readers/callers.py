"""Files of other programs that start scripts: tables of cron, units of systemd, Terraform, pipelines of other
services and the like.

Only the names of scripts are taken from them, as text: https://man7.org/linux/man-pages/man5/crontab.5.html,
https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html,
https://developer.hashicorp.com/terraform/language/functions/file.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.delivery import Caller
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.source import Source

KIND = "caller of scripts"
PATTERNS = (
    "*crontab", "crontabs/**", "cron.d/**", "*.cron", "*.service", "*.timer", "supervisord*.conf", "*.tf",
    "Jenkinsfile", "Vagrantfile", "Procfile", ".gitlab-ci.yml", ".gitlab/**/*.yml", "bitbucket-pipelines.yml",
    "azure-pipelines.yml", ".circleci/config.yml", ".drone.yml", ".woodpecker/*.yml", ".travis.yml",
)  # fmt: skip

_SCRIPT = regex(r"[\w.@-]{1,100}\.(?:sh|bash|py|rb|php|pl|js|mjs|ts)\b")
_COMMENT = regex(r"[ \t]*(?:#|//)")


def read(source: Source) -> Reading:
    """A Caller for each of these files that names a script."""
    return each(source, source.matching(*PATTERNS), KIND, _read)


def _read(source: Source, path: str) -> Iterator[Caller]:
    names: dict[str, int] = {}
    for number, line in enumerate(source.lines(path), start=1):
        if not _COMMENT.match(line):
            for name in _SCRIPT.findall(line):
                names.setdefault(name, number)
    if names:
        yield Caller(path, tuple(names), Location(path, min(names.values())))
