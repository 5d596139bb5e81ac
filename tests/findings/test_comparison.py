"""What became of findings: new, fixed, grown, shrunk. A grown finding is news to a baseline; moved lines are not."""

import json
import subprocess
import sys

import pytest
import remembered
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditlib import entries
from auditlib.audit import audit
from auditlib.comparison import compare, grown
from auditlib.model import Status

SERVICE = "  {0}:\n    image: example/{0}:1.2\n    restart: always\n"
STEP = "      - uses: actions/{0}@v4\n"
WORKFLOW = "on: push\npermissions: {}\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n"


def needing(*names):
    """The services, the last of which needs the one before it."""
    text = compose(*names)["compose.yml"]
    return {"compose.yml": f"{text}    depends_on: [{names[-2]}]\n"}


def compose(*names):
    return {"compose.yml": "services:\n" + "".join(map(SERVICE.format, names))}


def workflow(*names):
    return {".github/workflows/ci.yml": WORKFLOW + "".join(map(STEP.format, names))}


def moved(files):
    return {name: f"# moved\n\n{text}" for name, text in files.items()}


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def found_in(root):
    return [entries.of(finding) for finding in audit(root).findings]


TWO = """services:
  a: {{image: "acme/a:{}", restart: always}}
  b: {{image: "acme/b:{}", restart: always, ports: ["{}8000:8000"]}}
"""
MONITOR = """services:
  monitor:
    image: {}
    restart: always
    volumes: ["/var/run:/var/run{}", "/sys:/sys{}"]
"""
CADVISOR = "gcr.io/cadvisor/cadvisor:v0.52.1"
BETTER = {
    "one of several images gets a version": (TWO.format("1.2.3", "latest", ""), TWO.format("1.2.3", "1.2.3", "")),
    "the first image gets a version": (TWO.format("latest", "latest", ""), TWO.format("1.2.3", "latest", "")),
    "a port is for the host alone": (TWO.format("1.2.3", "1.2.3", ""), TWO.format("1.2.3", "1.2.3", "127.0.0.1:")),
    "what a program needs can't be written any more": (
        MONITOR.format(CADVISOR, "", ""), MONITOR.format(CADVISOR, ":ro", ":ro"),
    ),
    "a finding is suppressed": (
        TWO.format("1.2.3", "latest", ""),
        TWO.format("1.2.3", "latest", "").replace("  b:", "  # auditlib: ignore[image-unpinned] it is ours\n  b:"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), BETTER.values(), ids=BETTER)
def test_an_improvement_is_never_told_as_a_worsening(tmp_path, before, after):
    old, new = (found_in(write(tmp_path / "shop", {"compose.yml": text})) for text in (before, after))
    changes = compare(old, new)

    assert changes.worse == ()
    assert not {"new", "spread further"} & {fate for _, fate in changes.counts}
    assert {"new", "spread further", "fixed"} & {fate for _, fate in compare(new, old).counts} or changes.suppressed


def test_what_is_information_alone_is_noted(tmp_path):
    old, new = (found_in(write(tmp_path / "shop", compose(*names))) for names in (["a"], ["a", "b"]))
    noted = {entry.rule for entry in compare(old, new).noted}

    assert "compose-lint/CL-0007" in noted
    assert "compose-lint/CL-0006" in {item.new.rule for item in compare(old, new).grown}


def test_what_a_scanner_that_had_no_say_did_not_find_is_not_fixed(tmp_path):
    root = write(tmp_path / "shop", workflow("cache", "checkout"))
    whole, ours = audit(root), audit(root, scanned=False)
    old, new = (tuple(map(entries.of, result.findings)) for result in (whole, ours))
    changes = compare(old, new, silent=["zizmor"])
    assert any(entry.rule.startswith("zizmor/") for entry in compare(old, new).fixed)
    assert changes.none
    assert changes.left_out == ("zizmor",)
    assert compare(new, old, silent=["zizmor"]).none


def check(root, *arguments):
    command = [sys.executable, "-m", "auditlib", "check", str(root), "--no-scanners", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


ACTIONS = workflow("cache", "checkout")
CASES = {
    "a service more with the same fault": (compose("api", "web"), compose("api", "web", "worker"), "worker"),
    "a service more that comes first": (compose("web", "worker"), compose("api", "web", "worker"), "api"),
    "another service in the place of the first": (compose("api", "web"), compose("cache", "web"), "cache"),
    "a service in the place of another": (compose("api", "web"), compose("api", "worker"), "worker"),
    "an action more that a scanner reports": (ACTIONS, workflow("cache", "checkout", "stale"), "ci.yml"),
    "a workflow more that a scanner reports": (
        ACTIONS,
        {**ACTIONS, ".github/workflows/nightly.yml": WORKFLOW + STEP.format("stale")},
        "nightly.yml",
    ),
}  # fmt: skip


SHRUNK = {
    "a service less": (compose("api", "web", "worker"), compose("api", "web"), "no longer compose.yml: worker"),
    "the first service less": (compose("api", "web", "worker"), compose("web", "worker"), "no longer compose.yml: api"),
    "an action less": (workflow("cache", "checkout", "stale"), ACTIONS, "in 2 places now, 3 before"),
    "an action that is left alone": (ACTIONS, workflow("cache"), "in 1 place now, 2 before"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "said"), SHRUNK.values(), ids=SHRUNK)
def test_a_finding_that_is_fixed_in_some_places_has_shrunk(before, after, said, tmp_path):
    old = found_in(write(tmp_path / "shop", before))
    changes = compare(old, found_in(write(tmp_path / "shop", after)))
    assert any(kept.retreat.startswith(said) for kept in changes.shrunk)
    assert not changes.grown
    assert not changes.worse


def test_a_place_won_and_a_place_lost_are_both_told(tmp_path):
    old = found_in(write(tmp_path / "shop", compose("api", "web")))
    changes = compare(old, found_in(write(tmp_path / "shop", compose("api", "worker"))))
    groups = (changes.shrunk, "shrunk"), (changes.grown, "spread further"), (changes.noted, "noted")
    assert changes.counts == tuple((len(group), fate) for group, fate in groups)
    assert "worker" in changes.grown[0].spread
    assert "web" in changes.shrunk[0].retreat


@pytest.mark.parametrize(("before", "after", "named"), CASES.values(), ids=CASES)
def test_a_new_member_makes_a_finding_grow(before, after, named, tmp_path):
    old = found_in(write(tmp_path / "shop", before))
    changes = compare(old, found_in(write(tmp_path / "shop", after)))
    assert changes.grown
    assert any(
        named in place.message or named in place.file for kept in changes.grown for place in grown(kept.old, kept.new)
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (compose("api", "web", "worker"), compose("api", "web")),
        (compose("api", "web", "worker"), compose("web", "worker")),
        (compose("api", "web"), compose("web", "api")),
        (compose("api", "web", "worker"), compose("worker", "web")),
        (compose("api", "web", "worker"), needing("api", "web", "worker")),
        (compose("api", "web"), moved(compose("api", "web"))),
        (ACTIONS, moved(ACTIONS)),
    ],
    ids=["a member less", "the first member less", "the other order", "one less and the other order",
         "other words about a member", "moved lines", "moved lines of a workflow"],
)  # fmt: skip
def test_it_does_not_grow_by(before, after, tmp_path):
    old = found_in(write(tmp_path / "shop", before))
    changes = compare(old, found_in(write(tmp_path / "shop", after)))
    assert not changes.grown
    assert not changes.new


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (compose("api", "web"), compose("web", "api")),
        (compose("api", "web", "worker"), needing("api", "web", "worker")),
        (compose("api", "web"), moved(compose("api", "web"))),
        (ACTIONS, moved(ACTIONS)),
    ],
    ids=["the other order", "other words about a member", "moved lines", "moved lines of a workflow"],
)
def test_it_does_not_shrink_by(before, after, tmp_path):
    old = found_in(write(tmp_path / "shop", before))
    assert not compare(old, found_in(write(tmp_path / "shop", after))).shrunk


