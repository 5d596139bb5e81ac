"""A receiver of Alertmanager has no real address yet.

It still has the example's, or none at all. The configuration loads, Alertmanager starts, alerts fire, and each
notification fails or goes to an address that belongs to nobody. It is noticed in the first outage.

Anti-pattern:

    slack_configs:
      - api_url: https://hooks.slack.com/services/YOUR/SLACK/WEBHOOK
        channel: "#your-channel"

Better:

    slack_configs:
      - api_url_file: /run/secrets/slack_webhook_url
        channel: "#operations"

Recommendation:

    Put the real address in, from a secret file, and send one test alert (`amtool alert add`) to see it arrive.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings
- https://www.rfc-editor.org/rfc/rfc2606
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib.conventions import environments, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import ContactPoint, Integration, Receiver
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed, specified
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NEEDS_ADDRESS = {
    "discord": "webhook_url_file", "msteams": "webhook_url_file", "opsgenie": "api_key_file",
    "pagerduty": "routing_key_file", "slack": "api_url_file", "webhook": "url_file",
}  # fmt: skip
"""The integrations that have to name an address or a key, by themselves or in the global settings."""
_OF_URL = frozenset({"discord", "msteams", "slack", "webhook"})
_WORD = regex(r"[A-Za-z][\w-]+")
_TO = "to: <who is to be told>"
_SERVER = "\n        from: <sender>\n        smarthost: <mail server>:587\n        auth_username: <its user>"
_LOGIN = "\n        auth_password_file: /run/secrets/{}_password"
_PLAIN = regex(r"(?!(?:null|true|false|yes|no|on|off|y|n)$)[A-Za-z][\w.-]*", re.I)
"""Names that YAML takes for text without quotes."""
_NOBODY = regex(r"null|none|no-?op|nobody|black-?hole|dev-?null|silent|quiet|ignore", re.I)
"""Names of receivers that are empty by intention, until somebody fills in another."""
_SECRET = regex(r"/run/secrets/([\w.-]+)")
_UNKNOWN = "<the real address, or the file that holds it>"

_OF_ALERTS = regex(r"\{\{-?\s*(?:\.|range\b|template\b|end\b)[^}]*\}\}")
"""Templates that Alertmanager itself fills in, from the labels of the alerts (`{{ .GroupLabels.team }}`)."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with placeholders, or without any address; a template is there to be filled in."""
    found: defaultdict[str, list[tuple[Receiver, Integration]]] = defaultdict(list)
    for receiver in inventory.receivers:
        for item in receiver.integrations:
            if _is_blank(item) and not monitoring.is_template(receiver.file, _OF_ALERTS.sub("", item.endpoint)):
                found[receiver.file].append((receiver, item))
    for file, items in found.items():
        if not environments.is_for_development(file):
            yield _evidence(inventory, file, items)
    yield from _unaddressed(inventory)
    yield from _of_grafana(inventory)
    for file in dict.fromkeys(receiver.file for receiver in inventory.receivers):
        empty = [receiver for receiver in inventory.receivers if receiver.file == file]
        addressed = any(receiver.integrations for receiver in empty) or monitoring.is_template(file)
        if not addressed and not environments.is_for_development(file):
            yield _empty(inventory, file, empty)


def _of_grafana(inventory: Inventory) -> Iterator[Evidence]:
    """For each file the contact points of Grafana that reach nobody yet."""
    found: defaultdict[str, list[ContactPoint]] = defaultdict(list)
    for point in inventory.contact_points:
        if (
            point.placeholder
            and not monitoring.is_template(point.file)
            and not environments.is_for_development(point.file)
        ):
            found[point.file].append(point)
    for file, points in found.items():
        intact = any(item.file == file and not item.placeholder for item in inventory.contact_points)
        names = list(dict.fromkeys(specified(item.name, item.kind) for item in points))
        yield Evidence(
            f"{listed(names)} still {'has' if len(names) == 1 else 'have'} a placeholder in the address that Grafana's "
            "alerts go to.",
            points[0].location,
            subject="contact points",
            related=tuple(Related(item.location, f"the address of {item.name}", member=True) for item in points[1:]),
            recommendation=f"Let {file} take the address of {names[0]} from a variable, and send a test alert.",
            severity=Severity.MEDIUM if intact else None,
            example=files.into(file, f"settings:  # of {points[0].name}\n  <the address>: $<A_VARIABLE_OF_GRAFANA>"),
        )


