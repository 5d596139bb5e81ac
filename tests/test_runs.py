"""The store of past runs: what is kept comes back, nothing is lost, and nothing in it can stop a report."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest
import remembered
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditlib import history, runs
from auditlib.entries import Entry
from auditlib.errors import ProjectError, UsageError
from auditlib.history import Run, Standing
from auditlib.model import Area, Severity, Status
from auditlib.runs import Store, document
from auditlib.verdict import Readiness

HOSTILE = "<script>\n\x1b[2J'\"`|../../etc\u202e"


def entry(fingerprint="one", **changes):
    values = {
        "rule": "a-rule", "severity": Severity.HIGH, "area": Area.CICD, "title": "A fault", "message": "It is wrong.",
        "file": "ci.yml", "line": 3, "service": "", "status": Status.OPEN,
    }  # fmt: skip
    return Entry(fingerprint, **{**values, **changes})


def run(*found, time="2026-11-25T02:00:00Z", digest=None):
    standing = Standing(
        time=time,
        commit="0123456789abcdef",
        readiness=Readiness.CONDITIONS,
        scores=tuple((area, None if area is Area.MONITORING else 50) for area in Area),
        counts=tuple((severity, len(found) if severity is Severity.HIGH else 0) for severity in Severity),
        digest=digest or " ".join(item.fingerprint for item in found),
    )
    return Run(standing, found)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "a folder" / "history")


def kept(store):
    return [stored.load() for stored in store.contents().runs]


def test_a_store_that_is_not_there_yet_is_empty(store):
    assert store.contents() == runs.Contents((), ())
    assert not store.folder.exists()


def test_runs_come_back_oldest_first(store):
    later, earlier = run(entry(), time="2026-11-26T02:00:00Z"), run(entry("two"))
    store.keep(later)
    store.keep(earlier)
    assert kept(store) == [earlier, later]


@given(remembered.entries(st.text(max_size=20), st.text(max_size=20)))
def test_a_run_survives_its_form_as_a_file(found):
    original = replace(run(*found), silent=("zizmor",))
    assert document.loads(document.dumps(original)) == original


def test_hostile_names_stay_names(store):
    original = run(entry(HOSTILE, title=HOSTILE, message=HOSTILE, file=HOSTILE, service=HOSTILE))
    store.keep(original)
    assert kept(store) == [original]
    assert len(list(store.folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is no run of auditlib"),
        ("[]", "it is no run of auditlib"),
        ("{" * 100_000, "it is no run of auditlib"),
        ("null\n", "it is no run of auditlib"),
        ('{"version":1}\n', "it is no run of auditlib"),
        ('{"version":2,"anything":[]}\n', "a later version of auditlib wrote it"),
        ('{"version":"<b>"}\n', "it is no run of auditlib"),
        (b"\xff\xfe\x00", "it is no text"),
    ],
)
def test_a_broken_file_is_named_and_the_rest_goes_on(store, text, reason):
    store.keep(run(entry()))
    broken = store.folder / "20260101T000000000000Z-00000000.jsonl"
    broken.write_bytes(text if isinstance(text, bytes) else text.encode())
    contents = store.contents()
    assert [stored.load() for stored in contents.runs] == [run(entry())]
    assert contents.problems == (f"the run {broken} is left out of the history: {reason}",)


@pytest.mark.parametrize("damage", [lambda text: text[:-20], lambda text: text.partition("\n")[0] + "\n{}\n"])
def test_a_run_whose_end_is_damaged_is_not_compared_with(store, damage):
    store.keep(run(entry("old"), time="2026-11-24T02:00:00Z"))
    store.keep(run(entry("two")))
    last = store.contents().runs[-1].path
    last.write_text(damage(last.read_text(encoding="utf-8")), encoding="utf-8")
    past, problems = runs.before(store.contents(), run(entry("three")))
    assert past.last == run(entry("old"), time="2026-11-24T02:00:00Z")
    assert len(problems) == 1
    assert str(last) in problems[0]


def test_other_things_in_the_folder_are_left_alone(store):
    store.keep(run(entry()))
    (store.folder / "notes.txt").write_text("ours")
    os.mkfifo(store.folder / "20260101T000000000000Z-00000000.jsonl")
    (store.folder / "20260102T000000000000Z-00000000.jsonl").symlink_to("/etc/passwd")
    contents = store.contents()
    assert len(contents.runs) == 1
    assert [problem.rpartition(": ")[2] for problem in contents.problems] == ["it is no regular file"] * 2
    assert (store.folder / "notes.txt").read_text() == "ours"


def test_the_oldest_go_first_when_there_are_too_many(store, monkeypatch):
    monkeypatch.setattr(runs.store, "LIMIT", 3)
    for day in range(1, 6):
        store.keep(run(entry(str(day)), time=f"2026-11-0{day}T02:00:00Z"))
    assert [item.findings[0].fingerprint for item in kept(store)] == ["3", "4", "5"]


def keep_many(folder, name, barrier):
    barrier.wait()
    for number in range(20):
        Store(folder).keep(run(entry(f"{name}-{number}")))


def test_two_processes_at_once_lose_nothing(store):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    writers = [context.Process(target=keep_many, args=(store.folder, name, barrier)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    contents = store.contents()
    assert contents.problems == ()
    assert {stored.load().findings[0].fingerprint for stored in contents.runs} == {
        f"{name}-{number}" for name in "ab" for number in range(20)
    }


def test_a_run_has_many_names(store):
    for day in ("24", "25", "26"):
        store.keep(run(entry(day), time=f"2026-11-{day}T02:00:00Z"))
    oldest, previous, latest = store.contents().runs
    assert store.find("latest") == latest
    assert store.find("previous") == previous
    assert store.find("2026-11-24") == oldest
    assert store.find(latest.id) == latest


@pytest.mark.parametrize("name", ["", "zzz", "2026-01-01", HOSTILE, "previous"])
def test_a_name_that_no_run_has_is_told(store, name):
    store.keep(run(entry()))
    with pytest.raises(UsageError, match="no run in"):
        store.find(name)


def test_a_store_without_runs_says_so(store):
    with pytest.raises(UsageError, match="is called 'latest'; none is kept there"):
        store.find("latest")


def test_a_name_that_no_run_has_because_it_is_broken_is_told_so(store):
    store.keep(run(entry()))
    (store.folder / "20260101T000000000000Z-00000000.jsonl").write_text("")
    with pytest.raises(UsageError, match="1 can't be read, which `auditlib history` names"):
        store.find("previous")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="no history can be kept in"):
        Store(tmp_path / "file" / "history").prepare()


def test_runs_that_found_the_same_are_one_step_and_no_step_at_all_if_it_is_this_one():
    days = [run(entry(name), time=f"2026-11-0{day}T02:00:00Z").standing for day, name in enumerate("aabbcab", 1)]
    steps = history.steps(days)
    assert [(step.digest, step.time[8:10]) for step in steps] == [
        ("a", "02"), ("b", "04"), ("c", "05"), ("a", "06"), ("b", "07"),
    ]  # fmt: skip
    assert history.before(days, replace(days[-1], time="")) == steps[:-1]
    assert history.before(days, run(entry("new")).standing) == steps
    assert history.before([], days[0]) == ()


def git(folder, url):
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/config").write_text(f'[remote "origin"]\n\turl = {url}\n')
    return folder


def test_clones_share_a_history_and_other_folders_do_not(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    url = "https://token:{}@github.com/acme/shop.git"
    first, second = (runs.default_folder(git(tmp_path / name, url.format(name))) for name in ("one", "two"))
    (tmp_path / "three").mkdir()
    assert first == second
    assert first.parent == tmp_path / "state/auditlib/runs"
    assert first.name.startswith("shop-")
    assert runs.default_folder(tmp_path / "three") != first


def test_a_project_that_gains_a_web_host_takes_its_history_along(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = tmp_path / "shop"
    project.mkdir()
    before = runs.default_folder(project)
    Store(before).keep(run(entry()))
    git(project, "https://github.com/acme/shop.git")
    after = runs.default_folder(project)

    assert after != before
    assert not before.exists()
    assert kept(Store(after)) == [run(entry())]


def test_what_a_rule_finds_that_the_earlier_auditlib_did_not_have_is_told_apart():
    known, added = entry(rule="a-rule"), entry("two", rule="a-new-rule")
    old, new = (
        Run(run().standing, (), (), ("a-rule",)),
        Run(run().standing, (known, added), (), ("a-rule", "a-new-rule")),
    )
    forth, back = history.changes(old, new), history.changes(new, old)

    assert (forth.new, forth.by_new_rules) == ((known,), (added,))
    assert (back.fixed, back.unjudged) == ((known,), (added,))
    assert known in forth.worse
    assert added not in forth.worse


def test_runs_that_recorded_no_rules_are_compared_by_their_findings():
    old, new = run(), Run(run().standing, (entry(),), (), ("a-rule",))

    assert history.changes(old, new).new == (entry(),)
    assert history.changes(new, old).fixed == (entry(),)


def test_another_version_is_told():
    old, new = (replace(run().standing, version=version) for version in ("1.0", "1.1"))

    assert history.versions(old, new).startswith("auditlib 1.0 judged the earlier one, 1.1 this one")
    assert not history.versions(old, old)
    assert not history.versions(run().standing, new)


@pytest.mark.parametrize("name", ["..", "a b", "ü'\"<>", "x" * 200])
def test_the_folder_of_a_project_is_below_the_state_whatever_its_name(tmp_path, monkeypatch, name):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = tmp_path / "deep" / name
    project.mkdir(parents=True, exist_ok=True)
    folder = runs.default_folder(project)
    assert folder.resolve().parent == tmp_path / "state/auditlib/runs"


def test_a_state_folder_that_is_not_absolute_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runs.default_folder(tmp_path).is_relative_to(tmp_path / ".local/state")


def test_a_project_that_is_no_folder_is_told(tmp_path):
    with pytest.raises(ProjectError):
        runs.default_folder(Path(tmp_path / "gone"))


def test_a_side_is_a_run_a_report_or_a_findings_document(store, tmp_path):
    store.keep(run(entry()))
    report = tmp_path / "report"
    report.mkdir()
    findings = {"findings": [json.loads(document.dumps(run(entry())).splitlines()[1])]}
    (report / "findings.json").write_text(json.dumps(findings))
    stored = store.contents().runs[0]
    sides = [runs.side(str(name), store) for name in ("latest", report, report / "findings.json", stored.path)]
    assert [side.findings for side in sides] == [(entry(),)] * 4


def test_a_findings_document_tells_which_scanners_had_no_say(store, tmp_path):
    coverage = [
        {"file": ".", "kind": "scanner zizmor", "status": "failed"},
        {"file": "a", "kind": "compose", "status": "parsed"},
    ]
    (tmp_path / "x.json").write_text(json.dumps({"findings": [], "coverage": coverage}))
    assert runs.side(str(tmp_path / "x.json"), store).silent == ("zizmor",)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings":[{}]}', '{"findings":[1]}', '{"findings":{"a":1}}'])
def test_a_file_without_findings_is_told(store, tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UsageError, match="holds no findings"):
        runs.side(str(tmp_path / "x.json"), store)
