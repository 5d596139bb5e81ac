"""How the files of a monitoring belong together: which configuration a Prometheus runs with, which rules it loads.

Sources: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ (paths in `rule_files` are relative
to the configuration's own folder) and the folders of the published images (`/etc/prometheus`).
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from auditlib.conventions import mounts, networks
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.monitoring import AlertRule, LabelMatcher, PrometheusConfig, Query, ScrapeJob
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import is_quick, regex

_TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template", ".gotmpl", ".erb")
_OF_TEMPLATES = regex(r"(?:^|/)(?:roles/[^/]+|charts/[^/]+|(?:helm|ansible)(?:/[^/]+){0,4})/templates/")
"""Folders of Ansible's roles and Helm's charts, in which each file is a template whatever it is called."""
_HOME = "/etc/prometheus/"
_TO_COPY = (".example", ".sample", ".dist")
"""Of what people copy the copy is read, so that it counts as if it were."""
_STARTED_WITH = frozenset({"alertmanager", "collector", "logs", "prometheus"})
_CONSTANT = regex(r"(?:vector\(\d+\)|\d+\s*==\s*\d+)")
_NAMES = regex(r"(?:^|\s)--?config(?:\.file)?[= ][\"']?(/[^\s\"']+)")


def is_constant(alert: AlertRule) -> bool:
    """Whether an alert asks for nothing, so that it always fires."""
    return _CONSTANT.fullmatch(alert.query.expression.strip()) is not None


def is_template(path: str, *texts: str) -> bool:
    """Whether a file is filled in before a program reads it, so that its words aren't final."""
    filled = path.endswith(_TEMPLATES) or _OF_TEMPLATES.search(path) is not None
    return filled or any("{{" in text or "${" in text or "{%" in text for text in texts)


def runners(inventory: Inventory, file: str) -> tuple[Service, ...]:
    """The services that mount a configuration file, unless it is only among their own sources, or they start with
    another one of its kind that lies beside it.

    Those that mount the whole repository, as a development container does, count where no other does and where their
    command names the file, or the repository lies in the folder for configurations.
    """
    known = inventory.runners
    if file not in known:
        given = [item for item in inventory.services if _is_given(item, mounts.path_inside(item, file))]
        given = [item for item in given if not _starts_with_another(inventory, item, file)]
        alone = tuple(item for item in given if not mounts.sees_all(item, file))
        known[file] = alone or tuple(item for item in given if _is_meant(item, file))
    return known[file]


def meant_runners(inventory: Inventory, file: str) -> tuple[Service, ...]:
    """The services that a configuration is for: those that mount it, or would if the paths in Compose were right."""
    return runners(inventory, file) or tuple(
        service
        for service in inventory.services
        if any(mounts.meant(mount) == file and mount.source not in inventory.file_set for mount in service.mounts)
    )


def _is_meant(service: Service, file: str) -> bool:
    """Whether a container that has the whole repository is there for one file of it."""
    told = posixpath.basename(file) in " ".join((*service.entrypoint, *service.command))
    return told or mounts.path_inside(service, file).startswith("/etc/")


def _is_given(service: Service, inside: str) -> bool:
    """Whether a container has a file by another mount than that of the folder that its image is built from."""
    context = service.build.context if service.build else None
    seen = mounts.path_inside(service, context) if context is not None else ""
    return bool(inside) and not (seen and mounts.is_below(inside, seen) and not inside.startswith("/etc/"))


def _starts_with_another(inventory: Inventory, service: Service, file: str) -> bool:
    """Whether the command of a service names a configuration of the same kind, and not this one."""
    kinds = _kinds(inventory)
    if file not in kinds:
        return False
    named = {match[1] for match in _NAMES.finditer(" ".join((*service.entrypoint, *service.command)))}
    if not named or mounts.path_inside(service, file) in named or any("$" in path for path in named):
        return False
    return any(kinds.get(mounts.path_outside(service, path)) == kinds[file] for path in named)


@answered_once
def in_use(inventory: Inventory) -> Inventory:
    """The inventory without the configurations whose containers start with another one that lies beside."""
    idle = frozenset(file for file in _kinds(inventory) if _is_idle(inventory, file))
    return inventory.without(idle) if idle else inventory