def _unaddressed(inventory: Inventory) -> Iterator[Evidence]:
    """Integrations that Alertmanager refuses, since neither they nor the global settings say where to send."""
    for receiver in inventory.receivers:
        bare = [item for item in receiver.integrations if item.kind in _NEEDS_ADDRESS and not item.endpoint_location]
        if bare and not monitoring.is_template(receiver.file) and not environments.is_for_development(receiver.file):
            yield Evidence(
                f"{specified(receiver.name, bare[0].kind)} names no address, and the global settings have none: "
                "Alertmanager refuses to start.",
                bare[0].location,
                subject=f"{receiver.name}/address",
                related=tuple(
                    Related(item.location, f"{item.kind} has no address either", member=True) for item in bare[1:]
                ),
                recommendation=f"Give the {bare[0].kind} integration of {receiver.name} its "
                f"`{_NEEDS_ADDRESS[bare[0].kind]}` in {receiver.file}.",
                example=_with_secrets(inventory, receiver.file, _addressed(receiver.name, bare[0].kind)),
            )


def _empty(inventory: Inventory, file: str, receivers: list[Receiver]) -> Evidence:
    names = listed(receiver.name for receiver in receivers)
    sibling = _sibling(inventory, file)
    meant = bool(sibling) or receivers[0].explained or all(_NOBODY.fullmatch(receiver.name) for receiver in receivers)
    return Evidence(
        f"No receiver of {file} ({names}) has an integration, so that no alert reaches anybody.",
        receivers[0].location,
        subject="receivers",
        related=tuple(
            Related(receiver.location, f"{receiver.name} is empty too", member=True) for receiver in receivers[1:]
        ),
        recommendation=f"Give {receivers[0].name} in {file} a mailbox, a channel or a webhook"
        f"{f', as {sibling} shows' if sibling else ''}.",
        severity=Severity.MEDIUM if meant else None,
        example=_with_secrets(inventory, file, _addressed(receivers[0].name, "email")),
    )


def _with_secrets(inventory: Inventory, file: str, lines: str) -> str:
    """These lines, and those by which Compose gives the files with secrets to the Alertmanager that reads them."""
    names = list(dict.fromkeys(_SECRET.findall(lines)))
    readers = [item for item in monitoring.runners(inventory, file) if item.build is None]
    if not readers or not set(names) - set(readers[0].secrets):
        return lines
    given = compose_lines.of_service(readers[0], f"secrets: [{', '.join(names)}]")
    made = "".join(f"\n  {name}: {{file: ./secrets/{name}}}  # and secrets/ in .gitignore" for name in names)
    added = f"services:\n{textwrap.indent(given, '  ')}\nsecrets:{made}"
    return f"{files.into(file, lines)}\n{files.into(readers[0].location.file, added)}"


def _sibling(inventory: Inventory, file: str) -> str:
    """A file beside it that shows a filled-in one: `alertmanager.yml.example`."""
    stem, _, ending = file.rpartition(".")
    wanted = (f"{file}.example", f"{file}.sample", f"{stem}.example.{ending}", f"{stem}.sample.{ending}")
    return next((path for path in wanted if path in inventory.files), "")


