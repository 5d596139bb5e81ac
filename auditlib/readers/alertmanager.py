"""Reads Alertmanager: the routing tree and the receivers, endpoints masked.

Follows https://prometheus.io/docs/alerting/latest/configuration/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from auditlib.inventory.alerting import InhibitRule, Integration, Receiver, Route
from auditlib.inventory.monitoring import LabelMatcher
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers import alertmanager_refusals, reading, selection
from auditlib.readers.nodes import Entries, is_true, location, pairs, text
from auditlib.redaction import Vault
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "alertmanager"
ROUTE_LIMIT = 10_000

_MATCHER = regex(
    r"""\s*(?P<name>"[^"]*"|[^\s=!~{},"]{1,200})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>"(?:\\.|[^"\\])*"|[^,}]*)"""
)
_ENDPOINTS: dict[str, tuple[tuple[str, ...], str]] = {
    "discord": (("webhook_url", "webhook_url_file"), ""),
    "email": (("to",), ""),
    "incidentio": (("url", "url_file"), ""),
    "jira": (("api_url",), "jira_api_url"),
    "mattermost": (("webhook_url", "webhook_url_file"), "mattermost_webhook_url"),
    "msteams": (("webhook_url", "webhook_url_file"), ""),
    "msteamsv2": (("webhook_url", "webhook_url_file"), ""),
    "opsgenie": (("api_key", "api_key_file"), "opsgenie_api_key"),
    "pagerduty": (("routing_key", "service_key", "routing_key_file", "service_key_file"), ""),
    "pushover": (("user_key", "user_key_file"), ""),
    "rocketchat": (("channel", "token_id", "token_id_file"), "rocketchat_token_id"),
    "slack": (("api_url", "api_url_file", "app_token", "app_token_file"), "slack_api_url"),
    "sns": (("topic_arn", "target_arn", "phone_number"), ""),
    "telegram": (("bot_token", "bot_token_file"), "telegram_bot_token"),
    "victorops": (("api_key", "api_key_file"), "victorops_api_key"),
    "webex": (("room_id",), ""),
    "webhook": (("url", "url_file"), ""),
    "wechat": (("api_secret", "api_secret_file"), "wechat_api_secret"),
}
"""Of each integration the keys that say whom it reaches, and the global setting that stands in for them."""

_JUDGED = (
    "api_key", "api_secret", "api_url", "app_token", "bot_token", "channel", "chat_id", "from", "room_id",
    "routing_key", "service_key", "smarthost", "to", "token", "topic_arn", "url", "user_key", "webhook_url",
)  # fmt: skip
"""The keys in which a placeholder means that nobody is reached."""
_FOREIGN: dict[str, frozenset[str]] = {
    "email": frozenset({
        "body", "host", "message", "password", "port", "recipients", "server", "smtp_auth_password",
        "smtp_auth_username", "smtp_from", "smtp_require_tls", "smtp_smarthost", "subject", "title", "username",
    }),
    "slack": frozenset({"body", "message", "subject", "url", "webhook_url"}),
    "webhook": frozenset({"api_url", "body", "channel", "headers", "message", "method", "text", "title"}),
}  # fmt: skip
"""Fields that are written into integrations by mistake, and that no version of Alertmanager has."""
_BOT_TOKEN = regex(r"\d+:[\w-]{30,}|.*(?:\$|\{\{|<%).*", re.S)
"""How Telegram writes its tokens (https://core.telegram.org/bots/api#authorizing-your-bot), or an expression."""
_PORT_IN_WORDS = regex(r":[A-Za-z]+$")
"""A mail server as a template has it: `ip:port`."""
_CREDENTIALS = frozenset({"auth_password", "auth_secret", "bearer_token", "client_secret", "credentials", "password"})
_EXPLAINS = regex(r"(?im)^[^\n\"'#]*#[^\n]*\b(?:receivers?|notif\w*|slack|e-?mail|webhook|chat)\b")
"""A comment on the way to people."""
_VARIABLE = regex(
    r"\$\{[A-Z][A-Z0-9_]+\}|\$[A-Z][A-Z0-9_]{2,}|\{\{-?\s{0,9}(?:\.Env\.\w{1,80}|env\s{1,9}[\"'`]\w{1,80}[\"'`])\s{0,9}-?\}\}"
)
"""A variable of the environment as shells and the templates of other programs name it."""
_OF_MAIL = (("from", "smtp_from"), ("smarthost", "smtp_smarthost"))
"""Without which no mail is sent: the keys of a receiver, each with the global setting that stands in for it."""
_OF_LOGIN = (("auth_username", "smtp_auth_username"), ("auth_password", "smtp_auth_password"))
_OF_DOCUMENTS = regex(r"(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}|2001:db8:[\da-f:]*")
"""Addresses that no network has (https://www.rfc-editor.org/rfc/rfc5737, https://www.rfc-editor.org/rfc/rfc3849)."""
_BLANK_CHANNEL = regex(r"(?i)\byour\b|<[^>]+>|xxx|placeholder|change[-_ ]?me|replace[-_ ]?me|todo|\bexample\b")


