"""Suppressions, configuration, baseline, explanation and fingerprints, through the audit and the command line."""

import csv
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from auditlib import configuration, rules
from auditlib.audit import audit
from auditlib.errors import UsageError
from auditlib.formats import csv_table, explanation, github, junit, markdown, plain_text, sarif
from auditlib.model import Severity, Status
from auditlib.report import settings
from auditlib.source import Source

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "data/propertypro"
TODAY = date(2026, 6, 1)
PLAIN = "services:\n  api:{0}\n    image: example/api:1.2\n    restart: always\n"
RULE = "healthcheck-missing"


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def judged(root, today=TODAY):
    return audit(root, scanned=True, today=today).findings


def of(findings, rule):
    return [finding for finding in findings if finding.rule == rule]


@pytest.mark.parametrize(
    ("comment", "status", "problem"),
    [
        ("", "open", None),
        (f"  # auditlib: ignore[{RULE}] the image has one", "suppressed", None),
        (f"  # auditlib: ignore[{RULE}] until=2027-01-31 later", "suppressed", None),
        (f"  # auditlib: ignore[{RULE}] until=2026-01-31 later", "open", "suppression-expired"),
        (f"  # auditlib: ignore[{RULE}]", "open", "suppression-malformed"),
        ("  # auditlib: ignore because", "open", "suppression-malformed"),
        (f"  # auditlib: ignore[{RULE}] until=soon later", "open", "suppression-malformed"),
        ("  # auditlib: ignore[healthcheck-mising] typo", "open", "suppression-malformed"),
        ("  # auditlib: ignore[backup-missing] wrong rule", "open", "suppression-unused"),
    ],
)
def test_a_comment_suppresses_with_a_reason_and_until_its_day(tmp_path, comment, status, problem):
    findings = judged(write(tmp_path, compose_yml=PLAIN.format(comment)))
    assert str(of(findings, RULE)[0].status) == status
    assert [finding.rule for finding in findings if finding.rule.startswith("suppression-")] == [problem] * bool(
        problem
    )


def test_a_comment_on_a_line_of_its_own_holds_for_the_next(tmp_path):
    text = PLAIN.format("").replace("  api:", f"  # auditlib: ignore[{RULE}] known\n\n  # the API\n  api:")
    found = of(judged(write(tmp_path, compose_yml=text)), RULE)[0]
    assert (found.status, found.reason) == (Status.SUPPRESSED, "known")


def test_the_configuration_suppresses_by_path_and_service(tmp_path):
    entry = f'[[ignore]]\nrule = "{RULE}"\npath = "*.yml"\nservice = "api"\nreason = "known"\nexpires = 2026-12-31\n'
    root = write(tmp_path, compose_yml=PLAIN.format(""), auditlib_toml=entry)
    assert of(judged(root), RULE)[0].status is Status.SUPPRESSED
    late = judged(root, date(2027, 1, 1))
    assert of(late, RULE)[0].status is Status.OPEN
    assert str(of(late, "suppression-expired")[0].location) == "auditlib.toml:1"


def test_severities_rules_and_paths_are_configured_in_pyproject_too(tmp_path):
    text = f'[tool.auditlib]\ndisable = ["backup-missing"]\nfail_on = "low"\nseverity = {{"{RULE}" = "critical"}}\n'
    findings = judged(write(tmp_path, compose_yml=PLAIN.format(""), pyproject_toml=text))
    assert of(findings, RULE)[0].severity is Severity.CRITICAL
    excluded = write(tmp_path, pyproject_toml='[tool.auditlib]\nexclude = ["compose.yml"]\n')
    assert of(judged(excluded), RULE) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a = 1\nfail_onn = "high"\n', "auditlib.toml:1: there is no setting 'a'"),
        ('\nfail_onn = "high"\n', "auditlib.toml:2: there is no setting 'fail_onn'; did you mean fail_on?"),
        ('fail_on = "hihg"\n', "did you mean high?"),
        ('disable = ["backup-mising"]\n', "did you mean backup-missing or "),
        ('[severity]\n"backup-missing" = 3\n', "auditlib.toml:2: there is no severity 3"),
        ("exclude = 1\n", "auditlib.toml:1: exclude is a list of texts"),
        ('\n[[ignore]]\nrule = "backup-missing"\n', "auditlib.toml:2: an ignore needs a reason"),
        ('[[ignore]]\nrule = "backup-missing"\nreason = "x"\nexpires = "soon"\n', "auditlib.toml:4: 'soon' is no date"),
        ('[[ignore]]\nrule = "backup-missing"\nresaon = "x"\n', "auditlib.toml:3: there is no setting 'resaon'"),
        ("x = [\n", "is not valid TOML"),
        ("x = " + "[" * 100_000, "auditlib.toml:1"),
        ("#" * 300_000, "is no regular file of at most"),
        ("ignore = [1]\n", "a table is expected"),
    ],
)  # fmt: skip
def test_a_configuration_that_is_wrong_says_where_and_what_is_right(tmp_path, text, message):
    with pytest.raises(UsageError) as raised:
        configuration.load(write(tmp_path, auditlib_toml=text))
    assert message in str(raised.value)