def test_the_baseline_fails_for_a_new_member_and_names_it(tmp_path):
    root, known = write(tmp_path / "shop", compose("api", "web")), tmp_path / "known.json"
    known.write_text(check(root, "--format", "json").stdout, encoding="utf-8")
    options = ("--rule", "healthcheck-missing", "--fail-on", "low", "--baseline", known)
    assert check(root, *options).returncode == 0

    grown = check(write(root, compose("api", "web", "worker")), *options)
    assert grown.returncode == 1
    assert "auditlib: grown: medium[healthcheck-missing] at compose.yml:" in grown.stderr
    assert "worker" in grown.stderr


def test_an_older_baseline_does_not_mark_members_and_still_tells_a_new_one(tmp_path):
    root, known = write(tmp_path / "shop", compose("api", "web")), tmp_path / "known.json"
    document = json.loads(check(root, "--format", "json").stdout)
    for finding in document["findings"]:
        for place in finding["related"]:
            del place["member"]
    known.write_text(json.dumps(document), encoding="utf-8")
    options = ("--fail-on", "low", "--baseline", known)
    assert check(root, *options).returncode == 0
    assert check(write(root, compose("api", "web", "worker")), *options).returncode == 1


def test_a_baseline_of_fingerprints_alone_knows_the_finding_whatever_its_size(tmp_path):
    root, known = write(tmp_path / "shop", compose("api", "web")), tmp_path / "known.json"
    document = json.loads(check(root, "--format", "json").stdout)
    cut = [{"fingerprint": finding["fingerprint"]} for finding in document["findings"]]
    known.write_text(json.dumps({"findings": cut}), encoding="utf-8")
    write(root, compose("api", "web", "worker"))
    assert check(root, "--rule", "healthcheck-missing", "--fail-on", "low", "--baseline", known).returncode == 0


