"""What Alertmanager refuses in its configuration, and which templates of notifications its receivers name.

Follows https://prometheus.io/docs/alerting/latest/configuration/ and what its code checks when it loads a file.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.alerting import AlertmanagerRefusal, TemplateUse
from auditlib.patterns import regex
from auditlib.readers.nodes import Entries, location, text
from auditlib.redaction import Vault
from auditlib.source import Source
from auditlib.yamltree import Node

_MATCHERS = ("matchers", "match", "match_re")
_TIMES = ("mute_time_intervals", "active_time_intervals")
_FILLED = ("$", "{{", "TEMPLATE", "__")
"""What a value holds that something fills in before Alertmanager reads it."""
_OF_MAIL = (("smarthost", "smtp_smarthost"), ("from", "smtp_from"))
_ROUTES = 10_000
_TEMPLATE = regex(r"\{\{-?\s*template\s+[\"'](?P<name>[^\"'\n]{1,200})[\"']")
_DEFINE = regex(r"\{\{-?\s*define\s+[\"'](?P<name>[^\"'\n]{1,200})[\"']")
_TEMPLATES = ("*.tmpl", "*.tpl", "*.gotmpl", "*.gohtml", "*.template", "*.html", "*.txt")


def of(document: Node, entries: Entries, vault: Vault) -> Iterator[AlertmanagerRefusal]:
    """Everything in one configuration for which Alertmanager doesn't start."""
    file, root = entries.file, document.get("route")
    if root is not None and root.is_mapping:
        yield from _of_root(root, file)
        yield from _of_times(document, root, entries)
    for receiver in entries.of(document, "receivers"):
        for config in entries.of(receiver, "telegram_configs"):
            yield from _of_chat(config, file, vault)
        for config in entries.of(receiver, "email_configs"):
            yield from _of_mail(config, document.get("global"), file)


def _of_root(root: Node, file: str) -> Iterator[AlertmanagerRefusal]:
    if not text(root, "receiver"):
        yield AlertmanagerRefusal(file, "route.receiver", "the first route names no receiver", location(root, file))
    for key, value in root.items():
        if key.text in _MATCHERS and (value.items() if value.is_mapping else value.texts()):
            what = f"the first route has `{key.text}`, and may have none"
            yield AlertmanagerRefusal(file, f"route.{key.text}", what, location(key, file))


def _of_times(document: Node, root: Node, entries: Entries) -> Iterator[AlertmanagerRefusal]:
    """The spans of time that a route names and nothing defines."""
    sections = ("time_intervals", "mute_time_intervals")
    defined = tuple(text(item, "name") for key in sections for item in entries.of(document, key))
    stack = [root]
    for _ in range(_ROUTES):
        if not stack:
            return
        node = stack.pop()
        for item in (item for key in _TIMES for item in entries.scalars(node.get(key))):
            if item.text not in defined and not any(sign in item.text for sign in _FILLED):
                what = f"the span of time `{item.text}` isn't defined"
                yield AlertmanagerRefusal(entries.file, item.text, what, location(item, entries.file), known=defined)
        stack.extend(reversed(entries.of(node, "routes")))


def _of_chat(config: Node, file: str, vault: Vault) -> Iterator[AlertmanagerRefusal]:
    chat = config.get("chat_id")
    if chat is None:
        if not config.get("chat_id_file"):
            yield AlertmanagerRefusal(
                file, "chat_id", "a Telegram integration has no `chat_id`", location(config, file)
            )
    elif not isinstance(chat.value, int) and not any(sign in chat.text for sign in _FILLED):
        quoted = chat.text.lstrip("-").isdecimal()
        what = "a number in quotes" if quoted else "no number"
        blank = not quoted and vault.value("chat_id", chat.text).placeholder
        yield AlertmanagerRefusal(file, "chat_id", f"a `chat_id` of Telegram is {what}", location(chat, file), blank)


def _of_mail(config: Node, settings: Node | None, file: str) -> Iterator[AlertmanagerRefusal]:
    for own, default in _OF_MAIL:
        if config.get(own) is None and (settings is None or settings.get(default) is None):
            what = f"mail has neither `{own}` nor `{default}` of the global settings"
            yield AlertmanagerRefusal(file, own, what, location(config, file))


def templates(document: Node, entries: Entries, source: Source) -> Iterator[TemplateUse]:
    """The templates that receivers name, apart from those that Alertmanager brings."""
    patterns = tuple(item.text for item in entries.scalars(document.get("templates")))
    defined: dict[str, list[str]] | None = None
    for receiver in entries.of(document, "receivers"):
        seen = {name for node in receiver.walk() if node.kind == "scalar" for name in _DEFINE.findall(node.text)}
        for node in receiver.walk():
            for name in _TEMPLATE.findall(node.text) if node.kind == "scalar" and "template" in node.text else ():
                if name in seen or name.startswith("__") or ".default." in name:
                    continue
                seen.add(name)
                defined = _defined(source) if defined is None else defined
                found = tuple(defined.get(name, ()))
                place = location(node, entries.file)
                yield TemplateUse(entries.file, text(receiver, "name"), name, patterns, found, place)


def _defined(source: Source) -> dict[str, list[str]]:
    """By the name of a template the files that define it."""
    found: dict[str, list[str]] = {}
    for file in source.matching(*_TEMPLATES):
        written = source.glance(file)
        for name in _DEFINE.findall(written) if "define" in written else ():
            found.setdefault(name, []).append(file)
    return found
