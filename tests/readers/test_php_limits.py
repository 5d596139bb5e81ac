"""What the configuration of PHP allows a request."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.readers import php_limits
from auditlib.source import Source

CASES = {
    "php.ini": ("php/app.ini", "upload_max_filesize = 64M\n; post_max_size = 8M\nmax_execution_time=300\n",
                [("upload_max_filesize", 64 * 2**20, 1), ("max_execution_time", 300, 3)]),
    "a pool": ("docker/php-fpm/www.conf", "php_admin_value[post_max_size] = 20M\n", [("post_max_size", 20 * 2**20, 1)]),
    "a Dockerfile": ("Dockerfile", "FROM php:8.3\nRUN echo \"upload_max_filesize=1G\" > /usr/local/etc/php/conf.d/x\n",
                     [("upload_max_filesize", 2**30, 2)]),
    "another file": ("notes.txt", "upload_max_filesize = 64M\n", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_limits(name, tmp_path):
    file, text, expected = CASES[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = [(item.name, item.amount, item.location.line) for item in php_limits.read(Source(tmp_path)).records]
    assert found == expected


@settings(max_examples=20)
@given(st.text(max_size=200))
def test_arbitrary_text_does_no_harm(tmp_path_factory, text):
    root = tmp_path_factory.mktemp("php")
    (root / "php.ini").write_text(f"upload_max_filesize = {text}", encoding="utf-8")
    php_limits.read(Source(root))
