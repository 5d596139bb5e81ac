"""Which Compose projects a repository holds; the cases are in `cases/discover.yml`."""

from __future__ import annotations

import pytest
from reading import cases, write

from auditlib import compose


@pytest.mark.parametrize("case", cases("discover"))
@pytest.mark.parametrize("listed", [False, True], ids=["walked", "listed"])
def test_projects_are_told_apart(case, listed, tmp_path):
    write(tmp_path, case["files"])
    found = compose.discover(tmp_path, paths=case["files"] if listed else None)
    assert len(found) == len(case["found"])
    for project, expected in zip(found, case["found"], strict=True):
        for key, value in expected.items():
            got = getattr(project, key)
            assert (list(got) if isinstance(got, tuple) else got) == value, (key, project)


def test_folders_of_others_are_not_walked(tmp_path):
    write(tmp_path, {"node_modules/x/compose.yaml": "services: {a: {image: x}}", ".git/compose.yaml": "services: {}"})
    assert compose.discover(tmp_path) == ()


def test_only_the_listed_paths_are_looked_at(tmp_path):
    write(tmp_path, {"compose.yaml": "services: {a: {image: x}}", "ignored/compose.yaml": "services: {a: {image: x}}"})
    assert [p.files for p in compose.discover(tmp_path, paths=["README.md", "compose.yaml"])] == [("compose.yaml",)]


def test_a_link_out_of_the_root_is_broken_and_unread(tmp_path):
    write(tmp_path, {"root/a.txt": "", "outside.yaml": "services: {a: {image: x}}"})
    (tmp_path / "root" / "compose.yaml").symlink_to(tmp_path / "outside.yaml")
    (found,) = compose.discover(tmp_path / "root")
    assert found.role == "broken"
    assert "it was not opened" in found.reason


def test_a_thousand_projects_in_order(tmp_path):
    write(tmp_path, {f"p{i:04}/compose.yaml": "services: {a: {image: x}}" for i in range(1000)})
    found = compose.discover(tmp_path)
    assert [p.directory for p in found] == [f"p{i:04}" for i in range(1000)]
