"""Commands of well-known development tools: test runners, linters, builders of images, uploaders of reports.

Sources: the command line documentation of each tool; names of actions from https://github.com/marketplace.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditlib.patterns import regex

if TYPE_CHECKING:
    from auditlib.inventory import Inventory
    from auditlib.inventory.code import TestSuite

_RAKE = r"\brake(?:\s+(?:spec|test|ci|default)\b\S*)?(?=\s*$)|(?:^|\s)(?:\./)?bin/(?:ci|tests?|check)(?=\s|$)"
TEST_FRAMEWORKS: dict[str, re.Pattern[str]] = {
    "pytest": regex(r"(?:^|\s|/)(?:pytest|py\.test)(?=\s|$)"),
    "unittest": regex(r"\bunittest\b|\bmanage\.py\s+test\b|(?:^|\s|/)nose2(?=\s|$)"),
    "playwright": regex(r"\bplaywright(?:/cli\.js)?\s+test\b"),
    "jest": regex(r"(?:^|\s|/)jest(?:\.js)?(?=\s|$)|\breact-scripts\s+test\b|\bcraco\s+test\b|\bng\s+test\b"),
    "vitest": regex(r"(?:^|\s|/)vitest(?:\.mjs)?(?=\s|$)"),
    "cypress": regex(r"\bcypress\s+run\b|\bcypress-io/github-action\b"),
    "mocha": regex(r"(?:^|\s|/)_?mocha(?:\.js)?(?=\s|$)"),
    "node": regex(r"\bnode\b.*\s--test(?=[\s=-]|$)|\btsx\b.*\s--test(?=\s|$)"),
    "bun": regex(r"\bbun\s+(?:\S+\s+){0,60}?test(?=\s|$)"),
    "go": regex(r"\bgo\s+test\b|\bgotestsum\b|(?:^|\s|/)ginkgo(?=\s|$)"),
    "rspec": regex(rf"(?:^|\s|/)(?:rspec|parallel_rspec|turbo_tests|knapsack\S*)(?=\s|$)|{_RAKE}"),
    "minitest": regex(rf"\brails\s+(?:\S+\s+){{0,60}}?test(?:[:/]\S+)?(?=\s|$)|\bruby\s+\S*-Itest\b|{_RAKE}"),
    "phpunit": regex(r"(?:^|\s|/)(?:(?:simple-)?phpunit|pest|paratest)(?=\s|$)|\bartisan\s+test\b"),
    "dotnet": regex(r"\bdotnet\s+(?:\S+\s+){0,60}?(?:test|vstest|cake|nuke)(?=\s|$)|(?:^|\s)nuke(?=\s|$)"),
    "cargo": regex(r"\bcargo\s+(?:\S+\s+){0,60}?(?:test|t|nextest|tarpaulin|llvm-cov)(?=\s|$)"),
    "bats": regex(r"(?:^|\s|/)bats(?=\s|$)"),
    "junit": regex(
        r"(?:^|\s|/)mvn[wd]?(?:\.cmd)?\s(?!.{0,500}-D(?:skipTests|maven\.test\.skip)(?!=false))(?:.{0,500}\s)?"
        r"(?:test|verify|package|install|deploy|integration-test)(?=\s|$)|"
        r"(?:^|\s|/)gradlew?(?:\.bat)?\s(?!.{0,500}\s-x\s+:?test\b)(?:.{0,500}\s)?(?:\S{0,100}:)?(?:test|check|build|\w+Test|\w+TestReport)"
        r"(?=\s|$)"
    ),
}
"""How the frameworks are started, in a command's words joined by spaces."""
OF_OTHER_LANGUAGES = frozenset({"go", "rspec", "minitest", "phpunit", "dotnet", "cargo", "junit", "bats"})
"""Those that run neither Python nor JavaScript."""
LISTS_TESTS = regex(
    r"\s--collect-only\b|\s--co(?=\s|$)|\s-run[= ][\"']?\^\$|\s--list(?:Tests|-tests)?(?=\s|$)|\s--no-run\b"
)
"""Options with which a framework finds or builds the tests, and runs none of them."""
LOOKED_FOR = ("pytest", "playwright", "jest", "vitest", "cypress")
"""Those whose tests are found in a repository wherever they are."""


def test_framework(text: str) -> str:
    """The framework of tests that a command starts; empty if it starts none."""
    return next((name for name, pattern in TEST_FRAMEWORKS.items() if pattern.search(text)), "")


def lacks_tests(inventory: Inventory, framework: str) -> bool:
    """Whether the repository was searched for the tests of a framework, and holds none of them."""
    return framework in LOOKED_FOR and not any(_may_run(framework, suite) for suite in inventory.test_suites)


