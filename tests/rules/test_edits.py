"""Writes the edit that a finding shows into its file: the file must still be read, and the fault be gone from there."""

from pathlib import Path

import pytest
import yaml

from auditlib import edits, excerpts, graph, readers, rules
from auditlib.model import Read
from auditlib.source import Source

HERE = Path(__file__).parent
WITHOUT = {
    "copy-source-missing: finds what isn't in the root either": "what lies above the context can't be copied",
    "volume-shared-writers: one SQLite file in a folder of the host": "another database is more than lines",
    "volume-shared-writers: one SQLite file that the services are told to open": "another database is more than lines",
}
"""The cases whose findings show no lines, and why."""


def cases(wanted):
    """The cases with findings, of the rules whose code holds a text, or of all."""
    for path in sorted(HERE.glob("*.yml")):
        rule = path.stem.replace("_", "-")
        code = (Path(rules.__file__).parent / f"{path.stem}.py").read_text(encoding="utf-8")
        for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if case["findings"] and wanted in code:
                yield pytest.param(rule, case["files"], id=f"{rule}: {name}")


CASES = list(cases("change="))
ALL = [item for item in cases("") if item.id not in WITHOUT]


def found(root, rule):
    source = Source(root)
    inventory = readers.read(source)
    findings, _ = rules.check(inventory, graph.build(inventory), [rules.find(rule)])
    unread = [entry for entry in inventory.coverage if entry.status is Read.FAILED]
    return findings, excerpts.collect(source, findings), unread


def write(path, place, edit):
    """What somebody does who takes the edit as it is shown."""
    lines = path.read_text(encoding="utf-8").split("\n")
    for text in (edit.removed or edit.kept).split("\n"):
        at = lines.index(text, place.line - 1)
        lines[at : at + 1] = [edit.kept, edit.added] if edit.kept else []
    if edit.removed and edit.added:
        lines[at:at] = edit.added.split("\n")
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize(("rule", "files"), CASES)
def test_an_edit_mends_its_place_and_breaks_nothing(rule, files, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    before, shown, unread = found(tmp_path, rule)
    for finding in before:
        edit = edits.edit(finding, shown.get(finding.location))
        original = (tmp_path / finding.location.file).read_text(encoding="utf-8")
        if edit is None or "‹secret" in edit.removed:  # a value that isn't shown can't be found by this test
            continue
        write(tmp_path / finding.location.file, finding.location, edit)
        after, _, broken = found(tmp_path, rule)
        (tmp_path / finding.location.file).write_text(original, encoding="utf-8")

        assert broken == unread, "the file is no longer read"
        assert (finding.location, finding.message) not in [(item.location, item.message) for item in after]


@pytest.mark.parametrize(("rule", "files"), ALL)
def test_a_finding_shows_what_to_write(rule, files, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    findings, shown, _ = found(tmp_path, rule)

    assert [item.message for item in findings if not (item.example or edits.edit(item, shown.get(item.location)))] == []


@pytest.mark.parametrize(
    "line", ["!!binary Q0h5S3rxy9KwArcgZr6pq7", '!!binary "Q0h5S3rxy9KwArcgZr6pq7"', "!!int changeme"]
)
def test_what_a_tag_says_how_to_read_is_not_replaced(line, tmp_path):
    text = f"services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_PASSWORD: {line}\n"
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    findings, shown, _ = found(tmp_path, "credential-default")

    assert [edits.edit(item, shown.get(item.location)) for item in findings] == [None]
