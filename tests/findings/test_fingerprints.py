"""A fingerprint is unique within a report and survives what doesn't touch the fault: moved lines, other quotes."""

import shutil
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditlib.audit import audit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # the generator of repositories belongs to the benchmarks
from benchmarks import repository  # noqa: E402

EXAMPLES = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
COMMENTS = ("", "# moved", "    # moved, and indented")


def fingerprints(root, scanned=False):
    return Counter((finding.rule, finding.fingerprint) for finding in audit(root, scanned=scanned).findings)


@pytest.fixture(scope="module", params=["propertypro", "generated"])
def original(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("original") / "shop"
    if request.param == "generated":
        return repository.write(root, 12)
    return shutil.copytree(ROOT / "data" / request.param, root)


@pytest.fixture
def copy(original, tmp_path):
    def make():
        root = tmp_path / original.name  # findings name the folder, so every copy has the same
        shutil.rmtree(root, ignore_errors=True)
        return shutil.copytree(original, root)

    return make


def yaml_files(root):
    return [path for path in sorted(root.rglob("*")) if path.suffix in (".yml", ".yaml")]


def literal_lines(text):
    """The lines inside of block scalars, where a comment would be text."""
    tokens = [token for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken)]
    return {
        line for token in tokens for line in range(token.start_mark.line + 1, token.end_mark.line + 1)
        if token.end_mark.line > token.start_mark.line
    }  # fmt: skip


def with_comments(text, random):
    lines, kept = text.split("\n"), literal_lines(text)
    parts = []
    for number, line in enumerate(lines):
        if number not in kept and random.random() < 0.2:
            parts += random.choices(COMMENTS, k=random.randint(1, 3))
        parts.append(line)
    return "\n".join(parts)


def reformatted(text, random):
    """The same YAML with other quotes, another indentation, and without its comments."""
    documents = list(yaml.compose_all(text, yaml.SafeLoader))
    style, pending, seen = random.choice("'\""), list(documents), set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode) and node.style is None and node.tag.endswith(":str"):
            node.style = style if random.random() < 0.5 else None
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
        elif isinstance(node, yaml.MappingNode):
            pending += [value for _, value in node.value]
    return yaml.serialize_all(documents, Dumper=yaml.SafeDumper, indent=random.choice((2, 4)), width=10_000)


@EXAMPLES
@given(st.integers(0, 2**32))
def test_moved_lines_keep_every_fingerprint(original, copy, seed):
    root, random = copy(), Random(seed)
    for path in yaml_files(root):
        path.write_text(with_comments(path.read_text(encoding="utf-8"), random), encoding="utf-8")
    for path in (*root.rglob("Dockerfile*"), *root.rglob(".env*"), *root.rglob("*.py"), *root.rglob("*.md")):
        blank = "\n" * random.randint(0, 3)
        path.write_text(blank + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert fingerprints(root) == fingerprints(original)


@EXAMPLES
@given(st.integers(0, 2**32))
def test_reformatted_yaml_keeps_every_fingerprint(original, copy, seed):
    root, random = copy(), Random(seed)
    for path in yaml_files(root):
        path.write_text(reformatted(path.read_text(encoding="utf-8"), random), encoding="utf-8")
    assert fingerprints(root) == fingerprints(original)


def test_the_findings_of_scanners_keep_theirs_too(original, copy):
    root = copy()
    for path in yaml_files(root):
        path.write_text("# moved\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert fingerprints(root, scanned=True) == fingerprints(original, scanned=True)


def test_no_two_findings_share_a_fingerprint(original):
    counts = Counter(fingerprint for _, fingerprint in fingerprints(original, scanned=True).elements())
    assert counts
    assert set(counts.values()) == {1}