def declares_none(suite: TestSuite) -> bool:
    """Whether the files of a suite are called tests, and no line of them declares one."""
    return not suite.cases and suite.framework in (*LOOKED_FOR, "unittest")


def _may_run(framework: str, suite: TestSuite) -> bool:
    """Whether a framework may run the tests of a suite; pytest runs those of unittest and Playwright for Python too."""
    if suite.framework in OF_OTHER_LANGUAGES:
        return False
    in_python = any(file.endswith(".py") for file in suite.files)
    return in_python if framework == "pytest" else not in_python


END_TO_END = frozenset({"playwright", "cypress"})
TEST_ORCHESTRATORS = regex(
    r"(?:^|\s|/)(?:tox|nox|just|task|turbo|nx|lerna|bazel|pants|earthly|gradlew?|mvnw?|rake|invoke|inv|hatch|mise|moon|"
    r"dagger|act|ctest|melos|rush)(?=\s|$)"
)
"""Programs that run what their own files say; what that is, isn't read."""
MAY_TEST = regex(r"(?<![a-z])(?:tests?|check|ci|verify|tox|nox|all|qa)(?![a-z])", re.I)
MAY_TEST_END_TO_END = regex(r"e2e|end-to-end|playwright|cypress", re.I)
MAY_LINT = regex(r"(?<![a-z])(?:lint|check|ci|verify|style|typing|types?|tox|nox|qa|all)(?![a-z])|mypy|typecheck", re.I)
MAY_BUILD = regex(r"build|image|docker|release|publish", re.I)
"""What a script, target or action that can't be followed may do, by its name."""

LINTERS: dict[str, re.Pattern[str]] = {
    name: regex(pattern)
    for name, pattern in {
        "ruff": r"(?:^|\s|/)ruff(?=\s|$)|\bruff-action\b",
        "flake8": r"(?:^|\s|/)flake8(?=\s|$)",
        "pylint": r"(?:^|\s|/)pylint(?=\s|$)",
        "black": r"(?:^|\s|/)black(?=\s|$)|\bpsf/black\b|\bruff format\b",
        "mypy": r"(?:^|\s|/)(?:d?mypy)(?=\s|$)",
        "pyright": r"(?:^|\s|/)(?:based)?pyright(?=\s|$)|\bpyright-action\b",
        "bandit": r"(?:^|\s|/)bandit(?=\s|$)",
        "eslint": r"(?:^|\s|/)eslint(?=\s|$)|\b(?:next|vue-cli-service|ng|react-scripts) lint\b",
        "biome": r"(?:^|\s|/)biome(?=\s|$)|@biomejs/biome|\bsetup-biome\b",
        "stylelint": r"(?:^|\s|/)stylelint(?=\s|$)",
        "golangci-lint": r"\bgolangci-lint\b",
        "rubocop": rf"(?:^|\s|/)rubocop(?=\s|$)|{_RAKE}",
        "hadolint": r"\bhadolint\b",
        "yamllint": r"\byamllint\b",
        "clippy": r"\bcargo\s+(?:\S+\s+){0,60}?clippy\b|\bclippy-(?:check|action)\b|\brust-clippy\b",
        "rustfmt": r"\bcargo\s+(?:\S+\s+){0,60}?fmt\b|(?:^|\s|/)rustfmt\b",
        "phpstan": r"(?:^|\s|/)phpstan\b",
        "psalm": r"(?:^|\s|/)psalm\b",
        "phpcs": r"(?:^|\s|/)phpcs(?=\s|$)",
        "php-cs-fixer": r"\bphp-cs-fixer\b",
        "pint": r"(?:^|\s|/)(?:laravel-)?pint(?=\s|$|-action)",
        "shellcheck": r"\bshellcheck\b",
        "markdownlint": r"\bmarkdownlint\b",
        "ansible-lint": r"\bansible-lint\b",
        "tflint": r"\btflint\b",
        "credo": r"\bmix\s+credo\b",
    }.items()
}
"""Linters and type checkers by name: how a command or an action that runs them looks."""

INSTALLS = regex(
    r"\b(?:pip3?|pipx|apt|apt-get|apk|brew|dnf|yum|conda|mamba|npm|pnpm|yarn|bun|poetry|uv(?: pip| tool)?|pdm|cargo|"
    r"gem|go)(?:\s+-\S+)*\s+(?:install|add|get|i|global add)\b"
)
"""A command that installs programs; what it names isn't run."""

