"""Options that programs of well-known images don't have, or don't have any more, with what does their work instead.

Sources: https://github.com/prometheus/alertmanager/blob/main/cmd/alertmanager/main.go and its changelog, the same of
https://github.com/prometheus/prometheus, and the changelog of
https://github.com/prometheus-community/elasticsearch_exporter. `config.expand-env` is one of Loki's, Promtail's and
Tempo's; checking a configuration is the work of `amtool` and `promtool`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from auditlib.conventions import images
from auditlib.patterns import regex


class Missing(Struct, frozen=True):
    """An option that a program doesn't have since a release; without one it never had it."""

    name: str
    instead: str
    """What to do, as a sentence without its end."""
    since: tuple[int, ...] = ()


_NO_VARIABLES = "Remove it: {} puts no variables into its configuration, so write the file from a template before"
_LOCAL_STORAGE = "Remove it: the options of storage are called `--storage.tsdb.…` since Prometheus 2"
_MISSING: dict[str, tuple[Missing, ...]] = {
    "prom/alertmanager": (
        Missing("config.expand-env", _NO_VARIABLES.format("Alertmanager")),
        Missing("web.enable-lifecycle", "Remove it: Alertmanager can be reloaded without it"),
        Missing("check-config", "Have `amtool check-config <file>` check the configuration, which the image holds too"),
        *(Missing(f"mesh.{name}", f"Write `--cluster.{name}`", (0, 15)) for name in ("listen-address", "peer")),
    ),
    "prom/prometheus": (
        Missing("config.expand-env", _NO_VARIABLES.format("Prometheus")),
        Missing("check-config", "Have `promtool check config <file>` do it: `--entrypoint promtool` before the image"),
        *(Missing(f"storage.local.{name}", _LOCAL_STORAGE, (2,)) for name in ("path", "retention", "target-heap-size")),
        Missing("alertmanager.url", "Name Alertmanager under `alerting:` in prometheus.yml", (2,)),
        Missing("query.staleness-delta", "Write `--query.lookback-delta`", (2,)),
    ),
    "prometheuscommunity/elasticsearch-exporter": (
        Missing("es.cluster_settings", "Write `--collector.clustersettings`", (1, 6)),
        Missing("es.snapshots", "Write `--collector.snapshots`", (1, 7)),
        Missing("es.slm", "Write `--collector.slm`", (1, 9)),
    ),
}  # fmt: skip
_UP_TO = {"prom/alertmanager": (0, 28)}
"""The release up to which all options of a program are known."""
_KNOWN = {
    "prom/alertmanager": frozenset({
        "config.file", "storage.path", "data.retention", "data.maintenance-interval", "silences.max-silences",
        "silences.max-silence-size-bytes", "silences.max-per-silence-bytes", "alerts.gc-interval",
        "web.systemd-socket", "web.listen-address", "web.config.file", "web.external-url", "web.route-prefix",
        "web.get-concurrency", "web.timeout", "auto-gomemlimit.ratio", "cluster.listen-address",
        "cluster.advertise-address", "cluster.peer", "cluster.peer-timeout", "cluster.gossip-interval",
        "cluster.pushpull-interval", "cluster.tcp-timeout", "cluster.probe-timeout", "cluster.probe-interval",
        "cluster.settle-timeout", "cluster.reconnect-interval", "cluster.reconnect-timeout", "cluster.tls-config",
        "cluster.allow-insecure-public-advertise-address-discovery", "cluster.label", "enable-feature", "log.level",
        "log.format", "help", "help-long", "help-man", "version", "completion-bash", "completion-script-bash",
        "completion-script-zsh",
    }),
}  # fmt: skip
_RELEASE = regex(r"v?(\d+)(?:\.(\d+))?")


def is_known(image: str) -> bool:
    """Whether anything is known of the options of an image."""
    return images.repository(image) in _MISSING


def missing(image: str, words: Sequence[str]) -> list[Missing]:
    """The options among a command's words that the image's program doesn't have."""
    name, release = images.repository(image), _release(image)
    gone = {item.name: item for item in _MISSING.get(name, ()) if _is_since(item, image, release)}
    complete = bool(release) and release <= _UP_TO.get(name, ())
    known = {} if not complete else _KNOWN[name]
    found = []
    for option in _options(words):
        if option in gone:
            found.append(gone[option])
        elif known and option not in known and option.removeprefix("no-") not in known:
            found.append(Missing(option, "Remove it, or write the option that its documentation names"))
    return found


def _options(words: Sequence[str]) -> list[str]:
    """The names of the long options, up to what stands behind a `--`."""
    own = words[: words.index("--")] if "--" in words else words
    return [word[2:].partition("=")[0] for word in own if word.startswith("--") and "$" not in word.partition("=")[0]]


def _release(image: str) -> tuple[int, ...]:
    match = _RELEASE.match(images.tag(image))
    return tuple(int(number) for number in match.groups() if number) if match else ()


def _is_since(item: Missing, image: str, release: tuple[int, ...]) -> bool:
    """Whether a release is one that lacks the option; `latest` is as well, a digest or a variable may be any."""
    newest = images.tag(image) in ("", "latest") and "@" not in image and "$" not in image
    return not item.since or newest or (len(release) >= len(item.since) and release >= item.since)