def _is_idle(inventory: Inventory, file: str) -> bool:
    given = (item for item in inventory.services if mounts.path_inside(item, file))
    return not runners(inventory, file) and any(_starts_with_another(inventory, item, file) for item in given)


@answered_once
def _kinds(inventory: Inventory) -> dict[str, str]:
    """The configurations that a program starts with by their kind; of Prometheus none where one reads others."""
    several = any(config.scrape_config_files for config in inventory.prometheus)
    kinds = _STARTED_WITH - {"prometheus"} if several else _STARTED_WITH
    known = (entry for entry in inventory.coverage if not entry.file.endswith(_TO_COPY))
    return {entry.file: entry.kind for entry in known if entry.kind in kinds}


def prometheus_in_use(inventory: Inventory) -> tuple[PrometheusConfig, ...]:
    """The Prometheus configurations that services mount; all of them if no service mounts any."""
    mounted = tuple(config for config in inventory.prometheus if runners(inventory, config.file))
    return mounted or inventory.prometheus


def rule_patterns(inventory: Inventory, config: PrometheusConfig) -> Iterator[str]:
    """The paths in the repository that `rule_files` of a configuration means."""
    services = runners(inventory, config.file)
    for pattern in config.rule_files:
        for service in services:
            inside = posixpath.join(posixpath.dirname(mounts.path_inside(service, config.file)), pattern.path)
            yield mounts.path_outside(service, posixpath.normpath(inside))
        if not services:
            path = pattern.path.removeprefix(_HOME).lstrip("/")
            yield posixpath.normpath(posixpath.join(posixpath.dirname(config.file), path))


def loading(inventory: Inventory, rule_file: str) -> tuple[PrometheusConfig, ...]:
    """The configurations that load a rule file."""
    return _loading(inventory).get(rule_file, ())


@answered_once
def _loading(inventory: Inventory) -> dict[str, tuple[PrometheusConfig, ...]]:
    """The configurations by the files that `rule_files` of each means; most name a file, few a pattern."""
    found: defaultdict[str, dict[PrometheusConfig, None]] = defaultdict(dict)
    rule_files = dict.fromkeys(rule.file for rule in inventory.alert_rules)
    for config in inventory.prometheus:
        for pattern in rule_patterns(inventory, config):
            plain = not any(sign in pattern for sign in "*?[")
            for file in (pattern,) if plain else fnmatch.filter(rule_files, pattern):
                found[file][config] = None
    return {file: tuple(configs) for file, configs in found.items()}


def jobs(inventory: Inventory, configs: Iterable[PrometheusConfig]) -> tuple[ScrapeJob, ...]:
    """The scrape jobs of these configurations."""
    own = _jobs_by_file(inventory)
    return tuple(job for file in dict.fromkeys(config.file for config in configs) for job in own.get(file, ()))


@answered_once
def _jobs_by_file(inventory: Inventory) -> dict[str, list[ScrapeJob]]:
    found: defaultdict[str, list[ScrapeJob]] = defaultdict(list)
    for job in inventory.scrape_jobs:
        found[job.file].append(job)
    return found


def with_copies(inventory: Inventory, config: PrometheusConfig) -> tuple[Service, ...]:
    """The services that mount a file of the host whose path ends as a configuration's does: a copy of it, as it seems.

    None if a service mounts the configuration itself.
    """
    ending = "/" + "/".join(config.file.split("/")[-2:])
    if "/" not in config.file or runners(inventory, config.file):
        return ()
    return tuple(
        service
        for service in inventory.services
        if any(mount.outside and mount.source.endswith(ending) for mount in service.mounts)
    )


def lacks(inventory: Inventory, config: PrometheusConfig, path: str, running: tuple[Service, ...] = ()) -> bool:
    """Whether every container that reads a configuration runs another's image and has no mount over the path."""
    services = running or runners(inventory, config.file)
    return bool(services) and not any(
        service.build
        or service.configs
        or any(mounts.is_below(inside(service, config, path), item.target) for item in service.mounts)
        for service in services
    )


def inside(service: Service, config: PrometheusConfig, path: str) -> str:
    """Where a container looks for a pattern: relative ones begin at the folder of the configuration."""
    folder = posixpath.dirname(mounts.path_inside(service, config.file)) or _HOME
    return posixpath.normpath(posixpath.join(folder, path))