def read(source: Source) -> reading.Reading:
    """The routes and receivers of every Alertmanager configuration."""
    files = selection.containing(source, selection.with_templates(*selection.YAML), "receivers")
    return reading.each(source, (file for file in files if _is_alertmanager(source, file)), KIND, _read)


def _is_alertmanager(source: Source, file: str) -> bool:
    try:
        return any(_is_configuration(document) for document in selection.documents(source, file))
    except Unreadable:
        return "alertmanager" in file.lower()


def _is_configuration(document: Node) -> bool:
    """A collector has `receivers` too, but no `route`."""
    return bool(document.get("receivers") and document.get("route"))


def _read(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, KIND)
    explained = bool(_EXPLAINS.search(source.text(file)))
    for document in selection.documents(source, file):
        if not _is_configuration(document):
            continue
        yield from _routes(document, entries, source.vault)
        yield from _inhibitions(document, entries, source.vault)
        yield from alertmanager_refusals.of(document, entries, source.vault)
        yield from alertmanager_refusals.templates(document, entries, source)
        settings = document.get("global")
        for receiver in entries.of(document, "receivers"):
            yield Receiver(
                file=file,
                name=text(receiver, "name"),
                integrations=tuple(_integrations(receiver, settings, entries, source.vault)),
                location=location(receiver, file),
                explained=explained,
            )
    yield from entries.problems
    if selection.is_template(file):
        yield Coverage(file, KIND, Read.PARTIAL, "is a template; it was read as if its expressions were words")


def _routes(document: Node, entries: Entries, vault: Vault) -> Iterator[Route]:
    """The routing tree, depth first."""
    root = document.get("route")
    if root is None or not root.is_mapping:
        entries.problem(root or document, "`route` is no mapping")
        return
    stack: list[tuple[Node, str, int]] = [(root, "", 0)]
    for _ in range(ROUTE_LIMIT):
        if not stack:
            return
        node, inherited, depth = stack.pop()
        receiver = text(node, "receiver") or inherited
        yield Route(
            file=entries.file,
            receiver=receiver,
            matchers=_matchers(node, entries, vault),
            depth=depth,
            continues=is_true(node, "continue"),
            location=location(node, entries.file),
            blank=_blank(node),
        )
        stack.extend((child, receiver, depth + 1) for child in reversed(entries.of(node, "routes")))
    entries.problem(root, f"has more than {ROUTE_LIMIT} routes; the rest was left out")


def _blank(node: Node) -> str:
    """A key of matchers with nothing after its colon; who writes `[]` or `{}` means it."""
    found = ((key, node.get(key)) for key in ("matchers", "match", "match_re"))
    return next((key for key, value in found if value and value.kind == "scalar" and not value.text), "")


def _inhibitions(document: Node, entries: Entries, vault: Vault) -> Iterator[InhibitRule]:
    for node in entries.of(document, "inhibit_rules"):
        yield InhibitRule(
            file=entries.file,
            source=_matchers(node, entries, vault, "source_"),
            target=_matchers(node, entries, vault, "target_"),
            equal=tuple(item.text for item in entries.scalars(node.get("equal"))),
            location=location(node, entries.file),
        )


def _matchers(node: Node, entries: Entries, vault: Vault, side: str = "") -> tuple[LabelMatcher, ...]:
    """The matchers of a route, in the present syntax (`matchers`) and in the two former ones (`match`, `match_re`)."""
    found = [LabelMatcher(name, "=", value) for name, value in pairs(node.get(f"{side}match"), vault)]
    found += [LabelMatcher(name, "=~", value) for name, value in pairs(node.get(f"{side}match_re"), vault)]
    for item in entries.scalars(node.get(f"{side}matchers")):
        parsed = [replace(each, value=vault.value(each.name, each.value).text) for each in _parsed(item.text)]
        if not parsed and item.text.strip(" {}"):
            entries.problem(item, "a matcher is not of the form name=value")
        found += parsed
    return tuple(found)


def _parsed(matchers: str) -> Iterator[LabelMatcher]:
    for match in _MATCHER.finditer(matchers.strip().removeprefix("{")):
        value = match["value"].strip()
        yield LabelMatcher(match["name"].strip('"'), match["operator"], _unquoted(value))


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _integrations(receiver: Node, settings: Node | None, entries: Entries, vault: Vault) -> Iterator[Integration]:
    for key, _ in receiver.items():
        kind = key.text.removesuffix("_configs")
        if kind == key.text:
            continue
        if kind not in _ENDPOINTS:
            entries.problem(key, f"`{key.text}` is no integration that this reader knows")
        for config in entries.of(receiver, key.text):
            yield _integration(kind, config, settings, entries.file, vault)


