"""How long a start may take, what goes down together, and which versions run."""

from __future__ import annotations

from pathlib import Path

import pytest
from handmade import MakeAudit, place, service

from auditlib import startup
from auditlib.audit import audit as audit_repository
from auditlib.inventory.stack import Dependency, Healthcheck, Mount
from auditlib.report import sections
from auditlib.report.blocks import Picture
from auditlib.report.charts import timeline


def check(interval: str = "10s", timeout: str = "5s", retries: str = "4", start_period: str = "30s") -> Healthcheck:
    return Healthcheck(("true",), False, False, interval, timeout, retries, start_period, place(4))


def test_patience_is_the_start_period_and_every_failed_try() -> None:
    assert startup.patience(check()) == 30 + 4 * (10 + 5)
    assert startup.patience(check("", "", "", "")) == 3 * (30 + 30)
    assert startup.patience(check(interval="${INTERVAL}")) == 30 + 4 * (30 + 5)


def test_who_waits_for_health_starts_when_it_is_bounded() -> None:
    db, api, web = (
        service("db", healthcheck=check()),
        service("api", ["db"]),
        service("web", dependencies=(Dependency("api", "service_started", True, place(9)),)),
    )
    moments = {item.service.name: item for item in startup.timeline({"db": db, "api": api, "web": web})}

    assert [(name, moments[name].start, moments[name].ready) for name in ("db", "api", "web")] == [
        ("db", 0, 90),
        ("api", 90, 90),
        ("web", 90, 90),
    ]
    assert moments["web"].waits_for == "api"


def test_a_task_that_must_complete_leaves_the_bound_open_and_a_circle_ends() -> None:
    task = service("task")
    api = service("api", dependencies=(Dependency("task", "service_completed_successfully", True, place(9)),))
    moments = startup.timeline({"task": task, "api": api, "a": service("a", ["b"]), "b": service("b", ["a"])})

    assert [(item.service.name, item.tasks) for item in moments] == [("api", ("task",)), ("task", ())]


def test_the_time_of_a_task_comes_on_top_and_goes_on_to_those_that_wait_further(make_audit: MakeAudit) -> None:
    done = Dependency("migrate", "service_completed_successfully", True, place(9))
    records = [
        service("db", healthcheck=check()),
        service("migrate", ["db"]),
        service("api", dependencies=(done,), healthcheck=check()),
        service("web", ["api"]),
    ]
    text = repr(sections.start_up(make_audit(records)))

    assert "all are started after at most 3 min, beside the time that migrate takes, web as the last one" in text
    assert "3 min and migrate" in text


def test_where_nothing_is_waited_for_a_sentence_says_so(make_audit: MakeAudit) -> None:
    started = Dependency("db", "service_started", True, place(9))
    text = repr(sections.start_up(make_audit([service("db"), service("api", dependencies=(started,))])))

    assert "None of the 2 services of" in text
    assert "1 service only waits for a mere start" in text
    assert "|" not in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (45, "45 s"), (90, "1 min 30 s"), (120, "2 min"), (3900, "1 h 5 min")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert timeline.duration(seconds) == words


def test_the_pictures_have_words_and_a_table(make_audit: MakeAudit) -> None:
    audit = make_audit(
        [
            service("db", healthcheck=check(), image="postgres:16.1.2"),
            service("api", ["db"], image="shop/api:latest"),
            service("web", ["api"], image="nginx:alpine"),
        ]
    )

    for shown in (sections.start_up(audit), sections.blast_radius(audit), sections.image_versions(audit)):
        (picture,) = shown.blocks
        assert isinstance(picture, Picture)
        assert picture.table is not None
        assert len(picture.table.rows) >= 2
    assert "all are started after at most 1 min 30 s" in str(sections.start_up(audit))
    assert "the worst is db: api and web fail with it" in str(sections.blast_radius(audit))
    assert "Without a version: shop/api:latest and nginx:alpine" in str(sections.image_versions(audit))


