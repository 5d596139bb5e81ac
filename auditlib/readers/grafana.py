"""Reads what Grafana is provisioned with: data sources, dashboard providers and contact points.

Follows https://grafana.com/docs/grafana/latest/administration/provisioning/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.alerting import ContactPoint
from auditlib.inventory.dashboards import DashboardProvider, Datasource
from auditlib.model import Coverage, Location, Read
from auditlib.readers import reading, selection
from auditlib.readers.nodes import Entries, is_true, location, text
from auditlib.redaction import Vault
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "grafana"
_ALERTING = ("contactPoints", "policies", "muteTimes")
_ADDRESSES = frozenset({
    "addresses", "apiKey", "apiUrl", "bottoken", "chatid", "integrationKey", "token", "url", "userKey", "webhook_url",
})  # fmt: skip
"""The settings by which a contact point reaches someone."""
_OF_VERSION_0 = frozenset({
    "org_id", "org_name", "basic_auth", "basic_auth_user", "with_credentials", "is_default", "json_data",
    "secure_json_data",
})  # fmt: skip
_OF_VERSION_1 = frozenset({
    "orgId", "orgName", "basicAuth", "basicAuthUser", "withCredentials", "isDefault", "jsonData", "secureJsonData",
    "uid",
})  # fmt: skip
"""The fields of a data source that only one version of the format has, by which Grafana reads the whole file."""


def read(source: Source) -> reading.Reading:
    """The data sources and dashboard providers of every provisioning file."""
    files = selection.containing(
        source, selection.with_templates(*selection.YAML), "datasources:", "providers:", *_ALERTING
    )
    return reading.each(source, (file for file in files if _is_provisioning(source, file)), KIND, _read)


def _is_provisioning(source: Source, file: str) -> bool:
    try:
        return any(_is_provisioning_document(document) for document in selection.documents(source, file))
    except Unreadable:
        return "grafana" in file.lower() and "provisioning" in file.lower()


def _is_provisioning_document(document: Node) -> bool:
    return bool(_datasources(document) or _providers(document) or any(document.get(key) for key in _ALERTING))


def _datasources(document: Node) -> bool:
    """Other programs have `datasources` too; Grafana's have a type and an address, an access mode or a name."""
    found = document.get("datasources")
    return any(
        item.get("type") and any(item.get(key) for key in ("url", "access", "name"))
        for item in (found.elements() if found else ())
    )


def _providers(document: Node) -> bool:
    found = document.get("providers")
    return any(item.get("options", "path") for item in (found.elements() if found else ()))


def _read(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, KIND)
    for document in selection.documents(source, file):
        if _datasources(document):
            for item in entries.of(document, "datasources"):
                yield _datasource(item, source, file, _foreign(document))
        if _providers(document):
            for item in entries.of(document, "providers"):
                yield _provider(item, file)
        for point in entries.of(document, "contactPoints"):
            yield from _contact_points(point, entries, source.vault)
        for key in _ALERTING[1:]:
            if (found := document.get(key)) is not None:
                entries.problem(found, f"`{key}` of Grafana's own alerting is not read")
    yield from entries.problems
    if selection.is_template(file):
        yield Coverage(file, KIND, Read.PARTIAL, "is a template; it was read as if its expressions were words")


def _contact_points(node: Node, entries: Entries, vault: Vault) -> Iterator[ContactPoint]:
    for item in entries.of(node, "receivers"):
        settings = item.get("settings")
        judged = [(key.text, value) for key, value in (settings.items() if settings else ()) if key.text in _ADDRESSES]
        blank = [value for key, value in judged if vault.value(key, value.text).placeholder]
        place = location(blank[0] if blank else item, entries.file)
        yield ContactPoint(entries.file, text(node, "name"), text(item, "type"), bool(blank), place)


def _provider(node: Node, file: str) -> DashboardProvider:
    path, organisation = text(node, "options", "path"), text(node, "orgId") or "1"
    return DashboardProvider(file, text(node, "name"), path, location(node, file), organisation)


def _foreign(document: Node) -> frozenset[str]:
    """The fields that Grafana doesn't know in this file: those of the other version than its `apiVersion`."""
    return _OF_VERSION_1 if text(document, "apiVersion") in ("", "0") else _OF_VERSION_0


def _datasource(node: Node, source: Source, file: str, foreign: frozenset[str]) -> Datasource:
    return Datasource(
        file=file,
        name=text(node, "name"),
        type=text(node, "type"),
        uid=text(node, "uid"),
        url=source.vault.mask(text(node, "url")),
        default=is_true(node, "isDefault"),
        location=location(node, file),
        organisation=text(node, "orgId") or "1",
        user=text(node, "user") or text(node, "basicAuthUser"),
        database=text(node, "database") or text(node, "jsonData", "database"),
        links=tuple(_links(node.get("jsonData"), file)),
        foreign_fields=tuple((key.text, location(key, file)) for key, _ in node.items() if key.text in foreign),
    )


def _links(settings: Node | None, file: str) -> Iterator[tuple[str, str, Location]]:
    """The data sources that the settings of one lead to, from a line of a log to its trace and the like."""
    for key, value in settings.items() if settings else ():
        for entry in value.elements() if value.is_sequence else (value,):
            named = entry.get("datasourceUid")
            if named is not None and named.text:
                yield key.text, named.text, location(named, file)