def _integration(kind: str, config: Node, settings: Node | None, file: str, vault: Vault) -> Integration:
    key, endpoint = _endpoint(kind, config, settings)
    server = _mail_server(config, settings) if kind == "email" else None
    address = server or _first(config, ("api_url", "url", "webhook_url")) or endpoint
    host = _host(address.text) if address else ""
    return Integration(
        kind=kind,
        endpoint=vault.value(key, endpoint.text).text if endpoint else "",
        host=host,
        placeholder=_is_placeholder(config, [endpoint, server], vault) or bool(_OF_DOCUMENTS.fullmatch(host)),
        location=location(config, file),
        endpoint_location=_place(endpoint, file),
        host_location=_place(address, file),
        foreign_fields=tuple(
            (name.text, location(name, file)) for name, _ in config.items() if name.text in _FOREIGN.get(kind, ())
        ),
        lacks_password=kind == "email" and _lacks_password(config, settings),
        credential_variables=tuple(_credential_variables(kind, config, settings, file)),
        address_variables=tuple(
            (match[0], location(node, file))
            for node in (_settings(config, settings, _OF_MAIL) if kind == "email" else ())
            if (match := _VARIABLE.search(node.text))
        ),
    )


def _credential_variables(kind: str, config: Node, settings: Node | None, file: str) -> Iterator[tuple[str, Location]]:
    """The variables that stand in the place of passwords: in the integration, of mail in the global settings too."""
    for node in config.walk():
        for key, value in node.items() if node.is_mapping else ():
            if key.text in _CREDENTIALS and _VARIABLE.fullmatch(value.text):
                yield value.text, location(value, file)
    for node in _settings(None, settings, _OF_LOGIN) if kind == "email" else ():
        if _VARIABLE.fullmatch(node.text):
            yield node.text, location(node, file)


def _settings(config: Node | None, settings: Node | None, keys: tuple[tuple[str, str], ...]) -> Iterator[Node]:
    """What an integration says for each of the keys, or the global settings for it."""
    for own, default in keys:
        node = (config.get(own) if config else None) or (settings.get(default) if settings else None)
        if node is not None:
            yield node


def _endpoint(kind: str, config: Node, settings: Node | None) -> tuple[str, Node | None]:
    """What says whom an integration reaches, by its own keys or by the global setting, with the key's name."""
    keys, default = _ENDPOINTS.get(kind, (("url", "webhook_url", "api_url", "api_key", "token"), ""))
    for key in keys:
        if (found := config.get(key)) is not None:
            return key, found
    for key in (default, f"{default}_file") if default and settings else ():
        if settings and (found := settings.get(key)) is not None:
            return key, found
    return "", None


def _mail_server(config: Node, settings: Node | None) -> Node | None:
    return config.get("smarthost") or (settings.get("smtp_smarthost") if settings else None)


def _lacks_password(config: Node, settings: Node | None) -> bool:
    """Whether a mail server's user is named and the password is left empty; Alertmanager then sends nothing."""
    user, password = (
        config.get(f"auth_{key}") or (settings.get(f"smtp_auth_{key}") if settings else None)
        for key in ("username", "password")
    )
    return bool(user and user.text.strip()) and password is not None and not password.text.strip()


def _first(node: Node, keys: tuple[str, ...]) -> Node | None:
    return next((found for key in keys if (found := node.get(key)) is not None), None)


def _place(node: Node | None, file: str) -> Location | None:
    return location(node, file) if node else None


def _host(address: str) -> str:
    """The host of a URL or of a `host:port`; empty for anything else."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or "" if _is_address(address) else ""
    except ValueError:
        return ""


def _is_address(text: str) -> bool:
    return "://" in text or bool(re.fullmatch(r"[\w.-]+:\d+", text))


def _is_placeholder(config: Node, others: list[Node | None], vault: Vault) -> bool:
    """Whether a part that says whom to reach is still to be filled in."""
    nodes = [(key.text, value) for key, value in config.items() if key.text in _JUDGED]
    nodes += [("", node) for node in others if node]
    named = bool(others[-1] and _PORT_IN_WORDS.search(others[-1].text))
    return named or any(not node.text.strip() or _says_so(key, node.text, vault) for key, node in nodes)


def _says_so(key: str, written: str, vault: Vault) -> bool:
    """Whether a value is a placeholder; a channel may be called `#changes`, so its name has to say more."""
    if key == "bot_token" and not _BOT_TOKEN.fullmatch(written.strip()):
        return True
    return vault.value(key, written).placeholder and (key != "channel" or bool(_BLANK_CHANNEL.search(written)))
