"""The items of the checklist, as data: what each is judged by, and which rules' findings speak against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Related
from auditlib.readiness import _gaps as gaps
from auditlib.readiness import _subjects as subjects

Seen = Callable[[Inventory], Iterator[Related]]
Lacking = Callable[[Inventory, DependencyGraph], Iterator[Related]]


class Item(Struct, frozen=True):
    """One thing that has to be so before a system goes into production."""

    title: str
    subject: Seen
    """What the repository holds of the kind; nothing means that the item can't be judged."""
    met: str
    unknown: str
    denied_by: frozenset[str] = frozenset()
    """Rules whose finding says that the item is not met at all."""
    weakened_by: frozenset[str] = frozenset()
    """Rules whose finding says that it is met in part only."""
    proof: Seen | None = None
    """What must be there besides; nothing means that the item is not met."""
    lacking: str = ""
    """Said where the proof is missing."""
    unminded: str = ""
    """Said besides, if no rule finds fault with that: when one would."""
    refuted: Seen | None = None
    """What shows that it is the other way round; anything means that the item is not met."""
    gaps: Lacking | None = None
    """Where it is not so, finding or none; anything means that the item is met in part only."""
    void_by: frozenset[str] = frozenset()
    """Rules whose finding says that what stands there isn't what it seems; then it is no subject."""
    broken_by: frozenset[str] = frozenset()
    """Rules whose finding says that a proof is broken; then it is none."""
    beside: Seen | None = None
    """What there is in the place of the kind; it is told where the item can't be judged."""
    undecided: Seen | None = None
    """What leaves the item open where the proof is missing."""


def _rules(*names: str) -> frozenset[str]:
    return frozenset(names)


_BROKEN = _rules("healthcheck-tool-missing", "healthcheck-port-mismatch", "healthcheck-route-missing",
                 "healthcheck-unauthenticated")  # fmt: skip
"""A check that can't tell what it is asked for."""

_EMPTY = _rules("deploy-does-nothing", "job-unreachable")
"""A job that is called a deployment and does nothing, or never starts, deploys nothing."""

