"""Test suites of Go, Ruby, PHP, .NET, Rust and Java, by the names and marks that their frameworks go by.

Sources: https://pkg.go.dev/cmd/go#hdr-Test_packages, https://rspec.info, https://guides.rubyonrails.org/testing.html,
https://docs.phpunit.de, https://learn.microsoft.com/dotnet/core/testing/, https://doc.rust-lang.org/cargo/commands/cargo-test.html
and https://maven.apache.org/surefire/maven-surefire-plugin/examples/inclusion-exclusion.html.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.inventory.code import TestSuite, UntestingFile
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source


class _Kind(Struct, frozen=True):
    """A framework: the files that may hold its tests, the mark of one, and the files at the root of a package."""

    name: str
    files: re.Pattern[str]
    mark: re.Pattern[str]
    roots: re.Pattern[str]
    tag: re.Pattern[str] | None = None
    """What a file begins with that only counts where the command names a tag."""
    outermost: bool = False
    """Whether the root of the whole counts, from which one command runs the tests of all packages."""


_KINDS = (
    _Kind("go", regex(r"_test\.go$"), regex(r"^func (?:Test(?!Main\()|Fuzz)\w*\(", re.M), regex(r"go\.mod"),
          regex(r"(?:^[ \t]*(?://[^\n]{0,200})?\n){0,40}?^//go:build (?P<tag>\w+)[ \t]*$", re.M)),
    _Kind("bats", regex(r"\.bats$"), regex(r"^[ \t]*@test ", re.M), regex(r".*\.bats"), outermost=True),
    _Kind("rspec", regex(r"(?:^|/)spec/.*_spec\.rb$"), regex(r"^[ \t]*(?:it|specify|example)\b", re.M),
          regex(r"Gemfile")),
    _Kind("minitest", regex(r"(?:^|/)test/.*_test\.rb$"),
          regex(r"^[ \t]*(?:test[ \t]+[\"']|def test_|it[ \t]+[\"'])", re.M), regex(r"Gemfile")),
    _Kind("phpunit", regex(r"(?:^|/)tests/.*\.php$"),
          regex(r"^[ \t]*(?:public function test|(?:it|test)[ \t]*\()|#\[Test\]|@test\b", re.M),
          regex(r"composer\.json")),
    _Kind("dotnet", regex(r"\.cs$"), regex(r"\[(?:Fact|Theory|Test|TestCase|TestMethod)\b"),
          regex(r".*\.slnx?"), outermost=True),
    _Kind("cargo", regex(r"\.rs$"), regex(r"^[ \t]*#\[(?:\w+::)?test\b", re.M), regex(r"Cargo\.toml"), outermost=True),
    _Kind("junit", regex(r"(?:^|/)src/(?:test|integrationTest|it)/(?:java|kotlin)/.*\.(?:java|kt)$"),
          regex(r"@(?:Test|ParameterizedTest|RepeatedTest|Property)\b"),
          regex(r"pom\.xml|(?:build|settings)\.gradle(?:\.kts)?"), outermost=True),
)  # fmt: skip
_OF_GO = regex(r"^func \w", re.M)
_RUN_BY_GO = regex(r"^func (?:\([^)\n]{1,100}\) )?(?:Test(?!Main\()|Fuzz|Benchmark|Example)|\b(?:Describe|It)\(", re.M)
"""What a file called a test has for Go to run, Ginkgo's and testify's too."""
_OF_SKELETON = regex(r"(?:^|/)(?:ExampleTest\.php|\w*ApplicationTests?\.(?:java|kt)|UnitTest1\.cs)$")
"""What generators of projects write, and what tests nothing yet."""


def read(source: Source) -> Reading:
    """A TestSuite for each framework in each package. It reports no coverage: the files are code of other readers."""
    reading = Reading()
    roots = _roots(source)
    for kind in _KINDS:
        grouped: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        cases: defaultdict[tuple[str, str], int] = defaultdict(int)
        for file, found in _tests(source, kind):
            if (folder := _package(roots[kind.name], file, kind)) is not None:
                key = folder, _tag(source, file, kind)
                grouped[key].append(file)
                cases[key] += found
        reading.records += [
            TestSuite(kind.name, folder, tuple(files), Location(files[0]), cases[folder, tag], tag=tag)
            for (folder, tag), files in sorted(grouped.items())
        ]
    reading.records += [UntestingFile(Location(file)) for file in source.files if _tests_nothing(source, file)]
    return reading


def _tests_nothing(source: Source, file: str) -> bool:
    """Whether a file of Go is called a test and declares functions, but no test."""
    text = source.glance(file) if file.endswith("_test.go") else ""
    return bool(_OF_GO.search(text)) and not _RUN_BY_GO.search(text)


def _roots(source: Source) -> dict[str, set[str]]:
    """For each framework the folders that hold a file of a package's root."""
    found: dict[str, set[str]] = {kind.name: set() for kind in _KINDS}
    for path in source.files:
        folder, _, name = path.rpartition("/")
        for kind in _KINDS:
            if kind.roots.fullmatch(name):
                found[kind.name].add(folder)
    return found


def _tests(source: Source, kind: _Kind) -> Iterator[tuple[str, int]]:
    """The files with tests, and how many each declares."""
    for file in source.files:
        if (
            kind.files.search(file)
            and not _OF_SKELETON.search(file)
            and stages.FOREIGN_FOLDERS.isdisjoint(file.split("/"))
        ):
            count = len(kind.mark.findall(source.glance(file)))
            if count:
                yield file, count


_OF_PLATFORMS = frozenset({
    "linux", "darwin", "windows", "unix", "freebsd", "amd64", "arm64", "386", "arm", "wasm", "js", "cgo", "race",
    "ignore", "gc", "gccgo", "purego", "msan", "asan", "plan9", "openbsd", "netbsd", "solaris", "aix", "android", "ios",
})  # fmt: skip
"""Constraints that the platform meets or not (https://pkg.go.dev/cmd/go#hdr-Build_constraints)."""


def _tag(source: Source, file: str, kind: _Kind) -> str:
    """The tag by which alone a command takes a file; empty for none, and for one of a platform or a version."""
    found = kind.tag.match(source.glance(file)) if kind.tag else None
    tag = found["tag"] if found else ""
    return "" if tag in _OF_PLATFORMS or tag.startswith("go1") else tag


def _package(roots: set[str], file: str, kind: _Kind) -> str | None:
    """The folder of a test's package, if the repository shows how that is built."""
    above = []
    folder = posixpath.dirname(file)
    while True:
        if folder in roots:
            above.append(folder)
        if not folder:
            break
        folder = posixpath.dirname(folder)
    return (above[-1] if kind.outermost else above[0]) if above else None