WORDS = st.sampled_from(["", "api", "web", "d:\\x", "ü", "<b>", "a\nb"])
ENTRIES = remembered.entries(WORDS, st.sampled_from("abcdef"))


def fresh(changes):
    """What is noted and was not there before."""
    return [entry for entry in changes.noted if entry not in [item.new for item in changes.kept]]


@given(ENTRIES)
def test_nothing_changes_between_a_run_and_itself(found):
    assert compare(found, found).none


@given(ENTRIES, ENTRIES)
def test_the_way_back_swaps_new_and_fixed(old, new):
    there, back = compare(old, new), compare(new, old)
    assert ({*there.new, *fresh(there)}, there.reopened) == ({*back.fixed}, tuple(back.suppressed))
    assert ({*there.fixed}, there.suppressed) == ({*back.new, *fresh(back)}, tuple(back.reopened))
    grown = {(item.old, item.new) for item in there.kept if item in there.grown or item.new in there.noted}
    assert grown == {(item.new, item.old) for item in back.shrunk}
    assert {(item.old, item.new) for item in there.kept} == {(item.new, item.old) for item in back.kept}


@given(ENTRIES, ENTRIES)
def test_every_open_finding_has_one_fate(old, new):
    changes = compare(old, new)
    opened = [entry.fingerprint for entry in new if entry.status is Status.OPEN]
    closed = [entry.fingerprint for entry in old if entry.status is Status.OPEN]
    kept = [item.new.fingerprint for item in changes.kept]
    told = (*changes.new, *fresh(changes), *changes.reopened)
    assert sorted(opened) == sorted([e.fingerprint for e in told] + kept)
    assert sorted(closed) == sorted([e.fingerprint for e in (*changes.fixed, *changes.suppressed)] + kept)


@given(ENTRIES)
def test_an_entry_survives_its_form_in_json(found):
    assert [entries.read(json.loads(json.dumps(entries.document(entry)))) for entry in found] == found


@given(ENTRIES, remembered.places(WORDS))
def test_a_finding_only_grows_by_members(found, places):
    explained = tuple(replace(place, member=False) for place in places)
    more = [replace(entry, places=(*entry.places, *explained)) for entry in found]
    assert not compare(found, more).grown
