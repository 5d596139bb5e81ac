"""The files of a repository: what is listed, what is left out, what is opened, and that nothing outside is."""

import os
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditlib import listing
from auditlib import source as source_module
from auditlib.errors import ProjectError
from auditlib.model import Read
from auditlib.source import Source, Unreadable


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


IGNORES = {
    "a pattern": ({".gitignore": "*.log\n", "a.log": "", "b.txt": "", "x/c.log": ""}, [".gitignore", "b.txt"]),
    "a folder": ({".gitignore": "out/\n", "out/a": "", "in/out/b": "", "in/c": ""}, [".gitignore", "in/c"]),
    "negation": ({".gitignore": "*.env\n!keep.env\n", "a.env": "", "keep.env": ""}, [".gitignore", "keep.env"]),
    "negation in a nested file": (
        {".gitignore": "*.env\n", "x/.gitignore": "!b.env\n", "a.env": "", "x/b.env": "", "x/c.env": ""},
        [".gitignore", "x/.gitignore", "x/b.env"],
    ),
    "a nested file that excludes": (
        {"x/.gitignore": "/a\n", "a": "", "x/a": "", "x/y/a": ""}, ["a", "x/.gitignore", "x/y/a"]
    ),
    "what is below an excluded folder can't come back": (
        {".gitignore": "x/\n!x/a\n", "x/a": "", "b": ""}, [".gitignore", "b"]
    ),
    "malformed patterns among others": ({".gitignore": "!\n[b-a]\n*.log\n", "a.log": "", "b": ""}, [".gitignore", "b"]),
    "vendored folders": ({"node_modules/a/b": "", "x/.venv/c": "", ".git/HEAD": "", "d": ""}, ["d"]),
}  # fmt: skip


@pytest.mark.parametrize("name", IGNORES)
def test_gitignore_decides_as_git_has_it(name, tmp_path):
    files, expected = IGNORES[name]
    write(tmp_path, files)
    assert list(Source(tmp_path).files) == expected


def test_what_configuration_excludes_no_gitignore_brings_back(tmp_path):
    write(tmp_path, {".gitignore": "!docs/\n", "docs/a": "", "b": ""})
    assert list(Source(tmp_path, ["docs/"]).files) == [".gitignore", "b"]


def test_what_is_left_out_is_counted_with_its_reason(tmp_path):
    write(tmp_path, {".gitignore": "*.log\n", "a.log": "", "b.log": "", "node_modules/x": ""})
    reasons = [entry.reason for entry in Source(tmp_path).left_out]
    assert reasons == [
        "2 files or folders left out: excluded by .gitignore or by configuration",
        "1 file or folder left out: vendored or generated",
    ]


def test_links_are_followed_inside_the_root_only(tmp_path):
    root = tmp_path / "root"
    write(tmp_path, {"outside.yml": "secret", "root/a/real.yml": "x: 1\n"})
    (root / "in.yml").symlink_to("a/real.yml")
    (root / "out.yml").symlink_to("../outside.yml")
    (root / "gone.yml").symlink_to("nowhere")
    (root / "folder").symlink_to("a")
    (root / "loop").symlink_to("loop")
    source = Source(root)
    assert list(source.files) == ["a/real.yml", "in.yml"]
    assert {entry.file for entry in source.left_out} == {"out.yml", "gone.yml", "folder", "loop"}
    for path in ("out.yml", "../outside.yml", str(tmp_path / "outside.yml"), "a/../../outside.yml"):
        with pytest.raises(Unreadable):
            source.text(path)
        assert not source.exists(path)


def test_a_pipe_holds_nothing_up(tmp_path):
    for name in ("compose.yml", ".gitignore"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "a").write_text("")
    source = Source(tmp_path)
    assert list(source.files) == ["a"]
    with pytest.raises(Unreadable, match="no regular file"):
        source.text("compose.yml")