def test_a_fingerprint_survives_moved_lines_and_is_unique(tmp_path):
    before = judged(write(tmp_path, compose_yml=PLAIN.format("")))
    after = judged(write(tmp_path, compose_yml="# moved\n\n" + PLAIN.format("\n\n    # here")))
    assert [finding.fingerprint for finding in before] == [finding.fingerprint for finding in after]
    assert len({finding.fingerprint for finding in before}) == len(before)


def check(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "auditlib", "check", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_only_what_the_baseline_lacks_fails(tmp_path):
    known = tmp_path / "known.json"
    known.write_text(check(EXAMPLE, "--format", "json").stdout, encoding="utf-8")
    assert check(EXAMPLE, "--fail-on", "low", "--baseline", known).returncode == 0
    document = json.loads(known.read_text(encoding="utf-8"))
    document["findings"].pop(0)
    known.write_text(json.dumps(document), encoding="utf-8")
    assert check(EXAMPLE, "--fail-on", "low", "--baseline", known).returncode == 1
    known.write_text("[]", encoding="utf-8")
    assert check(EXAMPLE, "--baseline", known).returncode == 2


@pytest.fixture(scope="module")
def result():
    return audit(EXAMPLE)


def test_sarif_names_rules_places_and_no_absolute_path(result):
    text = sarif.render(result)
    run = json.loads(text)["runs"][0]
    described = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(result.findings)
    assert all(described[item["ruleIndex"]] == item["ruleId"] for item in run["results"])
    assert str(ROOT) not in text


def test_junit_has_a_failure_for_each_finding(result):
    root = ElementTree.fromstring(junit.render(result).encode())
    assert len(root.findall(".//failure")) == len(result.findings)


def test_a_github_annotation_is_one_line_a_finding(result):
    lines = github.render(result).splitlines()
    assert len(lines) == len(result.findings)
    assert all(line.startswith(("::error file=", "::warning file=", "::notice file=")) for line in lines)


@pytest.fixture
def suppressed(tmp_path):
    text = PLAIN.format(f"  # auditlib: ignore[{RULE}] until=2099-01-31 a *known* gap")
    return audit(write(tmp_path, compose_yml=text), [rules.find(RULE)], scanned=False, today=TODAY)


def test_text_and_markdown_say_what_is_suppressed_and_why(suppressed):
    text = plain_text.render(suppressed)
    assert f"medium[{RULE}] (suppressed): " in text
    assert " = suppressed: a *known* gap (until 2099-01-31)\n" in text
    assert text.endswith("\nNo findings (1 suppressed) in the one file that was read.\n")
    markdown_text = markdown.render(suppressed)
    assert markdown_text.startswith("## Suppressed\n")
    assert r"  - Suppressed: a \*known\* gap (until 2099-01-31)" in markdown_text


def test_the_summary_counts_the_open_findings_alone(tmp_path):
    text = PLAIN.format(f"  # auditlib: ignore[{RULE}] known")
    checked = [rules.find(RULE), rules.find("resource-limit-missing")]
    result = audit(write(tmp_path, compose_yml=text), checked, scanned=False, today=TODAY)
    assert plain_text.render(result).endswith("\n1 finding: 1 low (1 suppressed)\n")


def test_the_other_formats_say_it_too(suppressed):
    row = next(csv.DictReader(io.StringIO(csv_table.render(suppressed))))
    assert (row["status"], row["reason"], row["expires"]) == ("suppressed", "a *known* gap", "2099-01-31")
    reason = "a *known* gap (until 2099-01-31)"
    found = json.loads(sarif.render(suppressed))["runs"][0]["results"][0]
    assert found["suppressions"] == [{"kind": "external", "status": "accepted", "justification": reason}]
    assert ElementTree.fromstring(junit.render(suppressed).encode()).find(".//skipped").get("message") == reason
    assert github.render(suppressed) == ""
    assert f"suppressed: {reason}" in explanation.render(suppressed, suppressed.findings[0].fingerprint)


def test_an_explanation_says_how_to_live_with_a_finding_in_a_file_that_knows_no_comments(result):
    finding = next(item for item in result.findings if item.location.file.endswith(".json"))
    text = explanation.render(result, finding.fingerprint)
    assert f'path = "{finding.location.file}"' in text.partition("[[ignore]]")[2]
    assert "auditlib: ignore[" not in text


def test_an_explanation_shows_every_place(result):
    finding = next(finding for finding in result.findings if len(finding.related) > 1)
    text = explanation.render(result, finding.fingerprint)
    assert finding.message in text
    assert all(str(item.location) in text for item in finding.related)
    with pytest.raises(UsageError):
        explanation.render(result, "zzz")


OUTSIDE = {
    "compose.yaml": "services:\n  api:\n    image: example/api:1.2\n    environment: {STOCK_URL: 'http://warehouse:80'}\n"
    "  proxy:\n    image: nginx:1.27\n    volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro']\n",
    "nginx.conf": "events {}\nhttp { server { location / { proxy_pass http://warehouse:80; } } }\n",
    "prometheus.yml": "scrape_configs:\n- job_name: stock\n  static_configs: [{targets: ['warehouse:80']}]\n",
    "grafana/datasources/stock.yml": "apiVersion: 1\ndatasources: [{name: Stock, type: loki, url: 'http://warehouse:80'}]\n",
}
ABOUT_HOSTS = {
    "service-reference-unresolved", "reverse-proxy-upstream-missing", "scrape-target-unresolved",
    "datasource-unresolved",
}  # fmt: skip


@pytest.mark.parametrize(("known", "left"), [("[]", ABOUT_HOSTS), ("['Warehouse']", set())])
def test_hosts_outside_of_the_repository_can_be_made_known(tmp_path, known, left):
    for name, text in {**OUTSIDE, "auditlib.toml": f"known_hosts = {known}\n"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert {finding.rule for finding in audit(tmp_path, scanned=False).findings} & ABOUT_HOSTS == left


def test_an_unused_suppression_of_a_rule_is_told_without_the_scanners_too(tmp_path):
    write(tmp_path, compose_yaml=PLAIN.format(""))
    unused = "[[ignore]]\nrule = '{0}'\nreason = 'left over'\n"
    text = unused.format("image-unpinned") + unused.format("zizmor/unpinned-uses")
    (tmp_path / "auditlib.toml").write_text(text, encoding="utf-8")
    found = of(audit(tmp_path, scanned=False, today=TODAY).findings, "suppression-unused")
    assert [finding.location.line for finding in found] == [1]


def test_a_configuration_that_is_a_link_out_of_the_repository_does_not_stop_the_audit(tmp_path):
    outside = tmp_path / "outside.toml"
    outside.write_text("nonsense = [", encoding="utf-8")
    root = tmp_path / "shop"
    root.mkdir()
    (root / "auditlib.toml").symlink_to(outside)
    (root / "report.toml").symlink_to(outside)

    assert configuration.load(root) == configuration.Configuration()
    assert settings.load(root, None, ()) == settings.Settings()
    assert {entry.file for entry in Source(root).left_out} >= {"auditlib.toml", "report.toml"}