ITEMS: tuple[Item, ...] = (
    Item(
        "Secrets are kept out of the repository",
        subjects.credentials,
        "Every credential comes from outside of the repository.",
        "No service gets a variable that looks like a credential.",
        _rules("credential-default", "secret-committed", "template-holds-real-secret", "env-file-committed",
               "setting-default-insecure", "secret-in-image-layer"),
        _rules("credential-in-url", "credential-shared", "secret-not-rotatable", "secret-in-build-argument"),
    ),
    Item(
        "The health of every service is checked",
        subjects.all_services,
        "Every service that runs all the time has a health check.",
        "No service was found.",
        weakened_by=_BROKEN | _rules("healthcheck-missing", "dependency-without-healthcheck", "variable-not-expanded"),
        proof=subjects.health_checks,
        lacking="The repository shows no health check of any service.",
        gaps=gaps.unchecked,
        broken_by=_BROKEN,
    ),
    Item(
        "Services start in the right order",
        subjects.dependencies,
        "Each service waits until what it needs can do its work.",
        "No service declares what it waits for.",
        _rules("dependency-cycle", "profile-dependency-gap"),
        _rules("dependency-started-not-healthy", "dependency-undeclared", "dependency-without-healthcheck",
               "service-behind-profile"),
        gaps=gaps.early_starts,
    ),
    Item(
        "Data outlives its container",
        subjects.stores,
        "What databases, brokers and the monitoring write, and users' files as far as they are seen, is in volumes.",
        "Nothing that keeps data was found: no database, broker or cache, no volume of users' files or of monitoring.",
        _rules("datastore-ephemeral"),
        _rules("datastore-persistence-off", "log-file-outside-volume", "monitoring-storage-ephemeral",
               "volume-unused"),
        gaps=gaps.kept_nowhere,
    ),
    Item(
        "Data is backed up",
        subjects.stores,
        "The repository makes backups of what is kept.",
        "Nothing that keeps data was found.",
        _rules("backup-missing"),
        _rules("backup-same-host"),
        proof=subjects.backups_made,
        lacking="Nothing in the repository makes a backup.",
    ),
    Item(
        "Restoring has been tried",
        subjects.stores,
        "A workflow, a service or a table of cron runs what brings data back.",
        "Nothing that keeps data was found.",
        weakened_by=_rules("backup-missing", "backup-untested", "recovery-undocumented"),
        proof=subjects.restores,
        lacking="No command or script of the repository restores anything, so no test of a restore can have used one.",
        gaps=gaps.untried,
    ),
    Item(
        "Metrics are collected",
        subjects.scrape_jobs,
        "Every service that runs all the time is scraped, or an exporter or a probe tells about it.",
        "No metrics are collected, as far as the repository shows.",
        _rules("monitoring-not-wired"),
        _rules("scrape-target-unresolved", "scrape-path-missing", "scrape-port-mismatch", "exporter-not-scraped",
               "service-unmonitored", "config-mount-unread"),
        gaps=gaps.unwatched,
        beside=subjects.telemetry,
    ),
    Item(
        "Alerts reach someone",
        subjects.alerting,
        "Every alert is routed to a receiver that tells somebody.",
        "No alert was found; alerts may be kept outside of the repository.",
        _rules("monitoring-not-wired", "alert-missing", "rule-file-not-loaded", "alertmanager-not-connected",
               "receiver-loopback", "receiver-undefined", "receiver-field-unknown"),
        _rules("receiver-placeholder", "receiver-variable-unexpanded", "receiver-mail-caught", "receiver-unroutable",
               "severity-not-routed", "alert-expression-invalid", "alert-label-unknown", "alert-metric-unknown"),
        proof=subjects.receivers,
        lacking="There are alerts, but no receiver that tells anybody.",
    ),
    Item(
        "Logs are collected",
        subjects.all_services,
        "The logs of every service that runs all the time are collected.",
        "No service was found.",
        _rules("log-aggregation-missing"),
        _rules("log-file-outside-volume", "log-shipper-source-missing"),
        proof=subjects.log_shipping,
        lacking="Nothing in the repository collects logs; Docker keeps those of each container on the host.",
        unminded="No finding asks for a collector, as fewer than two applications of its own log there, or a library "
        "or a platform may ship what they log.",
        gaps=gaps.unkept,
    ),
    Item(
        "Tests gate a deployment",
        subjects.tests,
        "Every test suite runs before a change is deployed.",
        "No test suite was found, and no workflow runs tests.",
        _rules("deploy-ungated"),
        _rules("test-suite-not-run", "test-suite-empty", "lint-not-run", "step-cannot-fail"),
        gaps=gaps.undeployed,
        refuted=subjects.untested_starts,
    ),
    Item(
        "Images are pinned",
        subjects.images,
        "Every image names a full version or a digest. A publisher can still overwrite a tag, but not a digest.",
        "No service runs an image by name.",
        weakened_by=_rules("image-unpinned"),
        gaps=gaps.unfixed,
    ),
    Item(
        "Images are scanned before they are deployed",
        subjects.built_images,
        "A scanner looks at images before they run.",
        "The repository builds no image.",
        _rules("image-built-not-scanned"),
        _rules("image-not-built"),
        proof=subjects.image_scans,
        lacking="No workflow, script or make target scans an image for known holes.",
    ),
    Item(
        "A deployment can be rolled back",
        subjects.production,
        "A way back is written down or automated.",
        "Nothing in the repository says that it is put into production.",
        weakened_by=_rules("rollback-undocumented"),
        proof=subjects.rollbacks,
        lacking="No document, command or job speaks of a rollback.",
        void_by=_EMPTY,
    ),
    Item(
        "Operators have a guide and runbooks",
        subjects.documents,
        "Documents say how the system is operated.",
        "No document was found.",
        weakened_by=_rules("deployment-guide-missing", "runbook-missing", "recovery-undocumented",
                           "script-undocumented"),
        proof=subjects.guides,
        lacking="No document has a heading on deployment or operation.",
        gaps=gaps.undeployable,
    ),
    Item(
        "The loss of one host is provided for",
        subjects.production,
        "It is deployed to a cluster, or a document speaks of more than one host.",
        "Nothing in the repository says where it runs.",
        _rules("single-host-only"),
        proof=subjects.several_hosts,
        lacking="No document speaks of more than one host, and nothing deploys to a cluster.",
        void_by=_EMPTY,
        undecided=subjects.platforms,
    ),
)  # fmt: skip