UNREADABLE = {
    "binary": (b"\x00\x01", "binary", 1),
    "not UTF-8": ("a\nb\nGröße\n".encode("latin-1"), "not UTF-8", 3),
    "UTF-16": ("a: 1\n".encode("utf-16"), "binary", 1),
    "100 MB": (None, "100.0 MB", 1),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_why_and_says_it_again(name, tmp_path):
    content, reason, line = UNREADABLE[name]
    with (tmp_path / "a.yml").open("wb") as file:
        if content is None:
            file.truncate(100_000_000)
        else:
            file.write(content)
    source = Source(tmp_path)
    for _ in range(2):
        with pytest.raises(Unreadable, match=reason) as caught:
            source.text("a.yml")
        assert caught.value.line == line
    assert list(source.unreadable) == ["a.yml"]


def test_text_has_plain_line_ends_and_no_byte_order_mark(tmp_path):
    (tmp_path / "a").write_bytes("\ufeffa\r\nb\rc\u2028d\x0ce\n".encode())
    assert Source(tmp_path).lines("a") == ["a", "b", "c\u2028d\x0ce"]


def test_names_with_umlauts_spaces_newlines_and_html(tmp_path):
    names = ["Größe und Maß/ä b.yml", "line\nbreak", "<script>alert(1)</script>", "'quote\""]
    names = [name.replace("/script", "∕script") for name in names]
    write(tmp_path, dict.fromkeys(names, "x"))
    with open(os.fsencode(tmp_path) + b"/not-utf8-\xff", "wb"):
        pass
    source = Source(tmp_path)
    assert sorted(source.files) == sorted(names)
    assert [source.text(name) for name in names] == ["x"] * 4
    assert [entry.reason for entry in source.left_out] == ["1 file or folder left out: the name is not UTF-8"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_without_permission_is_an_entry(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    assert [(entry.file, entry.status) for entry in Source(tmp_path).left_out] == [("closed", Read.FAILED)]


def test_a_listing_that_fails_is_an_entry(tmp_path, monkeypatch):
    write(tmp_path, {"a/b": "", "c": ""})
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    source = Source(tmp_path)
    assert list(source.files) == ["c"]
    assert [(entry.file, entry.reason) for entry in source.left_out] == [("a", "can't be listed: Permission denied")]


def test_the_listing_stops_at_its_limit_and_keeps_what_is_near_the_root(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "COUNT_LIMIT", 5)
    write(tmp_path, {f"a/b/{number}": "" for number in range(10)} | {"z/compose.yml": "", "y": ""})
    source = Source(tmp_path)
    assert len(source.files) == 5
    assert {"y", "z/compose.yml"} <= set(source.files)
    assert "beyond the limit of 5 files" in source.left_out[0].reason


def test_depth_is_bounded(tmp_path):
    write(tmp_path, {"/".join("d" * 60) + "/a": "", "b": ""})
    assert list(Source(tmp_path).files) == ["b"]


def test_no_more_is_read_than_the_total_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "TOTAL_LIMIT", 15)
    write(tmp_path, {"a": "x" * 10, "b": "x" * 10})
    source = Source(tmp_path)
    source.text("a")
    with pytest.raises(Unreadable, match="before it"):
        source.text("b")


def test_what_is_not_cached_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "CACHE_LIMIT", 5)
    write(tmp_path, {"a": "x" * 10})
    source = Source(tmp_path)
    assert source.text("a") == source.text("a")


def test_wildcards_without_end_in_gitignore_are_not_matched(tmp_path):
    write(tmp_path, {".gitignore": "*a" * 30 + "b\n" + "**/" * 30 + "x\n*.log\n", "a" * 100: "", "b.log": ""})
    started = time.process_time()
    assert list(Source(tmp_path).files) == [".gitignore", "a" * 100]
    assert time.process_time() - started < 5


MATCHING = {
    ("*.md",): ["README.md", "docs/a.md"],
    ("*.yml", "*.yaml"): ["a.yml", "docs/b.yaml", "odd.yml/c.txt"],
    ("/*.yml",): ["a.yml", "odd.yml/c.txt"],
    ("/docs/**",): ["docs/a.md", "docs/b.yaml"],
    ("Caddyfile",): [],
}


@pytest.mark.parametrize("patterns", MATCHING)
def test_matching_is_gitignore_s(patterns, tmp_path):
    write(tmp_path, dict.fromkeys(["README.md", "docs/a.md", "docs/b.yaml", "a.yml", "odd.yml/c.txt"], ""))
    assert Source(tmp_path).matching(*patterns) == MATCHING[patterns]


HASH = "0123456789abcdef0123456789abcdef01234567"
COMMITS = {
    "detached": ({".git/HEAD": f"{HASH}\n"}, HASH),
    "a branch": ({".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": f"{HASH}\n"}, HASH),
    "packed": ({".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": f"# pack\n{HASH} refs/heads/main\n"}, HASH),
    "no repository": ({"a": ""}, ""),
    "nonsense": ({".git/HEAD": "ref: ../../../etc/passwd\n"}, ""),
    "a worktree": ({".git": "gitdir: /elsewhere\n"}, ""),
}


@pytest.mark.parametrize("name", COMMITS)
def test_the_commit_is_read_as_text(name, tmp_path):
    files, commit = COMMITS[name]
    write(tmp_path, files)
    assert Source(tmp_path).commit == commit


def test_git_s_own_files_are_not_followed_out_of_the_root(tmp_path):
    write(tmp_path, {"outside/HEAD": HASH, "root/a": ""})
    (tmp_path / "root/.git").symlink_to("../outside")
    assert Source(tmp_path / "root").commit == ""


JSON = {"[" * 100_000: "nested too deep", "1" * 5_000: "not valid JSON", "{": "not valid JSON", '{"a":\n x}': "JSON"}


@pytest.mark.parametrize("text", JSON, ids=["deep", "digits", "open", "word"])
def test_json_that_is_none(text, tmp_path):
    write(tmp_path, {"a.json": text})
    with pytest.raises(Unreadable, match=JSON[text]):
        Source(tmp_path).json("a.json")


def test_a_path_that_is_no_folder(tmp_path):
    (tmp_path / "a").write_text("")
    for path in (tmp_path / "a", tmp_path / "missing"):
        with pytest.raises(ProjectError, match="is not a folder"):
            Source(path)


@settings(max_examples=60)
@given(text=st.text(st.sampled_from("*?[]!/\\ab#. \t-"), max_size=12))
@example(text="[[]")
def test_any_gitignore_is_survived(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    write(root, {".gitignore": text, "a/b": "", "ab": ""})
    assert set(Source(root).files) <= {".gitignore", "a/b", "ab"}


def test_an_earlier_report_is_no_part_of_the_repository(tmp_path):
    for name in ("build/report/index.html", "build/report/snapshot.json", "build/report/findings.json", "compose.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    source = Source(tmp_path)
    assert source.files == ("compose.yaml",)
    assert any("report" in entry.reason for entry in source.left_out)
