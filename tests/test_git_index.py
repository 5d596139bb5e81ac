"""The paths that Git tracks, read from its index without Git."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlib import git_index
from auditlib.source import Source

NAMES = [".env", "a/b/c.txt", "a/b/d.txt", "a/bc", "größe/x y.yml", "z" * 200, *(f"many/file-{n}" for n in range(300))]


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    return tmp_path


@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_version_of_the_index_names_the_same_files(repository, version):
    git(repository, "add", "--force", *NAMES[:-1])
    git(repository, "add", "--intent-to-add", NAMES[-1])  # which needs the flags that version 3 brought
    git(repository, "update-index", "--index-version", str(version))

    assert git_index.tracked((repository / ".git/index").read_bytes()) == frozenset(NAMES)


def test_a_tracked_file_is_listed_though_it_is_ignored_and_nothing_beside_it(repository):
    (repository / ".gitignore").write_text(".env\na/\nmany/\n", encoding="utf-8")
    git(repository, "add", "--force", ".env", "a/b/c.txt")

    listed = set(Source(repository).files)
    assert {".env", "a/b/c.txt"} <= listed
    assert not {"a/b/d.txt", "a/bc", "many/file-0"} & listed


def test_the_configuration_leaves_out_what_is_tracked(repository):
    git(repository, "add", "--force", ".env")

    assert ".env" not in Source(repository, (".env",)).files


@pytest.mark.parametrize("data", [b"", b"DIRC", b"DIRC\0\0\0\2\0\0\0\5", b"DIRC\0\0\0\x09\0\0\0\0", b"\x89PNG" * 40])
def test_what_is_no_index_is_not_known(data):
    assert git_index.tracked(data) is None


@given(st.binary(max_size=400))
def test_no_bytes_do_harm(data):
    found = git_index.tracked(b"DIRC\0\0\0" + bytes([2 + len(data) % 3]) + data)
    assert found is None or all(isinstance(path, str) for path in found)


def test_an_index_cut_short_is_not_believed(repository):
    git(repository, "add", "--force", *NAMES)
    data = (repository / ".git/index").read_bytes()

    assert git_index.tracked(data[: len(data) // 2]) is None
