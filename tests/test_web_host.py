"""Where a repository is shown on the web follows from its remote, and never carries what the remote's URL hides."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditlib import web_host
from auditlib.model import Location
from auditlib.source import Source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def config(url: str) -> str:
    upstream = '[core]\n\tbare = false\n[remote "upstream"]\n\turl = https://github.com/not/this\n'
    return f'{upstream}[remote "origin"]\n\tfetch = +refs/*:refs/*\n\turl = {url}\n[branch "main"]\n\tremote = x\n'


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop"),
        ("https://user:ghp_secret@github.com/acme/shop", "https://github.com/acme/shop"),
        ("https://ghp_secret@github.com/acme/shop.git", "https://github.com/acme/shop"),
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
        ("ssh://git@gitlab.example.org:2222/team/sub/shop.git", "https://gitlab.example.org/team/sub/shop"),
        ("https://gitlab.example.org:8443/team/shop.git", "https://gitlab.example.org:8443/team/shop"),
        ("git@bitbucket.org:acme/shop.git", "https://bitbucket.org/acme/shop"),
        ("https://codeberg.org/acme/shop/", "https://codeberg.org/acme/shop"),
        ("http://github.com/acme/shop", ""),
        ("/srv/git/shop.git", ""),
        ("file:///srv/git/shop.git", ""),
        ("https://intranet/acme/shop.git", ""),
        ("https://example.org/acme/shop.git", ""),
        ("https://user:a/b@github.com/acme/shop", ""),
        ("https://github.com/acme/shop?token=secret", ""),
        ("https://github.com/../shop", ""),
        ('https://github.com/acme/"><script>', ""),
    ],
)
def test_the_address_of_a_remote(url: str, expected: str) -> None:
    assert web_host.address(config(url)) == expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://github.com/a/b", f"https://github.com/a/b/blob/{COMMIT}/deploy/a%20b.yml#L3-L5"),
        ("https://gitlab.com/a/b", f"https://gitlab.com/a/b/-/blob/{COMMIT}/deploy/a%20b.yml#L3-5"),
        ("https://bitbucket.org/a/b", f"https://bitbucket.org/a/b/src/{COMMIT}/deploy/a%20b.yml#lines-3:5"),
        ("https://gitea.example.org/a/b", f"https://gitea.example.org/a/b/src/commit/{COMMIT}/deploy/a%20b.yml#L3-L5"),
        ("", ""),
    ],
)
def test_the_link_to_lines(base: str, expected: str) -> None:
    assert web_host.link(base, COMMIT, Location("deploy/a b.yml", 3, 1, 5)) == expected


def test_a_single_line_and_no_commit() -> None:
    assert web_host.link("https://github.com/a/b", COMMIT, Location("x.yml", 3)).endswith("/x.yml#L3")
    assert web_host.link("https://github.com/a/b", "", Location("x.yml", 3)) == ""


def test_a_source_knows_its_origin(tmp_path: Path) -> None:
    assert Source(tmp_path).origin == ""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text(config("https://me:hunter2@github.com/acme/shop.git"))

    assert Source(tmp_path).origin == "https://github.com/acme/shop"
