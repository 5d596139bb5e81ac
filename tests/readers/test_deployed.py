"""What of a repository's Compose files is deployed, as its commands show it. The cases are in `deployed.yml`."""

from pathlib import Path

import pytest
import yaml

from auditlib import readers
from auditlib.source import Source

CASES = yaml.safe_load(Path(__file__).with_name("deployed.yml").read_text(encoding="utf-8"))
TEXTS = {
    "{base}": "services:\n  api: {image: 'acme/api:1', depends_on: [db]}\n  db: {image: 'postgres:16'}\n",
    "{override}": "services:\n  db: {ports: ['5432:5432']}\n  mailpit: {image: 'axllent/mailpit:v1'}\n",
    "{many}": " ".join(f"-f compose.{number}.yml" for number in range(30)),
}


def shown(project):
    return f"{project.name}: {' '.join([*project.files, *map(str, project.started_at)])}"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_deployed(case, tmp_path):
    for name, written in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = written
        for word, meaning in TEXTS.items():
            text = text.replace(word, meaning)
        path.write_text(text, encoding="utf-8")
    found = readers.read(Source(tmp_path))
    assert [shown(project) for project in found.deployed_projects] == case["deployed"]
    assert sorted(found.aside) == case.get("aside", [])
    assert [service.name for service in found.deployed_services] == case["services"]
    told = [f"{entry.file}:{entry.line} {entry.reason}" for entry in found.coverage if "together" in entry.reason]
    assert told == ([case["told"]] if "told" in case else [])
