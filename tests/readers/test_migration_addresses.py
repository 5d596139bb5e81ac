"""Where code tells Alembic the address of its database."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.readers import migration_addresses
from auditlib.source import Source

CASES = {
    "a call": ("alembic/env.py", 'config.set_main_option("sqlalchemy.url", get_url())\n', [1]),
    "two lines": ("env.py", "x = 1\nc.set_main_option(\n    'sqlalchemy.url', url\n)\n", [2]),
    "doubled": ("env.py", 'c.set_main_option("sqlalchemy.url", url.replace("%", "%%"))\n', []),
    "a literal": ("env.py", 'c.set_main_option("sqlalchemy.url", "sqlite://")\n', []),
    "another file": ("main.py", 'config.set_main_option("sqlalchemy.url", url)\n', []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_addresses(name, tmp_path):
    file, text, expected = CASES[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = [item.location.line for item in migration_addresses.read(Source(tmp_path)).records]
    assert found == expected


@settings(max_examples=20)
@given(st.text(max_size=200))
def test_arbitrary_text_does_no_harm(tmp_path_factory, text):
    root = tmp_path_factory.mktemp("alembic")
    (root / "env.py").write_text(f'config.set_main_option("sqlalchemy.url", {text}', encoding="utf-8")
    migration_addresses.read(Source(root))
