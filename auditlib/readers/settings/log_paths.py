"""Files that Python code writes its log to, as far as a literal names them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from auditlib.inventory.configuration import LogFile, UnrotatedLog
from auditlib.patterns import regex
from auditlib.readers.python_code import Module, argument
from auditlib.readers.python_paths import literal_path

_PATH = regex(r"[\w.{}~/\\:-]*[\w}]\.log(?:\.jsonl?)?")
_OF_OTHERS = regex(
    r"/var/log/(?:(?:nginx|apache2|httpd|caddy|traefik|haproxy|postgresql|mysql|mariadb|redis|mongodb|rabbitmq|audit|apt|"
    r"journal|letsencrypt)/|(?:syslog|auth|kern|cron|daemon|dpkg|mail|secure|messages|fail2ban|ufw|pods|containers)\b)"
)
"""Logs that other programs write where distributions have them do so: code that names one reads it."""
_HANDLERS = frozenset({
    "FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler",
    "ConcurrentRotatingFileHandler",
})  # fmt: skip
_PLAIN_HANDLER = "logging.FileHandler"
_NO_FILES = frozenset({
    "getLogger", "get_logger", "endswith", "startswith", "glob", "rglob", "import_module", "compile", "match",
})  # fmt: skip
"""Calls whose arguments look like a log file and are none: names of loggers, endings, patterns."""


def read_log_files(module: Module) -> Iterator[LogFile]:
    """Every place that names a log file, each path once a line."""
    seen: set[tuple[str, int]] = set()
    for path, node in _paths(module):
        if _OF_OTHERS.match(path):
            continue
        location = module.location(node)
        if (path, location.line) not in seen:
            seen.add((path, location.line))
            yield LogFile(path, location)


def read_unrotated_logs(module: Module) -> Iterator[UnrotatedLog]:
    """Every `logging.FileHandler`, called or named in a configuration; its relatives rotate, or let another program."""
    for node in module.nodes:
        called = isinstance(node, ast.Call) and module.origin(node.func) == _PLAIN_HANDLER
        named = isinstance(node, ast.Constant) and node.value == _PLAIN_HANDLER
        if isinstance(node, ast.expr) and (called or named):
            yield UnrotatedLog(module.location(node))


def _paths(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """Paths from the outside in, so that a part of a joined path is not taken for a path of its own."""
    inner: set[int] = {id(text) for text in _prose(module)}
    for node in module.nodes:  # breadth first: what joins comes before what is joined
        if id(node) in inner or not isinstance(node, (ast.Constant, ast.BinOp, ast.Call, ast.JoinedStr)):
            continue
        name = _called(node)
        if name in _NO_FILES and isinstance(node, ast.Call):
            inner.update(id(item) for item in node.args)
        elif name in _HANDLERS and isinstance(node, ast.Call):
            given = argument(node, 0, "filename")
            path = literal_path(module, given) if given is not None else ""
            if given is not None and path:
                inner.update(id(item) for item in ast.walk(given))
                yield path, node
        elif _PATH.fullmatch(path := literal_path(module, node)):
            inner.update(id(item) for item in ast.walk(node))
            yield path, node


def _called(node: ast.expr) -> str:
    """The last name of what is called; empty for what is no call."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _prose(module: Module) -> Iterator[ast.expr]:
    """Docstrings, and what a string is compared with."""
    for node in module.nodes:
        if isinstance(node, ast.Expr):
            yield node.value
        elif isinstance(node, ast.Compare):
            yield from (node.left, *node.comparators)
