import pytest

from auditlib.readers import shell, shell_parts

FUNCTION = "# One more\nstep_{0}() {{\n    run a{0} \\\n        --x{0} 1 \\\n        --y 2\n}}\n\n"
LINES = "".join(f"  run a{number} \\\n    --size 1 \\\n    --name b\n" for number in range(900))
HERE = "cat > f <<'END'\n" + "}\n\nword --x\n" * 1300 + "END\n"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("".join(FUNCTION.format(number) for number in range(400)), "}\n"),
        (LINES, "--name b\n"),
        (HERE * 3, "\nEND\n"),
        ("a\n\n# b\n" + LINES, "--name b\n"),
        ("x\n" * 300 + "# y\n\nz\n" * 3000, "# y\n\n"),
        ("a \\\n" * 9000, "a \\\n"),
    ],
    ids=["functions", "continued", "here-documents", "early", "blank", "nothing"],
)
def test_where_a_long_text_is_cut(text, first):
    found = list(shell_parts.parts(text, 20_000))
    assert "".join(found) == text
    assert len(found) > 1
    assert all(part.endswith(first) for part in found[:-1])
    assert max(map(len, found)) <= 20_000


def test_a_short_text_stays_whole():
    assert list(shell_parts.parts("a\n\nb\n", 20_000)) == ["a\n\nb\n"]
    assert list(shell_parts.parts("", 20_000)) == [""]


def test_no_command_of_a_long_text_is_cut_in_two():
    text = "".join(FUNCTION.format(number) for number in range(900))
    found = shell.commands(text, "f")
    assert len(found) == 900
    assert {item.words[0] for item in found} == {"run"}
    assert [item.function for item in found] == [f"step_{number}" for number in range(900)]