def takes(matcher: LabelMatcher, value: str) -> bool:
    """Whether a matcher takes a value; a pattern that can't be tried, or is no pattern, takes every one."""
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) == (matcher.operator == "=")
    try:
        found = not is_quick(matcher.value) or re.fullmatch(matcher.value, value) is not None
    except re.error:
        return True
    return found == (matcher.operator == "=~")


def own_labels(alert: AlertRule) -> dict[str, str]:
    """The labels that an alert has whatever its series."""
    return {"alertname": alert.name} | {name: value for name, value in alert.labels if "{{" not in value}


def may_match(alert: AlertRule, matchers: Iterable[LabelMatcher]) -> bool:
    """Whether matchers can take an alert: those for labels that only its series can bring count as met."""
    labels = own_labels(alert)
    return all(item.name not in labels or takes(item, labels[item.name]) for item in matchers)


def alerts(inventory: Inventory) -> tuple[AlertRule, ...]:
    """The alerting rules, the recording ones left out."""
    return tuple(rule for rule in inventory.alert_rules if rule.kind == "alert")


def reaching(inventory: Inventory, file: str) -> tuple[AlertRule, ...]:
    """The alerts that an Alertmanager's configuration may be sent.

    Left out are those that only the Prometheus of another stack loads, where that stack has an Alertmanager of its own.
    """
    return _by_alertmanager(inventory).get(file, alerts(inventory))


@answered_once
def _by_alertmanager(inventory: Inventory) -> dict[str, tuple[AlertRule, ...]]:
    """The alerts by each of several configurations that services run with; any other may be sent all."""
    homes = {file: _homes(inventory, file) for file in dict.fromkeys(route.file for route in inventory.alert_routes)}
    served = set().union(*homes.values())
    own: defaultdict[str, list[AlertRule]] = defaultdict(list)
    shared: list[AlertRule] = []
    loaded_in = {file: _loaded_in(inventory, file) for file in {item.file for item in alerts(inventory)}}
    for alert in alerts(inventory):
        found = loaded_in[alert.file]
        for home in found if found and found <= served else ():
            own[home].append(alert)
        if not found or not found <= served:
            shared.append(alert)
    return {
        file: tuple(dict.fromkeys((*(alert for home in sorted(mine) for alert in own[home]), *shared)))
        for file, mine in homes.items()
        if mine and served - mine
    }


def _loaded_in(inventory: Inventory, rule_file: str) -> set[str]:
    """The projects whose Prometheus loads a rule file."""
    return {home for config in loading(inventory, rule_file) for home in _homes(inventory, config.file)}


def _homes(inventory: Inventory, file: str) -> set[str]:
    """The projects whose services mount a configuration file, by their base."""
    return {networks.home(inventory, item) for item in runners(inventory, file)}


def all_alerts(inventory: Inventory, config: PrometheusConfig) -> list[AlertRule]:
    """The alerts that a configuration loads; none where the repository may lack some of their files.

    A pattern may take further files elsewhere.
    """
    if not all(pattern in inventory.file_set or "*" in pattern for pattern in rule_patterns(inventory, config)):
        return []
    return _loaded(inventory).get(config, [])


@answered_once
def _loaded(inventory: Inventory) -> dict[PrometheusConfig, list[AlertRule]]:
    """The alerts by the configurations that load them."""
    found: defaultdict[PrometheusConfig, list[AlertRule]] = defaultdict(list)
    for item in alerts(inventory):
        for config in loading(inventory, item.file):
            found[config].append(item)
    return found


class Asking(Struct, frozen=True):
    """A rule, or a panel of a dashboard, that asks something of Prometheus."""

    name: str
    query: Query
    location: Location
    of_panel: bool = False

    @property
    def called(self) -> str:
        """What it is called in a sentence."""
        return f"the panel {self.name}" if self.of_panel else self.name


def asking(inventory: Inventory) -> Iterator[Asking]:
    """All rules, and after them of each dashboard all variables and panels with each of their queries."""
    for rule in inventory.alert_rules:
        yield Asking(rule.name, rule.query, rule.expression_location)
    for dashboard in inventory.dashboards:
        for variable in dashboard.variables:
            if variable.query:
                place = variable.query.location or variable.location
                yield Asking(f"the variable {variable.name}", variable.query, place)
        for panel in dashboard.panels:
            for query in panel.queries:
                yield Asking(panel.title, query, query.location or panel.location, of_panel=True)