def test_without_services_a_sentence_says_so(make_audit: MakeAudit) -> None:
    audit = make_audit()

    assert "nothing to start" in str(sections.start_up(audit))
    assert "No service runs an image" in str(sections.image_versions(audit))
    assert "No service takes another one along" in str(sections.blast_radius(audit))


def test_of_many_services_those_that_reach_most_are_drawn(make_audit: MakeAudit) -> None:
    names = [f"s{number:03}" for number in range(120)]
    chain = [service(name, names[number - 1 : number] if number else []) for number, name in enumerate(names)]
    (picture,) = sections.blast_radius(make_audit(chain)).blocks

    assert isinstance(picture, Picture)
    assert picture.alternative.startswith("119 services take others along; the worst is s000")
    assert "are drawn" in picture.caption


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("service_started", "No service takes another one along when it dies; by the failure of 2 services others "),
        ("service_healthy", "1 service takes others along; the worst is db: api fails with it; by the failure of 1 "),
    ],
)
def test_who_only_loses_something_is_not_taken_along(make_audit: MakeAudit, condition: str, words: str) -> None:
    db, api = Dependency("db", condition, True, place(9)), Dependency("api", "service_started", True, place(9))
    services = [service("db"), service("api", dependencies=(db,)), service("web", dependencies=(api,))]
    (picture,) = sections.blast_radius(make_audit(services)).blocks

    assert isinstance(picture, Picture)
    assert picture.alternative.startswith(words)


def test_equal_names_of_two_projects_carry_their_project(make_audit: MakeAudit) -> None:
    audit = make_audit(
        [service("node", project="a"), service("node", project="b"), service("api", project="a", image="x:1")]
    )

    assert [audit.inventory.label(item) for item in audit.inventory.services] == ["a/node", "b/node", "api"]
    assert "b/node" in str(sections.monitoring_coverage(audit))


def test_what_two_projects_call_alike_is_not_one_thing(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "compose.yaml").write_text(
            "services:\n  db: {image: postgres, volumes: ['data:/var/lib/postgresql/data']}\n"
            "  api: {image: x, depends_on: [db]}\nvolumes: {data: }\n",
            encoding="utf-8",
        )
    (tmp_path / "one" / "compose.backup.yaml").write_text(
        "services:\n  backup: {image: b, volumes: ['data:/data:ro'], depends_on: [db]}\n", encoding="utf-8"
    )
    audit = audit_repository(tmp_path, scanned=False)

    waits = str(sections.dependency_conditions(audit))
    assert "3 waits" in waits
    assert "one/api" in waits
    kept = str(sections.volumes(audit))
    assert "2 named volumes; shared by several services: one/data." in kept
    assert "backup" in kept


IMAGES = {
    "postgres:15-alpine": "Moving on within their line: postgres:15-alpine.",
    "traefik:3.6": "Moving on within their line: traefik:3.6.",
    "caddy:2.10.0": "Fixed by a full version, whose tag can still be overwritten: 1.",
    f"caddy@sha256:{'a' * 64}": "Fixed for good by a digest: 1.",
    "nginx:alpine": "Without a version: nginx:alpine.",
}


@pytest.mark.parametrize("image", IMAGES)
def test_how_firmly_an_image_is_fixed_is_said_in_the_same_words_as_in_the_checklist(
    make_audit: MakeAudit, image: str
) -> None:
    (picture,) = sections.image_versions(make_audit([service("one", image=image)])).blocks
    assert isinstance(picture, Picture)

    assert picture.caption == f"1 image made elsewhere. {IMAGES[image]}"


def test_a_volume_that_may_be_at_the_wrong_folder_is_said_to_be_in_doubt(make_audit: MakeAudit) -> None:
    def caption(image: str) -> str:
        data = Mount("volume", "data", "/chroma/chroma", False, place(5))
        (picture,) = sections.volumes(make_audit([service("chroma", image=image, mounts=(data,))])).blocks
        assert isinstance(picture, Picture)
        return picture.caption

    assert "Whether the volume of chroma holds its data isn't sure" in caption("chromadb/chroma")
    assert "new ones keep their data in /data" in caption("chromadb/chroma:latest")
    assert "isn't sure" not in caption("chromadb/chroma:0.5.23")
