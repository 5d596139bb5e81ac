"""Scripts for PowerShell: what their parser refuses, and whether they ask how programs ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlib.readers import powershell

REFUSED = [
    ('docker cp "$name:/data/dump.rdb" .', ["name"]),
    ('Write-Host "Error in $file: $_"', ["file"]),
    ('"$one:" ; "$two: $($x["a"]) $three:/x"', ["one", "two", "three"]),
    ('@"\nto $target:/srv\n"@', ["target"]),
    ('"$env:PATH $script:count ${name}:/data $a::b $host:$port"', []),
    ('"`$name:/data"', []),
    ("'$name:/data'  # \"$name:/data\"", []),
    ('<# "$name:/data" #>', []),
    ("@'\n\"$name:/data\"\n'@", []),
    ('"$($drive:x) and $(Get-Item "$env:TEMP\\a")"', []),
    ('"say ""$it""" + \'it\'\'s "$not:/x"\'', []),
]


@pytest.mark.parametrize(("text", "names"), REFUSED)
def test_names_the_references_that_the_parser_refuses(text, names):
    assert [item.name for item in powershell.refused_references("a.ps1", text)] == names


def test_names_their_lines():
    found = powershell.refused_references("a.ps1", 'param()\n\nscp a "$target:/srv"\n')
    assert [str(item.location) for item in found] == ["a.ps1:3"]


def test_names_the_programs_that_nobody_asks():
    text = '$x = ssh host "ls"\n  scp a b\nWrite-Host ssh\n# docker ps\n'
    assert [item.name for item in powershell.unasked_calls("a.ps1", text)] == ["ssh", "scp"]
    assert not list(powershell.unasked_calls("a.ps1", f"{text}if ($LASTEXITCODE -ne 0) {{ throw }}\n"))


@given(st.text(alphabet="\"'`$(){}@#<>:ab \n", max_size=200))
def test_any_text_does_no_harm(text):
    list(powershell.refused_references("a.ps1", text))
    list(powershell.unasked_calls("a.ps1", text))