def _evidence(inventory: Inventory, file: str, items: list[tuple[Receiver, Integration]]) -> Evidence:
    names = [specified(receiver.name, item.kind) for receiver, item in items]
    places = list(dict.fromkeys((_place(item), receiver.name) for receiver, item in items))
    intact = {
        receiver.name
        for receiver in inventory.receivers
        if receiver.file == file and any(not _is_blank(item) for item in receiver.integrations)
    }
    elsewhere = _is_read_elsewhere(inventory, file)
    doubt = ", unless the copy outside of the repository that Alertmanager reads is another" if elsewhere else ""
    none_left = "" if intact else f" No other receiver is left, so that no alert reaches anybody{doubt}."
    refused = any(_is_no_url(item) for _, item in items)
    if refused:
        none_left = f" That is no URL, so that Alertmanager refuses {file} as a whole{doubt}."
    elif any(item.file == file and item.placeholder for item in inventory.alertmanager_refusals):
        none_left = f" A `chat_id` that is no number has Alertmanager refuse {file} as a whole{doubt}."
        refused = True
    filled = all(not item.placeholder for _, item in items)
    what = "an empty password for the mail server" if filled else "a placeholder in the address that alerts go to"
    return Evidence(
        f"{listed(names)} still {'has' if len(names) == 1 else 'have'} {what}.{none_left}",
        places[0][0],
        subject="receivers",
        related=tuple(Related(place, f"the address of {name}", member=True) for place, name in places[1:]),
        recommendation=_step(file, names, items),
        severity=Severity.MEDIUM if (intact and not refused) or elsewhere else None,
        confidence=Confidence.MEDIUM if elsewhere else None,
        example=_with_secrets(
            inventory,
            file,
            _together(_addressed(receiver.name, item.kind, item.host) for receiver, item in items),
        ),
    )


def _is_no_url(item: Integration) -> bool:
    """Whether a word stands where Alertmanager demands a URL; what it may read from a file or leave empty is none."""
    return item.kind in _OF_URL and bool(_WORD.fullmatch(item.endpoint))


def _is_read_elsewhere(inventory: Inventory, file: str) -> bool:
    """Whether the Alertmanager that runs mounts its configuration from a place outside of the repository."""
    managers = services.of_product(inventory, "Alertmanager")
    mounted = (mount for item in managers for mount in item.mounts if mount.outside and "alertmanager" in mount.target)
    return any(mounted) and not monitoring.runners(inventory, file)


def _together(receivers: Iterable[str]) -> str:
    """Several receivers in one list."""
    return "receivers:" + "".join(dict.fromkeys(text.removeprefix("receivers:") for text in receivers))


def _step(file: str, names: list[str], items: list[tuple[Receiver, Integration]]) -> str:
    """The first step; a mailbox, unlike a token, can't be read from a file."""
    if all(item.kind == "email" for _, item in items):
        return f"Write the real addresses of {listed(names)} into {file}, and send a test alert."
    secret = f"Let {file} read the addresses of {listed(names)} from secret files that Git ignores"
    return f"{secret}, and send a test alert."


def _addressed(receiver: str, kind: str, server: str = "") -> str:
    """A receiver whose address, or password, is in a file that is no part of the repository."""
    field = {**_NEEDS_ADDRESS, "telegram": "bot_token_file", "victorops": "api_key_file"}.get(kind)
    word = re.sub(r"[^\w.-]+", "-", receiver)
    mail = f"{_TO}{'' if server else _SERVER}{_LOGIN.format(word)}" if kind == "email" else _UNKNOWN
    lines = f"{field}: /run/secrets/{word}_{field.removesuffix('_file')}" if field else mail
    name = receiver if _PLAIN.fullmatch(receiver) else f'"{receiver}"'
    return f"receivers:\n  - name: {name}\n    {kind}_configs:\n      - {lines}"


def _is_blank(item: Integration) -> bool:
    """Whether something that a notification needs is still to be filled in."""
    return item.placeholder or item.lacks_password


def _place(item: Integration) -> Location:
    return item.endpoint_location or item.location
