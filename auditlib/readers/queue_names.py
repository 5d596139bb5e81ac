"""Reads by which names code puts tasks into queues, and by which names files tell workers to take them.

Follows https://docs.celeryq.dev/en/stable/userguide/routing.html, https://laravel.com/docs/queues, Horizon's own,
https://github.com/sidekiq/sidekiq/wiki/Advanced-Options, https://python-rq.org/docs/workers/ and
https://docs.bullmq.io/guide/workers. The text is searched, not parsed; a name that is no literal leaves a queue open.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from auditlib.inventory.tasks import QueueName
from auditlib.patterns import Words, regex
from auditlib.readers.program_code import is_aside
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_JS = (".js", ".ts", ".mjs", ".cjs")
_NAME = r"[\"'](?P<name>[\w.:-]{1,80})[\"']"
_SECONDS = r"(?P<seconds>\d{1,7}(?:\s?\*\s?\d{1,5}){0,2})(?![\w.])"
_MOST = 200


class _Says(Struct, frozen=True):
    """What says of a queue by its name that code puts tasks into it (`sent`) or that something takes them (`taken`).

    Without a name it leaves `open` what is taken.
    """

    system: str
    role: str
    endings: tuple[str, ...]
    pattern: re.Pattern[str]
    needs: re.Pattern[str] | None = None


_CELERY = regex(r"\bcelery\b|\bshared_task\b|\bapply_async\b", re.I)
_RQ = regex(r"\bfrom rq\b|\bimport rq\b|\bdjango_rq\b")
_BULL = regex(r"[\"'](?:bullmq|bull|@nestjs/bullmq|@nestjs/bull)[\"']")
_SAYINGS = (
    _Says("Celery", "sent", (".py",), regex(rf"[\"']queue[\"']\s{{0,3}}:\s{{0,3}}{_NAME}"),
          regex(r"(?i)task_routes|beat_schedule")),
    _Says("Celery", "sent", (".py",),
          regex(rf"(?:apply_async|shared_task|\.task|send_task)\([^()]{{0,300}}?\bqueue\s{{0,3}}=\s{{0,3}}{_NAME}"),
          _CELERY),
    _Says("Celery", "taken", (".py",), regex(rf"\bQueue\(\s{{0,9}}{_NAME}"), regex(r"\bkombu\b")),
    _Says("Celery", "default", (".py",),
          regex(rf"(?i)(?:\btask_|\bcelery_(?:task_)?)default_queue\b[\"']?\s{{0,3}}[=:]\s{{0,3}}{_NAME}")),
    _Says("Celery", "open", (".py",), regex(
        r"(?i)(?:\btask_|\bcelery_(?:task_)?)queues\b\s{0,3}=(?!\s{0,3}[(\[{])|\bworker_main\(|"
        r"(?:\btask_|\bcelery_(?:task_)?)default_queue\s{0,3}=\s{0,3}(?![\"'\s])")),
    _Says("Celery", "route", (".py",),
          regex(r"[\"'](?P<name>[\w.*?-]{1,120})[\"']\s{0,3}:\s{0,3}(?:\{\s{0,9}[\"'](?:queue|routing_key|exchange)|[\"'])"),
          regex(r"(?i)task_routes[\"']?\s{0,3}[=:]\s{0,3}\{")),
    _Says("Celery", "routes elsewhere", (".py",),
          regex(r"(?i)task_routes[\"']?\s{0,3}[=:](?!\s{0,3}\{)|\*\*\w{0,40}routes\b|routes\.update\(|"
                r"\bdef route_\w{1,40}\(")),
    _Says("Celery", "called", (".py",),
          regex(r"@(?:\w{1,40}\.)?(?:shared_)?task\((?![^()]{0,300}\b(?:queue|base)\s{0,3}=)"
                rf"[^()]{{0,300}}?\bname\s{{0,3}}=\s{{0,3}}{_NAME}"),
          _CELERY),
    _Says("Celery", "sent by name", (".py",),
          regex(r"(?:apply_async|send_task|\.s|\.set|signature)\([\s\S]{0,300}?\b(?P<name>queue)\s{0,3}=")),
    _Says("Laravel", "sent", (".php",), regex(rf"->onQueue\(\s{{0,9}}{_NAME}")),
    _Says("Laravel", "sent", (".php",),
          regex(rf"\b(?:public|protected)\s+(?:\??string\s+)?\$queue\s{{0,3}}=\s{{0,3}}{_NAME}")),
    _Says("Laravel", "timeout", (".php",),
          regex(rf"\b(?:public|protected)\s+(?:\??int\s+)?\$timeout\s{{0,3}}=\s{{0,3}}{_SECONDS}"),
          regex(r"\bShouldQueue\b")),
    _Says("Laravel", "timeout", (".php",), regex(rf"[\"']timeout[\"']\s{{0,9}}=>\s{{0,9}}{_SECONDS}"),
          regex(r"[\"']supervisor-")),
    _Says("Laravel", "retry after", (".php",),
          regex(rf"[\"']retry_after[\"']\s{{0,9}}=>\s{{0,9}}(?:\(int\)\s?)?(?:env\([^,()]{{1,60}},\s?)?{_SECONDS}")),
    _Says("Celery", "timeout", (".py",),
          regex(rf"(?i)(?<!\w)(?:task_|celery_task_)?time_limit[\"']?\s{{0,3}}[:=]\s{{0,3}}{_SECONDS}"), _CELERY),
    _Says("Celery", "retry after", (".py",), regex(rf"\bvisibility_timeout[\"']?\s{{0,3}}[:=]\s{{0,3}}{_SECONDS}")),
    _Says("RQ", "sent", (".py",),
          regex(rf"\b(?:Queue|get_queue)\(\s{{0,9}}{_NAME}|@job\(\s{{0,9}}[\"'](?P<job>[\w-]{{1,80}})[\"']"), _RQ),
    _Says("RQ", "open", (".py",), regex(r"\b(?:Simple)?Worker\("), _RQ),
    _Says("Sidekiq", "sent", (".rb",),
          regex(r"\bsidekiq_options\b[^\n]{0,120}?\bqueue:\s{0,3}[:\"'](?P<name>\w{1,80})")),
    _Says("Sidekiq", "sent", (".rb",), regex(r"\bqueue_as\s{1,3}[:\"'](?P<name>\w{1,80})")),
    _Says("BullMQ", "sent", _JS, regex(rf"\bnew (?:Queue|Bull)(?:<[^>()]{{0,60}}>)?\(\s{{0,9}}{_NAME}"), _BULL),
    _Says("BullMQ", "sent", _JS, regex(rf"\bregisterQueue\(\s{{0,9}}\{{\s{{0,9}}name\s{{0,3}}:\s{{0,3}}{_NAME}")),
    _Says("BullMQ", "taken", _JS, regex(rf"\bnew Worker(?:<[^>()]{{0,60}}>)?\(\s{{0,9}}{_NAME}"), _BULL),
    _Says("BullMQ", "taken", _JS, regex(rf"@Processor\(\s{{0,9}}(?:\{{\s{{0,9}}name\s{{0,3}}:\s{{0,3}})?{_NAME}")),
    _Says("BullMQ", "open", _JS,
          regex(r"\bnew Worker(?:<[^>()]{0,60}>)?\(\s{0,9}[^\s\"']|@Processor\(\s{0,9}[^\s\"'{]|\.process\("), _BULL),
)  # fmt: skip
_WORDS = Words(
    "task_routes", "TASK_ROUTES", "beat_schedule", "BEAT_SCHEDULE", "apply_async", "queue=", "shared_task", ".task(",
    "send_task",
    "kombu", "task_default_queue", "TASK_DEFAULT_QUEUE", "CELERY_DEFAULT_QUEUE",
    "task_queues", "TASK_QUEUES", "CELERY_QUEUES", "worker_main", "onQueue(",
    "$queue", "$timeout", "retry_after", "supervisor-", "time_limit", "visibility_timeout",
    "rq", "sidekiq_options", "queue_as", "bull",
)  # fmt: skip
_CODE = (".py", ".php", ".rb", *_JS)
_CONFIGURED = regex(r"(?:^|/)(?:[\w.-]+\.(?:conf|ini|service|sh)|Procfile[\w.]*|entrypoint[\w.-]*|[\w.-]*cron[\w.-]*)$")
_LINE = regex(
    r"(?m)^[^#\n]{0,300}?\b(?:celery\b[^\n]{0,200}?\b(?:worker|beat)\b|schedule:(?:run|work)\b|"
    r"artisan[\"']?,?\s[\"']?(?:queue:(?:work|listen)|horizon)\b|"
    r"rq worker\b|rqworker\b|sidekiq\b)[^\n]{0,300}"
)
_HORIZON = regex(r"[\"']queue[\"']\s{0,9}=>\s{0,9}(?:\[(?P<list>[^\]]{0,500})\]|(?P<other>\S))")
_LITERAL = regex(r"[\"']([\w.:-]{1,80})[\"']")
_SIDEKIQ = regex(r"(?m)^[ \t]*-[ \t]*\[?[ \t]*[\"':]?([\w-]{1,80})")


def read(source: Source) -> Reading:
    """Every name of a queue in code and settings, tests left out, and each line of a file that starts a worker."""
    reading = Reading()
    for path in source.files:
        if path.endswith("config/horizon.php"):
            reading.records += [*_horizon(path, source.glance(path)), *_code(path, source.glance(path))]
        elif path.endswith(_CODE):
            if not is_aside(path) and _WORDS.any_in(text := source.glance(path)):
                reading.records += _code(path, text)
        elif path.endswith(("sidekiq.yml", "sidekiq.yaml")):
            reading.records += _sidekiq(path, source.glance(path))
        elif _CONFIGURED.search(path):
            text = source.glance(path)
            reading.records += (QueueName("", "line", match[0].strip(), location_at(path, text, match.start()))
                                for match in islice(_LINE.finditer(text), _MOST))  # fmt: skip
    return reading


def _code(path: str, text: str) -> Iterator[QueueName]:
    ending = posixpath.splitext(path)[1]
    for says in _SAYINGS:
        if ending not in says.endings or (says.needs and not says.needs.search(text)):
            continue
        for match in islice(says.pattern.finditer(text), _MOST):
            found = match.groupdict()
            name = found.get("name") or found.get("job") or found.get("seconds") or ""
            yield QueueName(says.system, says.role, name, location_at(path, text, match.end() - 1))


def _horizon(path: str, text: str) -> Iterator[QueueName]:
    """The queues of Horizon's supervisors, and that it is open where they aren't written out."""
    for match in islice(_HORIZON.finditer(text), _MOST):
        place = location_at(path, text, match.start())
        names = _LITERAL.findall(match["list"] or "")
        if match["other"] or "env(" in (match["list"] or ""):
            yield QueueName("Laravel", "open", "", place)
        yield from (QueueName("Laravel", "horizon", name, place) for name in names)


def _sidekiq(path: str, text: str) -> Iterator[QueueName]:
    begin = text.find("queues:")
    if "<%" in text:
        yield QueueName("Sidekiq", "open", "", location_at(path, text, 0))
    for match in islice(_SIDEKIQ.finditer(text, begin), _MOST) if begin >= 0 else ():
        yield QueueName("Sidekiq", "taken", match[1], location_at(path, text, match.start()))
