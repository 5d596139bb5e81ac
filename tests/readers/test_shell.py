import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlib.readers import shell
from auditlib.redaction import Vault


def shown(text, **options):
    for item in shell.commands(text, "f", 1, **options):
        notes = [" !"] if item.cannot_fail else []
        notes += [f" in {item.folder}"] if item.folder else []
        notes += [f" with {','.join(item.assignments)}"] if item.assignments else []
        yield " | ".join(item.words) + "".join(notes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("""A=1 make -C "x $Y" a\\ b 'c d' pre"mid"'end'""", ["make | -C | x $Y | a b | c d | premidend with A"]),
        ("pytest || true", ["pytest !", "true"]),
        ("pytest || { echo no; exit 1; }", ["pytest", "echo | no", "exit | 1"]),
        ("pytest || exit 1", ["pytest", "exit | 1"]),
        ("a && b || :", ["a !", "b !", ":"]),
        ("flake8; exit 0", ["flake8 !", "exit | 0 !"]),
        ("set -e\nflake8; exit 0", ["set | -e", "flake8", "exit | 0"]),
        ("set -Eeuo pipefail\nflake8; exit 0", ["set | -Eeuo | pipefail", "flake8", "exit | 0"]),
        ("set -u -o errexit\nflake8; exit 0", ["set | -u | -o | errexit", "flake8", "exit | 0"]),
        ("set -u +e\nflake8; exit 0", ["set | -u | +e", "flake8 !", "exit | 0 !"]),
        ("cd a && (cd b; ls) && pwd", ["cd | a", "cd | b in a", "ls in a/b", "pwd in a"]),
        ("cd a; cd -; ls", ["cd | a", "cd | - in a", "ls"]),
        ("x=$(foo bar) | baz", ["foo | bar", "baz"]),
        ("if ! grep x; then for i in 1 2; do y $i; done; fi", ["grep | x", "y | $i"]),
        ('pip "foo==${{ matrix.v }}" ${{ inputs.x }}', ["pip | foo==${{ matrix.v }} | ${{ inputs.x }}"]),
        ("ssh host <<EOF\ncd app\nmake\nEOF\nls", ["ssh | host", "cd | app", "make in app", "ls"]),
        ("cat <<EOF > f\nnot a command\n$(date)\nEOF", ["cat", "date"]),
        ("bash -lc 'cd x; make || :'", ["bash | -lc | cd x; make || :", "cd | x", "make ! in x", ": in x"]),
    ],
)  # fmt: skip
def test_commands(text, expected):
    assert list(shown(text)) == expected


def test_errexit_of_the_caller_counts():
    assert list(shown("flake8; true", errexit=True)) == ["flake8", "true"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a; if b; then c; else d; fi; e", ["c", "d"]),
        ("a && b && c; d", ["b", "c"]),
        ("case $x in y) a ;; esac; for i in 1; do b; done", ["a"]),
    ],
)
def test_what_runs_only_in_some_case(text, expected):
    assert [item.words[0] for item in shell.commands(text, "f") if item.conditional] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("""a "$X ${Y:-z}" $X pre$Z""", ("X", "Y", "Z")),
        ("a '$X' \\$X ${#X} ${X:+set} ${!X}", ()),
        ("a $(b $X)", ()),
    ],
)
def test_the_variables_that_a_command_is_filled_in_with(text, expected):
    assert shell.commands(text, "f")[0].expands == expected


def test_lines_and_columns_are_those_of_the_file():
    found = shell.commands("ä; b\n  c \\\n  d", "f", 10, indent=4)
    assert [(item.location.line, item.location.column, item.location.end_line) for item in found] == [
        (10, 5, 10), (10, 8, 10), (11, 7, 12),
    ]  # fmt: skip


def test_secrets_are_masked_by_the_words_before_them():
    [command] = shell.commands("redis-cli -a hunter2 ping", "f", 1, Vault())
    assert command.words[0] == "redis-cli"
    assert command.words[-1] == "ping"
    assert "hunter2" not in str(command)


@given(st.text(max_size=300))
def test_any_text_gives_commands(text):
    for command in shell.commands(text, "f", 1, Vault()):
        assert command.words
        assert 1 <= command.location.line <= text.count("\n") + 1


def test_a_character_outside_ascii_after_a_brace_kills_nobody():
    """The grammar's scanner reads past a table; whether that kills the process is a matter of where its memory lies."""
    code = (
        "from auditlib.readers import shell\n"
        "for text in ('{\\U0010ffff}', '{\\U0010ffff..3}', '{1..\\U000fef46}', 'echo {\\U0010ffff} b'):\n"
        "    found = list(shell.commands(text, 'f', 1))\n"
        "print(ascii(found[0].words))"
    )
    for _ in range(8):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, ascii(("echo", "{\U0010ffff}", "b")))


@given(
    st.lists(st.text(st.characters(exclude_characters="\0\n\r", codec="utf-8"), max_size=20), min_size=1, max_size=5)
)
def test_quoted_words_come_back(words):
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    [command] = shell.commands(f"run {quoted}", "f", 1)
    assert command.words == ("run", *words)


@pytest.mark.parametrize(
    "text",
    ["$(a " * 20_000, "((a\n" * 20_000, "a |\n" * 20_000, "if a; then\n" * 20_000, '"$(' * 20_000, "{ a\n" * 20_000,
     "a=(\n" * 20_000, "bash <<E\n" * 20_000, "x" * 5_000_000, "a b\n" * 1_000_000],
    ids=lambda text: repr(text[:10]),
)  # fmt: skip
def test_hostile_text_ends_soon(text):
    start = time.process_time()
    assert len(shell.commands(text, "f", 1, Vault())) <= shell.COMMAND_LIMIT
    assert time.process_time() - start < 15


def test_what_decides_by_a_status():
    text = (
        "one\nif two; then three; fi\nwhile ! four; do five; done\nsix && seven\neight || exit 1\n"
        "if true; then nine; elif ten; then eleven; fi\n"
    )
    asked = {item.words[0] for item in shell.commands(text, "a.sh") if item.asked}
    assert asked == {"two", "four", "six", "seven", "eight", "exit", "true", "ten"}
    assert [item.asked for item in shell.commands("set -eu\none\n", "a.sh")] == [True, True]
    assert shell.commands("one\n[ $? -eq 0 ] || exit 1\n", "a.sh")[0].asked


def test_whose_output_is_taken():
    text = "one\ntwo | three\nx=$(four)\nfive 2>&1 | six > f\ny=$(seven || true)\n"
    assert [item.words[0] for item in shell.commands(text, "a.sh") if item.caught] == [
        "two",
        "four",
        "five",
        "seven",
        "true",
    ]
