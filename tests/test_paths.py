"""Paths as text: the folders above files, and the files below a folder."""

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from auditlib.paths import below, folders_of, unfolded

NAMES = st.sampled_from(["a", "a0", "a-b", "a/b", "b", "é", "0", "a.b"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.lists(PATHS))
def test_folders_are_all_parents(paths):
    assert folders_of(paths) == {str(parent) for path in paths for parent in PurePosixPath(path).parents}


@given(st.lists(PATHS), PATHS)
def test_below_a_folder_is_what_begins_with_it(paths, folder):
    assert below(sorted(paths), folder) == [path for path in sorted(paths) if path.startswith(f"{folder}/")]


def test_below_the_root_is_everything():
    assert below(["a", "b/c"], "") == below(["a", "b/c"], ".") == ["a", "b/c"]


def test_names_in_braces_are_taken_apart():
    assert unfolded("/opt/{a,b/c}/x") == ("/opt/a/x", "/opt/b/c/x")
    assert unfolded("a,b") == ("a,b",)
    assert unfolded("${A,b}") == ("${A,b}",)
    assert unfolded("{a}") == ("{a}",)
