"""The checklist says what files can tell: met, partly, not met, or that they can't."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from handmade import FILE, MakeAudit, finding, place, service

from auditlib import audit as auditing
from auditlib import readiness, rules
from auditlib.audit import Audit
from auditlib.inventory.alerting import Integration, Receiver
from auditlib.inventory.delivery import Caller, Command, Job, Script, Step, Workflow
from auditlib.inventory.document import Document, Heading
from auditlib.inventory.logs import LogShipper
from auditlib.inventory.monitoring import PathPattern, PrometheusConfig, ScrapeJob, Target
from auditlib.inventory.stack import Dependency, Endpoint, EnvironmentEntry, Healthcheck, Mount, Project
from auditlib.model import Read, Related, Severity, Status
from auditlib.readiness import Answer, State
from auditlib.redaction import Vault

REPOSITORY = Path(__file__).parents[2]
CORPUS = REPOSITORY.parent / "shared" / "corpus"
EXAMPLES = [*sorted((REPOSITORY / "data").glob("*/")), *sorted(CORPUS.glob("*/"))]
CHECKED = Healthcheck(("true",), False, False, "", "", "", "", place(4))
ASKED = Healthcheck(("curl",), False, False, "", "", "", "", place(7), test_location=place(8))

SECRETS = "Secrets are kept out of the repository"
ROLLBACK = "A deployment can be rolled back"
HEALTH = "The health of every service is checked"
PINNED = "Images are pinned"
ORDER = "Services start in the right order"
METRICS = "Metrics are collected"
BACKUPS = "Data is backed up"
ALERTS = "Alerts reach someone"
DATA = "Data outlives its container"
LOGS = "Logs are collected"
RESTORE = "Restoring has been tried"
TESTS = "Tests gate a deployment"
SCANS = "Images are scanned before they are deployed"
GUIDES = "Operators have a guide and runbooks"
HOSTS = "The loss of one host is provided for"


def answers(audit: Audit) -> dict[str, Answer]:
    judged = readiness.judge(audit.inventory, audit.dependencies, audit.findings)
    return {answer.item.title: answer for answer in judged}


def test_an_empty_repository_leaves_everything_open(make_audit: MakeAudit) -> None:
    audit = make_audit()
    bare = dataclasses.replace(audit, inventory=dataclasses.replace(audit.inventory, projects=(), documents=()))

    assert {answer.state for answer in answers(bare).values()} == {State.UNKNOWN}


def test_what_nothing_speaks_against_is_met_and_says_where(make_audit: MakeAudit) -> None:
    answer = answers(make_audit([service("api", healthcheck=CHECKED)]))[HEALTH]

    assert answer.state is State.MET
    assert [record.location for record in answer.records] == [place(4)]


def test_a_finding_that_weakens_leaves_it_partly_met(make_audit: MakeAudit) -> None:
    answer = answers(make_audit([service("api")], [finding("image-unpinned")]))[PINNED]

    assert answer.state is State.PARTLY
    assert answer.reason == "The fault image-unpinned."


def test_a_finding_that_denies_outweighs_one_that_weakens(make_audit: MakeAudit) -> None:
    against = [finding("scrape-target-unresolved"), finding("monitoring-not-wired")]
    answer = answers(make_audit([service("api")], against))[METRICS]

    assert answer.state is State.NOT_MET
    assert len(answer.findings) == 2


def test_what_its_owner_has_decided_and_mere_information_speak_against_nothing(make_audit: MakeAudit) -> None:
    against = [
        finding("image-unpinned", status=Status.SUPPRESSED),
        finding("image-unpinned", Severity.INFO, fingerprint="2"),
    ]

    assert answers(make_audit([service("api", image="image:1.2.3")], against))[PINNED].state is State.MET


@pytest.mark.parametrize(("against", "state"), [(["log-file-outside-volume"], State.NOT_MET), ([], State.UNKNOWN)])
def test_an_item_without_its_proof_is_not_met_if_a_rule_minds(
    make_audit: MakeAudit, against: list[str], state: State
) -> None:
    answer = answers(make_audit([service("api")], [finding(rule) for rule in against]))[LOGS]

    assert answer.state is state
    assert "Docker keeps those" in answer.reason
    assert ("No finding asks" in answer.reason) == (state is State.UNKNOWN)


def test_every_rule_of_the_checklist_exists() -> None:
    named = {rule for item in readiness.ITEMS for rule in item.denied_by | item.weakened_by}

    assert named - set(rules.catalogue()) == set()


def receiver(*, placeholder: bool) -> Receiver:
    return Receiver(FILE, "team", (Integration("slack", "", "", placeholder, place(5)),), place(5))


def waits(condition: str) -> Any:
    return service("api", dependencies=(Dependency("db", condition, True, place(3)),))


def document(*headings: str) -> Document:
    found = tuple(Heading(text, 2, place(9)) for text in headings)
    return Document("README.md", "Shop", found, (), frozenset(), place(8))


DEPLOYS = Script("scripts/deploy.sh", "bash", "", False, (Command(("fastapi", "deploy"), place(7)),), place(6))

BY_HAND = Script("scripts/deploy.sh", "bash", "", False, (Command(("rsync", "-a"), place(7)),), place(6))

RESTORES = Script("scripts/restore.sh", "bash", "", False, (Command(("pg_restore", "x"), place(7)),), place(6))


def runs(*words: str) -> Workflow:
    commands = (Command(words, place(12)),)
    step = Step("ci.yml", "drill", 0, "", "", " ".join(words), commands, (), (), "", "", False, place(11))
    job = Job("ci.yml", "drill", "", (), "ubuntu-24.04", (), (), (), "", "", "", False, "", (step,), place(10))
    return Workflow("ci.yml", "", (), (), (job,), (), place(9))


SHIPPER = LogShipper("logging/vector.yaml", "vector", (PathPattern("docker_logs", place(5)),), (), place(5))
SHIPPED_BY = Mount("bind", "logging/vector.yaml", "/etc/vector/vector.yaml", True, place())


TARGET = Target("api", "8000", place(5))
SCRAPED = [
    PrometheusConfig("prometheus.yml", (), (), (), False, place(5)),
    ScrapeJob("prometheus.yml", "api", "/metrics", "http", (TARGET,), (), place(5)),
]
STORE = service(
    "db", image="postgres:16", mounts=(Mount("volume", "data", "/var/lib/postgresql/data", False, place()),)
)

VOLUME = Mount("volume", "logs", "/app/logs", False, place())
UPLOADS = service("api", image="", mounts=(Mount("volume", "uploads", "/app/uploads", False, place()),))
GRAFANA = service(
    "grafana", image="grafana/grafana:12.0.2", mounts=(Mount("volume", "g", "/var/lib/grafana", False, place()),)
)


def chroma(image: str) -> Any:
    return service("chroma", image=image, mounts=(Mount("volume", "data", "/chroma/chroma", False, place()),))


def given(name: str, value: str, *endpoints: Endpoint) -> Any:
    entry = EnvironmentEntry(name, Vault().value(name, value), (), "environment", place(7), endpoints)
    return service("api", image="", environment=(entry,))


TRACING = given("OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4317", Endpoint("http", "jaeger", "4317"))
LIFETIME = given("ACCESS_TOKEN_EXPIRE_MINUTES", "30")

CASES: dict[str, tuple[str, State, list[Any], list[str]]] = {
    "no service is checked": (HEALTH, State.NOT_MET, [service("api")], ["healthcheck-missing"]),
    "metrics of one of two": (
        METRICS, State.PARTLY, [*SCRAPED, service("api", image=""), service("web", image="")], []
    ),
    "metrics of all but a task": (
        METRICS, State.MET, [*SCRAPED, service("api", image=""), service("migrate", restart="no")], []
    ),
    "data without a backup, and no rule minds": (BACKUPS, State.UNKNOWN, [STORE], []),
    "data with a backup": (BACKUPS, State.MET, [STORE, service("backup")], []),
    "data without a way back": (RESTORE, State.NOT_MET, [STORE], ["backup-missing"]),
    "a script that restores, and nothing that runs it": (RESTORE, State.PARTLY, [STORE, RESTORES], []),
    "a workflow that restores": (RESTORE, State.MET, [STORE, RESTORES, runs("./scripts/restore.sh")], []),
    "a table of cron that restores": (
        RESTORE, State.MET, [STORE, RESTORES, Caller("crontab", ("restore.sh",), place(3))], [],
    ),
    "a service that restores": (RESTORE, State.MET, [STORE, service("drill", command=("pg_restore", "-d", "x"))], []),
    "one of two is checked": (
        HEALTH, State.PARTLY, [service("api"), service("db", healthcheck=CHECKED)], ["healthcheck-missing"]
    ),
    "one of two is checked, and no rule minds": (
        HEALTH, State.PARTLY, [service("api"), service("db", healthcheck=CHECKED)], []
    ),
    "waits for a start": (ORDER, State.PARTLY, [waits("service_started"), service("db")], []),
    "waits for health": (ORDER, State.MET, [waits("service_healthy"), service("db")], []),
    "the receiver is an example": (ALERTS, State.NOT_MET, [receiver(placeholder=True)], ["receiver-placeholder"]),
    "one of two receivers is an example": (
        ALERTS, State.PARTLY, [receiver(placeholder=True), receiver(placeholder=False)], ["receiver-placeholder"]
    ),
    "a platform says nothing of hosts": (HOSTS, State.UNKNOWN, [DEPLOYS], []),
    "a host of one's own is one": (HOSTS, State.NOT_MET, [BY_HAND], ["single-host-only"]),
    "a README on how it is started": (GUIDES, State.PARTLY, [document("How to run it?", "Troubleshooting")], []),
    "tests of an image, and nothing deploys": (
        TESTS, State.PARTLY, [runs("docker", "compose", "run", "api", "pytest")], []
    ),
    "users' files without a backup": (BACKUPS, State.NOT_MET, [UPLOADS], ["backup-missing"]),
    "a log folder is no users' file": (BACKUPS, State.UNKNOWN, [service("api", image="", mounts=(VOLUME,))], []),
    "data of the monitoring without a backup": (BACKUPS, State.NOT_MET, [GRAFANA], ["backup-missing"]),
    "data of the monitoring in a volume": (DATA, State.MET, [GRAFANA], []),
    "a folder that new releases don't use": (DATA, State.PARTLY, [chroma("chromadb/chroma:latest")], []),
    "a folder that the release uses": (DATA, State.MET, [chroma("chromadb/chroma:0.5.23")], []),
    "traces instead of metrics": (METRICS, State.UNKNOWN, [TRACING], []),
    "a variable on a token's life is no secret": (SECRETS, State.UNKNOWN, [LIFETIME], []),
    "a README on nothing in particular": (GUIDES, State.NOT_MET, [document("About")], ["deployment-guide-missing"]),
    "a README on the deployment": (GUIDES, State.MET, [document("Deployment")], []),
    "images are built and not scanned": (SCANS, State.NOT_MET, [], ["image-built-not-scanned"]),
    "nothing stands before a deployment": (TESTS, State.NOT_MET, [], ["deploy-ungated"]),
    "a tag of a series moves on": (PINNED, State.PARTLY, [service("cache", image="redis:7.2-alpine")], []),
    "a release stays": (PINNED, State.MET, [service("cache", image="redis:7.2.4-alpine")], []),
    "a release of PostgreSQL has two numbers": (PINNED, State.MET, [service("db", image="postgres:16.4")], []),
    "a digest stays": (PINNED, State.MET, [service("db", image=f"postgres@sha256:{'a' * 64}")], []),
    "one of two stores keeps its data": (DATA, State.PARTLY, [STORE, service("queue", image="rabbitmq:3.13.1")], []),
    "each store keeps its data": (DATA, State.MET, [STORE, service("cache", image="redis:7.2.4")], []),
    "the driver of one of two ships its logs": (
        LOGS, State.PARTLY, [service("api", log_driver="gelf"), service("db")], []
    ),
    "a shipper's configuration that nothing runs": (LOGS, State.PARTLY, [service("api"), SHIPPER], []),
    "a shipper that runs": (LOGS, State.MET, [service("api"), SHIPPER, service("vector", mounts=(SHIPPED_BY,))], []),
    "a shipper by its image": (
        LOGS, State.MET, [service("api"), SHIPPER, service("x", image="timberio/vector:1.2.3")], []
    ),
    "a driver beside a configuration that nothing runs": (
        LOGS, State.MET, [service("api", log_driver="gelf"), SHIPPER], []
    ),
    "the driver of each ships its logs": (LOGS, State.MET, [service("api", log_driver="gelf")], []),
    "tests that no inventory shows": (TESTS, State.PARTLY, [], ["test-suite-not-run"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_item_stands_as_its_evidence_says(case: str, make_audit: MakeAudit) -> None:
    title, state, records, against = CASES[case]
    answer = answers(make_audit(records, [finding(rule) for rule in against]))[title]

    assert answer.state is state
    assert answer.reason


def test_what_leaves_an_item_open_is_named(make_audit: MakeAudit) -> None:
    open_by = answers(make_audit([DEPLOYS]))[HOSTS]

    assert "deployed to FastAPI Cloud" in open_by.reason
    assert [record.location for record in open_by.records] == [place(7)]
    assert answers(make_audit([TRACING]))[METRICS].reason.endswith("Traces go to jaeger.")


def test_a_guide_is_named_once(make_audit: MakeAudit) -> None:
    headings = tuple(Heading(text, 1, place(line)) for text, line in (("Deployment", 1), ("Rollout", 9)))
    guide = Document("deployment.md", "Deployment", headings, (), frozenset(), place(1))

    assert [item.location for item in answers(make_audit([guide]))[GUIDES].records] == [place(1), place(9)]


@pytest.mark.parametrize("rule", ["deploy-does-nothing", "job-unreachable"])
def test_a_job_that_a_finding_calls_empty_deploys_nothing(make_audit: MakeAudit, rule: str) -> None:
    job = Job("ci.yml", "deploy", "", (), "x", (), (), (), "", "", "", False, "", (), place(10))
    records = [BY_HAND, Workflow("ci.yml", "", (), (), (job,), (), place(9))]
    sound = answers(make_audit(records))[ROLLBACK]
    void = answers(make_audit(records, [finding(rule, related=(Related(place(10), "the job"),))]))[ROLLBACK]

    assert {record.location for record in sound.records} == {place(6), place(10)}
    assert {record.location for record in void.records} == {place(6)}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_file_that_an_item_is_judged_by_is_said_to_be_read(example: Path) -> None:
    audit = auditing.audit(example, scanned=False)
    read = {entry.file for entry in audit.coverage if entry.status in (Read.PARSED, Read.PARTIAL)}

    assert {record.location.file for answer in answers(audit).values() for record in answer.records} <= read


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_no_item_is_better_or_vaguer_than_its_findings(example: Path) -> None:
    audit = auditing.audit(example, scanned=False)
    grave = {item.rule for item in audit.findings if item.status is Status.OPEN and item.severity >= Severity.HIGH}

    for answer in answers(audit).values():
        if grave & (answer.item.denied_by | answer.item.weakened_by):
            assert answer.state in (State.PARTLY, State.NOT_MET), answer.item.title


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_what_is_not_met_has_a_finding_behind_it_and_no_evidence_stands_twice(example: Path) -> None:
    for answer in answers(auditing.audit(example, scanned=False)).values():
        places = [(str(record.location), record.message) for record in answer.records]

        assert answer.findings or answer.state is not State.NOT_MET, answer.item.title
        assert len(set(places)) == len(places), answer.item.title


def test_a_check_that_a_finding_calls_broken_is_no_evidence(make_audit: MakeAudit) -> None:
    checks = [service("db", healthcheck=CHECKED), service("api", healthcheck=ASKED)]
    answer = answers(make_audit(checks, [finding("healthcheck-tool-missing", location=place(8))]))[HEALTH]

    assert [record.location for record in answer.records] == [place(4)]


STARTED = Project(FILE, (FILE,), "base", "", place(), started_at=(place(7),))


@pytest.mark.parametrize(("tested", "state"), [(False, State.NOT_MET), (True, State.PARTLY)])
def test_a_script_that_starts_production_without_a_test_is_no_gate(
    make_audit: MakeAudit, tested: bool, state: State
) -> None:
    first = Command(("pytest",) if tested else ("git", "pull"), place(5))
    script = Script(FILE, "bash", "", False, (first, Command(("docker", "compose", "up", "-d"), place(7))), place())
    audit = make_audit([runs("pytest"), script])
    started = dataclasses.replace(audit, inventory=dataclasses.replace(audit.inventory, projects=(STARTED,)))

    assert answers(started)[TESTS].state is state


def test_compose_beside_a_platform_is_named_as_one_host(make_audit: MakeAudit) -> None:
    audit = make_audit([DEPLOYS])
    both = dataclasses.replace(audit, inventory=dataclasses.replace(audit.inventory, projects=(STARTED,)))

    assert "FastAPI Cloud" in answers(both)[HOSTS].reason
    assert "also deployed by Compose" in answers(both)[HOSTS].reason


def test_scaling_is_where_its_heading_stands(make_audit: MakeAudit) -> None:
    heading = Heading("Scaling", 2, place(53))
    guide = Document("docs/deployment.md", "Deployment", (heading,), (), frozenset({"scaling"}), place(1))
    other = Document("README.md", "Shop", (), (), frozenset({"scale"}), place(2))

    assert [item.location for item in answers(make_audit([BY_HAND, guide, other]))[HOSTS].records] == [place(53)]
