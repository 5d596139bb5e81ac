"""Commands that check the code: tests, linters, type checkers, audits; and the switches that take their teeth.

Sources: the command line documentation of each tool.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from auditlib.conventions import tools
from auditlib.patterns import regex

_NAMED = regex(
    r"(?:^|[\s/])(?:npm|yarn|pnpm|bun|make|just|task|poe|pdm|hatch|rake|composer|\./\S+|bash|sh)\s+(?:\S+\s+){0,60}?"
    r"(?:run\s+|run-script\s+)?(?:\S*[:/_-])?(?:tests?|lint|check|verify|type-?check|types|e2e|unit|format-check)"
    r"(?:[:_.-]\S*)?(?=\s|$)"
)
"""A script or target that is called as a check."""
_OTHERS = regex(
    r"(?:^|\s|/)(?:tsc|prettier\s+.*--check|isort\s+.*--check\S*|shellcheck|actionlint|phpunit|phpstan|rspec|ctest|"
    r"cargo\s+(?:test|clippy|fmt)|go\s+vet|dotnet\s+test|mvnw?\s+(?:\S+\s+){0,60}(?:test|verify)|"
    r"gradlew?\s+(?:\S+\s+){0,60}(?:test|check)|djlint|sqlfluff\s+lint|tflint|checkov|kubeconform|kubeval|"
    r"(?:rails|artisan|mix|swift|sbt|flutter|dart|deno|bun|bazel|bazelisk|stack|cabal|lein|turbo|nx|moon|lerna)\s+"
    r"(?:\S+\s+){0,60}?test(?::\S+)?|gotestsum|ginkgo|pest|"
    r"terraform\s+validate|tox|nox|coverage\s+report|vulture|codespell|typos|ty\s+check)(?=\s|$)"
)
AUDITS = regex(
    r"(?:^|\s|/)(?:(?:npm|yarn|pnpm|bun|composer|cargo)\s+(?:\S+\s+){0,60}?audit(?!\s+fix\b)|pip-audit|safety\s+(?:check|scan)|"
    r"bandit|trivy|grype|snyk|semgrep|gitleaks|trufflehog|osv-scanner|detect-secrets|zizmor|govulncheck)(?=\s|$)|"
    r"(?:^|\s|/)trivy:[\w.-]+\s+(?:-\S+\s+){0,8}(?:image|fs|filesystem|repo|repository|rootfs|config)(?=\s|$)"
)
"""Checks for known vulnerabilities and leaked secrets, whose results some only want to see."""
_TOOTHLESS = regex(
    r"(?:flake8|ruff|pylint|bandit)\b.*\s(?P<zero>--exit-zero)(?=\s|$)|(?:hadolint)\b.*\s(?P<fail>--no-fail)(?=\s|$)"
)


_SWITCHES = {
    "aquasecurity/trivy-action": ("exit-code", "0"),
    "anchore/scan-action": ("fail-build", "false"),
    "hadolint/hadolint-action": ("no-fail", "true"),
}
"""Actions that check, each with the input and the value that take its teeth."""


def toothless_input(uses: str, inputs: Mapping[str, str]) -> str:
    """The input that makes a checking action succeed whatever it finds; empty if there is none.

    One that writes its findings to a file leaves the judgement to whoever reads that.
    """
    name, value = _SWITCHES.get(uses.partition("@")[0], ("", ""))
    reports = "output" in inputs or inputs.get("format") == "sarif" or inputs.get("output-format") == "sarif"
    return f"{name}: {value}" if name and inputs.get(name, "").lower() == value and not reports else ""


_TRIVY = regex(
    r"(?:^|\s|/)trivy(?::[\w.-]+)?\s+(?:-\S+\s+){0,8}(?:image|fs|filesystem|repo|repository|rootfs|config)(?=\s|$)"
)
_TEETH = (
    "--exit-code",
    "--config",
    "-c",
    "--version",
    "--format=json",
    "--format=sarif",
    "--output",
    "-o",
    "--template",
)
"""What says by which status a scan ends, what may say so, and what leaves the judgement to whoever reads the report."""
_REPORTS = frozenset({"json", "sarif", "template", "cyclonedx", "spdx", "spdx-json", "github", "cosign-vuln"})
_OWN_STATUS = "TRIVY_EXIT_CODE"


def passes_by_default(words: Sequence[str]) -> str:
    """The scan of Trivy's in a command that succeeds whatever it finds, as nothing tells it otherwise; else empty."""
    match = _TRIVY.search(" ".join(words))
    told = any(word.startswith(_TEETH) or word in _REPORTS or _OWN_STATUS in word for word in words)
    return match[0].strip(" /") if match and not told else ""


def action_passes_by_default(uses: str, inputs: Mapping[str, str], given: Collection[str]) -> bool:
    """Whether an action of Trivy's succeeds whatever it finds, for want of an `exit-code`; `given` are variables."""
    told = {"exit-code", "output", "template", "trivy-config"} & inputs.keys() or _OWN_STATUS in given
    return uses.partition("@")[0] == "aquasecurity/trivy-action" and not told and inputs.get("format") not in _REPORTS


_ZAP = regex(r"zaproxy/action-(?:baseline|full-scan|api-scan)")


def zap_tells_nobody(uses: str, inputs: Mapping[str, str]) -> bool:
    """Whether an action of ZAP's neither fails (`fail_action`, false by default) nor writes an issue of what it finds.

    See https://github.com/zaproxy/action-baseline#readme.
    """
    silent = inputs.get("allow_issue_writing", "").lower() == "false"
    return bool(_ZAP.fullmatch(uses.partition("@")[0])) and silent and inputs.get("fail_action", "false") == "false"


def is_check(words: Sequence[str]) -> bool:
    """Whether a command is there to fail when something is wrong with the code."""
    text = " ".join(words)
    if tools.INSTALLS.search(text):
        return False
    patterns = (*tools.TEST_FRAMEWORKS.values(), *tools.LINTERS.values(), _NAMED, _OTHERS, AUDITS)
    return any(pattern.search(text) for pattern in patterns) and not _asks_for_version(words)


def is_audit(words: Sequence[str]) -> bool:
    """Whether a command looks for vulnerabilities or secrets."""
    return bool(AUDITS.search(" ".join(words)))


def never_fails_by(words: Sequence[str]) -> str:
    """The switch of a check's own that makes it succeed whatever it finds; empty if there is none."""
    match = _TOOTHLESS.search(" ".join(words))
    return next((text for text in match.groups() if text), "") if match else ""


def _asks_for_version(words: Sequence[str]) -> bool:
    return bool({"--version", "-V", "--help"} & set(words))