_CONFIGURATION: dict[str, str] = {
    ".flake8": "flake8", "ruff.toml": "ruff", ".ruff.toml": "ruff", ".pylintrc": "pylint", "pylintrc": "pylint",
    "mypy.ini": "mypy", ".mypy.ini": "mypy", "pyrightconfig.json": "pyright", "biome.json": "biome",
    "biome.jsonc": "biome", ".golangci.yml": "golangci-lint", ".golangci.yaml": "golangci-lint",
    ".rubocop.yml": "rubocop", ".hadolint.yaml": "hadolint", ".hadolint.yml": "hadolint", ".yamllint": "yamllint",
    ".yamllint.yml": "yamllint", ".yamllint.yaml": "yamllint", ".golangci.toml": "golangci-lint",
    ".golangci.json": "golangci-lint", "clippy.toml": "clippy", ".clippy.toml": "clippy", "rustfmt.toml": "rustfmt",
    ".rustfmt.toml": "rustfmt", "phpstan.neon": "phpstan", "phpstan.neon.dist": "phpstan",
    "phpstan.dist.neon": "phpstan", "psalm.xml": "psalm", "psalm.xml.dist": "psalm", "phpcs.xml": "phpcs",
    "phpcs.xml.dist": "phpcs", ".php-cs-fixer.php": "php-cs-fixer", ".php-cs-fixer.dist.php": "php-cs-fixer",
    "pint.json": "pint", ".shellcheckrc": "shellcheck", ".markdownlint.json": "markdownlint",
    ".markdownlint.yaml": "markdownlint", ".markdownlint.yml": "markdownlint", ".ansible-lint": "ansible-lint",
    ".tflint.hcl": "tflint", ".credo.exs": "credo",
}  # fmt: skip
_CONFIGURATION_NAME = regex(
    r"(?:(?P<eslint>\.eslintrc|eslint\.config)|(?P<stylelint>\.stylelintrc|stylelint\.config))(?:\.\w+)?$"
)

ALL_LINTERS = regex(r"\b(?:super-linter|megalinter|mega-linter|trunk-action|reviewdog)\b|\btrunk check\b")
PRE_COMMIT = regex(r"(?:^|\s|/)(?:pre-commit|prek|lefthook|lint-staged)(?=\s|$)|\bpre-commit/action\b|\bpre-commit-ci/")
PRE_COMMIT_FILES = frozenset({".pre-commit-config.yaml", ".pre-commit-config.yml", "lefthook.yml", ".lintstagedrc"})

REPORTING = regex(
    r"upload-artifact|codecov|coveralls|test-reporter|junit-report|publish-unit-test|test-summary|code-?climate|sonar|"
    r"smokeshow|upload-pages-artifact|github-pages|python-coverage-comment|jest-coverage|allure|reportportal|"
    r"upload-sarif|datadog-ci|buildpulse|currents|octocov|vitest-coverage-report|pytest-coverage-comment",
    re.I,
)
"""Actions and commands that keep or publish what a run leaves behind."""
MAKES_REPORT = regex(
    r"(?<!\bjest )(?<!\bvitest )(?<!\bvitest run )--coverage(?:[\s=]|$)|"
    r"--cov-report[= ](?!term)|--junitxml|--junit-xml|\bcoverage run\b|"
    r"--reporter[= ](?!list|line|dot|default)|--html=|--alluredir"
)
"""Options with which a test run writes a report to a file; `--cov` alone prints one, as Go, Jest and Vitest do."""

_IMAGE_BUILD = regex(
    r"\bdocker\s+(?:buildx\s+)?(?:build|bake)\b|\bdocker\s+image\s+build\b|\b(?:podman|buildah|nerdctl)\s+(?:build|bud)\b|"
    r"\bdocker[- ]compose\b.*\s(?:build\b|up\b.*--build\b|run\b|up\b)|\bskaffold\s+(?:build|run)\b|\bearthly\b|"
    r"\bpack\s+build\b|"
    r"\bgcloud\s+builds\s+submit\b|\baz\s+acr\s+build\b|\bfly(?:ctl)?\s+deploy\b|\bko\s+(?:build|publish)\b|\bkaniko\b|"
    r"\bheroku\s+container:push\b|\bsam\s+build\b|\bdepot\s+(?:build|bake)\b|\bcopilot\s+(?:svc\s+)?deploy\b|\btilt\s+ci\b"
)
IMAGE_ACTIONS = regex(
    r"build-push-action|bake-action|kaniko|buildah-build|docker-build|build-and-push|publish-docker|devcontainers/ci",
    re.I,
)


def configured_linter(path: str) -> str | None:
    """The linter whose configuration a file is, by its name."""
    name = posixpath.basename(path)
    if name in _CONFIGURATION:
        return _CONFIGURATION[name]
    match = _CONFIGURATION_NAME.fullmatch(name)
    return match.lastgroup if match else None


def builds_image(words: Sequence[str]) -> bool:
    """Whether a command builds images."""
    return bool(_IMAGE_BUILD.search(" ".join(words)))
