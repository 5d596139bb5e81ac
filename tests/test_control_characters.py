"""Whatever a repository's names hold, no output of any kind steers the terminal that shows it."""

import re

import pytest

from auditlib import cli
from auditlib.cli.findings import CheckFormat

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
COMPOSE = """services:
  "a\\e]0;title\\a\\e[31m":
    image: "shop\\e[2J:latest"
    environment: {"DB\\x9b31m_PASSWORD": hunter2}
  db: {image: postgres, ports: ["5432:5432"], container_name: "\\e[8mdb"}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop") / "shop\x1b[31m"
    (folder / "mon\x1b[5mitoring").mkdir(parents=True)
    (folder / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (folder / "mon\x1b[5mitoring/prometheus.yml").write_text(
        'scrape_configs: [{job_name: "x\\e[0m", static_configs: [{targets: ["gone\\e[1m:1"]}]}]\n', encoding="utf-8"
    )
    (folder / "settings.py").write_text('import os\nX = os.environ["NAME\x1b[4m"]\n', encoding="utf-8")
    return folder


@pytest.mark.parametrize("output_format", CheckFormat)
def test_check(repository, output_format, capsys):
    cli.run(["check", str(repository), "--no-scanners", "--format", output_format.value])
    written = "".join(capsys.readouterr())

    assert len(written) > 100
    assert CONTROL.findall(written) == []


def test_report(repository, tmp_path):
    assert cli.run(["report", str(repository), "-o", str(tmp_path / "out"), "--format", "html,slides,markdown"]) == 0
    (tmp_path / "out/snapshot.json").unlink()  # for programs alone
    texts = {path for path in (tmp_path / "out").rglob("*") if path.suffix in (".csv", ".html", ".json", ".md")}

    assert {path.name for path in texts} >= {"index.html", "slides.html", "report.md", "findings.csv", "findings.json"}
    assert [path.name for path in texts if CONTROL.search(path.read_text(encoding="utf-8"))] == []
