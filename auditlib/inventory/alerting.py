"""Records of Alertmanager: what it is told to send, to whom, and what it keeps quiet."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.monitoring import LabelMatcher
from auditlib.model import Location


class Integration(Struct, frozen=True):
    """One way in which a receiver reaches someone: `kind` is `email`, `slack`, `webhook` …; the endpoint is masked."""

    kind: str
    endpoint: str
    host: str
    """The host of the endpoint's URL, or of the mail server; empty where there is none."""
    placeholder: bool
    location: Location
    endpoint_location: Location | None = None
    """Where the endpoint stands, in the receiver or in the global settings; None if there is no endpoint at all."""
    foreign_fields: tuple[tuple[str, Location], ...] = ()
    """The fields that no version of Alertmanager has in such an integration, with their places."""
    lacks_password: bool = False
    """Whether the mail server's user has an empty password."""
    host_location: Location | None = None
    """Where the host stands; of mail often in the global settings."""
    credential_variables: tuple[tuple[str, Location], ...] = ()
    """The variables (`${TOKEN}`) that stand in the place of a password or token of its requests."""
    address_variables: tuple[tuple[str, Location], ...] = ()
    """The variables in the address of the mail server and of the sender."""


class Receiver(Struct, frozen=True):
    """A receiver of Alertmanager."""

    file: str
    name: str
    integrations: tuple[Integration, ...]
    location: Location
    explained: bool = False
    """Whether a comment of the file speaks of receivers and the like, so that an empty one is no oversight."""


class ContactPoint(Struct, frozen=True):
    """An integration of a contact point of Grafana's own alerting; `kind` is `slack`, `email`, `webhook` …"""

    file: str
    name: str
    kind: str
    placeholder: bool
    """Whether what says whom it reaches is still to be filled in."""
    location: Location


class Route(Struct, frozen=True):
    """A node of Alertmanager's routing tree, in depth-first order; the root has depth 0."""

    file: str
    receiver: str
    """Inherited from the parent where the file gives none."""
    matchers: tuple[LabelMatcher, ...]
    depth: int
    continues: bool
    location: Location
    blank: str = ""
    """The key of matchers (`match_re`) that stands there with nothing after its colon."""


class AlertmanagerRefusal(Struct, frozen=True):
    """Something for which Alertmanager refuses its configuration; `key` is where it stands, `what` what is wrong."""

    file: str
    key: str
    what: str
    location: Location
    placeholder: bool = False
    """Whether a placeholder is what is wrong."""
    known: tuple[str, ...] = ()
    """The names that could be meant."""


class TemplateUse(Struct, frozen=True):
    """A template of notifications that a receiver names and that Alertmanager doesn't bring itself."""

    file: str
    receiver: str
    name: str
    patterns: tuple[str, ...]
    """The paths in which the configuration has templates looked for."""
    defined_in: tuple[str, ...]
    """The files of the repository that define it."""
    location: Location


class InhibitRule(Struct, frozen=True):
    """A rule of Alertmanager by which one alert keeps another quiet; `equal` are the labels that both must share."""

    file: str
    source: tuple[LabelMatcher, ...]
    target: tuple[LabelMatcher, ...]
    equal: tuple[str, ...]
    location: Location
