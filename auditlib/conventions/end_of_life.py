"""Since when which versions of well-known programs are no longer maintained by their makers.

Only versions are listed whose maintenance ended before 28 November 2026, so that the answer is the same on any day,
and only those that were found in a source; what is sold as extended support counts for nothing. The dates are those of
https://github.com/endoflife-date/endoflife.date, of Go by its rule of two newer releases, of the images of OpenJDK by
their maintainers; `Product.source` names the makers' own page. A date that lay ahead when it was written down there
(Python 3.10, MariaDB 10.6, PostgreSQL 14, .NET 8) is the makers' plan.
"""

from __future__ import annotations

import re

from msgspec import Struct

from auditlib.conventions import images
from auditlib.patterns import regex


class Product(Struct, frozen=True):
    """A program with versions: `cycles` tells when (a year and month, or a year) the maintenance of each ended."""

    name: str
    source: str
    successor: str
    """A version that is maintained and that its users usually move to."""
    cycles: dict[str, str]
    moves_data: str = ""
    """What has to be done with the data of the old version; empty where there is none."""
    move: str = ""
    """What people do about a program that as a whole, or in all versions of its image, is no longer maintained."""
    image: str = ""
    """The image that they move to then."""


class Ended(Struct, frozen=True):
    """A version without maintenance. `part` is how the tag names it (`3.8`, `buster`)."""

    product: Product
    cycle: str
    since: str
    part: str

    @property
    def name(self) -> str:
        """What people call it: `Python 3.8`."""
        return f"{self.product.name} {self.cycle}".strip()

    @property
    def successor(self) -> str:
        """The maintained version to move to: of MySQL 9 the one of its own, of OpenJDK's images the same Java."""
        if self.product.name == "MySQL" and self.cycle.startswith("9"):
            return "9.7"
        java = re.match(r"(?:8|11|17|21)(?![\d.])", self.part) if not self.cycle else None
        return java[0] if java else self.product.successor

    @property
    def moves_data(self) -> str:
        """What has to be done with the data of this version; empty where there is none."""
        return _ON_THE_WAY.get((self.product.name, self.cycle.partition(".")[0]), self.product.moves_data)

    @property
    def is_retired(self) -> bool:
        """Whether the program itself has ended, not a version of it."""
        return bool(self.product.move)

    @property
    def date(self) -> str:
        """Since when, in words: `October 2024`."""
        year, _, month = self.since.partition("-")
        return f"{_MONTHS[int(month) - 1]} {year}" if month else year


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DUMPED = "dump the databases with the old version and load them into an empty volume of the new one"
_STEPWISE = "go through each major version in between, as its upgrade notes say"

_PRODUCTS: dict[str, Product] = {
    "python": Product("Python", "https://devguide.python.org/versions/", "3.13", {
        "2": "2020-01", "3.3": "2017-09", "3.4": "2019-03",
        "3.5": "2020-09", "3.6": "2021-12", "3.7": "2023-06", "3.8": "2024-10", "3.9": "2025-10", "3.10": "2026-10",
    }),
    "node": Product("Node.js", "https://nodejs.org/en/about/previous-releases", "24", {
        "4": "2018-04", "5": "2016-06", "6": "2019-04", "7": "2017-06", "8": "2019-12", "9": "2018-06",
        "10": "2021-04", "11": "2019-06", "12": "2022-04", "13": "2020-06", "14": "2023-04", "15": "2021-06",
        "16": "2023-09", "17": "2022-06", "18": "2025-04", "19": "2023-06", "20": "2026-04", "21": "2024-06",

    }),
    "go": Product("Go", "https://go.dev/doc/devel/release#policy", "1.27", {
        "1.10": "2019-02", "1.11": "2019-09", "1.12": "2020-02", "1.13": "2020-08", "1.14": "2021-02",
        "1.15": "2021-08", "1.16": "2022-03", "1.17": "2022-08", "1.18": "2023-02", "1.19": "2023-09",
        "1.20": "2024-02", "1.21": "2024-08", "1.22": "2025-02", "1.23": "2025-08", "1.24": "2026-02",
        "1.25": "2026-08",
    }),
    "php": Product("PHP", "https://www.php.net/eol.php", "8.4", {
        "5": "2018-12", "7": "2022-11", "7.0": "2019-01", "7.1": "2019-12", "7.2": "2020-11", "7.3": "2021-12",
        "7.4": "2022-11", "8.0": "2023-11", "8.1": "2025-12",
    }),
    "ruby": Product("Ruby", "https://www.ruby-lang.org/en/downloads/branches/", "3.4", {
        "2": "2023-03", "2.3": "2019-03", "2.4": "2020-03", "2.5": "2021-03", "2.6": "2022-03", "2.7": "2023-03",
        "3.0": "2024-04", "3.1": "2025-03", "3.2": "2026-03",
    }),
    "postgres": Product("PostgreSQL", "https://www.postgresql.org/support/versioning/", "17", {
        "9": "2021-11", "9.0": "2015-10", "9.1": "2016-10", "9.2": "2017-11", "9.3": "2018-11", "9.4": "2020-02",
        "9.5": "2021-02", "9.6": "2021-11", "10": "2022-11", "11": "2023-11", "12": "2024-11", "13": "2025-11",
        "14": "2026-11",
    }, _DUMPED),
    "mysql": Product("MySQL", "https://www.mysql.com/support/eol-notice.html", "8.4", {
        "5": "2023-10", "5.5": "2018-12", "5.6": "2021-02", "5.7": "2023-10", "8.0": "2026-04", "8.1": "2023-10",
        "8.2": "2023-12", "8.3": "2024-04", "9.0": "2024-10", "9.1": "2025-01", "9.2": "2025-04", "9.3": "2025-07",
        "9.4": "2025-10", "9.5": "2026-01", "9.6": "2026-04",
    }, f"{_STEPWISE} (from 5.7 to 8.0 first), after a dump"),
    "mariadb": Product("MariaDB", "https://mariadb.org/about/#maintenance-policy", "11.4", {
        "5.5": "2020-04", "10.0": "2019-03", "10.1": "2020-10", "10.2": "2022-05", "10.3": "2023-05",
        "10.4": "2024-06", "10.5": "2025-06", "10.6": "2026-07", "10.7": "2023-02", "10.8": "2023-05",
        "10.9": "2023-08", "10.10": "2023-11",
    }, "take a dump, and run `mariadb-upgrade` (or set MARIADB_AUTO_UPGRADE) with the new version"),
    "mongo": Product("MongoDB", "https://www.mongodb.com/legal/support-policy/lifecycles", "8.0", {
        "3": "2021-04", "3.0": "2018-02", "3.2": "2018-09", "3.4": "2020-01", "3.6": "2021-04", "4": "2024-02",
        "4.0": "2022-04", "4.2": "2023-04", "4.4": "2024-02", "5": "2024-10", "5.0": "2024-10", "6": "2025-07",
        "6.0": "2025-07",
    }, f"{_STEPWISE}, raising featureCompatibilityVersion each time"),
    "redis": Product("Redis", "https://github.com/redis/redis/security/policy", "8", {
        "5": "2022-04", "6.0": "2022-05", "7.0": "2024-07",
    }),
    "elasticsearch": Product("the Elastic Stack", "https://www.elastic.co/support/eol", "8.19.0", {
        "6": "2022-02", "7": "2026-01",
    }, "go to the last version of each major one in between, after a snapshot"),
    "nginx": Product("nginx", "https://nginx.org/en/download.html", "1.30", {
        "1.8": "2016-04", "1.10": "2017-04", "1.12": "2018-04", "1.14": "2019-04", "1.16": "2020-04",
        "1.18": "2021-04", "1.19": "2021-05", "1.20": "2022-05", "1.21": "2022-06", "1.22": "2023-04",
        "1.23": "2023-05", "1.24": "2024-04", "1.25": "2024-05", "1.26": "2025-04", "1.27": "2025-06",
        "1.28": "2026-04", "1.29": "2026-05",
    }),
    "rabbitmq": Product("RabbitMQ", "https://www.rabbitmq.com/release-information", "4.2", {
        "3": "2024-09", "3.6": "2018-05", "3.7": "2020-09", "3.8": "2022-07", "3.9": "2023-01", "3.10": "2023-07",
        "3.11": "2023-12", "3.12": "2024-06", "3.13": "2024-09", "4.0": "2025-04", "4.1": "2026-01",
    }, "by way of 3.13, if it isn't there yet, with all its feature flags enabled"),
    "temurin": Product("Java", "https://adoptium.net/support/", "21", {
        "16": "2021-09", "18": "2022-09", "19": "2023-03", "20": "2023-09", "22": "2024-09", "23": "2025-03",
    }),
    "openjdk": Product("the image openjdk", "https://hub.docker.com/_/openjdk", "21", {"": "2022"}),
    "adoptopenjdk": Product("the image adoptopenjdk", "https://hub.docker.com/_/adoptopenjdk", "21", {"": "2021-08"}),
    "dotnet": Product(".NET", "https://dotnet.microsoft.com/platform/support/policy/dotnet-core", "10.0", {
        "1": "2019-06", "2.0": "2018-10", "2.1": "2021-08", "2.2": "2019-12", "3.0": "2020-03", "3.1": "2022-12",
        "5": "2022-05", "6": "2024-11", "7": "2024-05", "8": "2026-11", "9": "2026-11",
    }),
    "debian": Product("Debian", "https://wiki.debian.org/DebianReleases", "12", {
        "7": "2018-05", "8": "2020-06", "9": "2022-06", "10": "2024-06", "11": "2026-08",
    }),
    "ubuntu": Product("Ubuntu", "https://ubuntu.com/about/release-cycle", "24.04", {
        "12.04": "2017-04", "14.04": "2019-04", "16.04": "2021-04", "18.04": "2023-05", "20.04": "2025-05",
        "20.10": "2021-07", "21.04": "2022-01", "21.10": "2022-07", "22.10": "2023-07", "23.04": "2024-01",
        "23.10": "2024-07", "24.10": "2025-07", "25.04": "2026-01", "25.10": "2026-07",
    }),
    "alpine": Product("Alpine", "https://alpinelinux.org/releases/", "3.23", {
        "3.5": "2018-11", "3.6": "2019-05", "3.7": "2019-11", "3.8": "2020-05", "3.9": "2020-11", "3.10": "2021-05",
        "3.11": "2021-11", "3.12": "2022-05", "3.13": "2022-11", "3.14": "2023-05", "3.15": "2023-11",
        "3.16": "2024-05", "3.17": "2024-11", "3.18": "2025-05", "3.19": "2025-11", "3.20": "2026-04",
    }),
}  # fmt: skip
_RETIRED = {
    "promtail": Product("Promtail", "https://grafana.com/docs/loki/latest/send-data/promtail/", "", {"": "2026-03"},
        move="Move to Grafana Alloy; `alloy convert --source-format=promtail` rewrites the configuration",
        image="grafana/alloy"),
    "agent": Product("the Grafana Agent", "https://grafana.com/docs/agent/latest/", "", {"": "2025-11"},
        move="Move to Grafana Alloy; `alloy convert --source-format=static` rewrites the configuration",
        image="grafana/alloy"),
    "jaeger": Product("Jaeger 1", "https://www.jaegertracing.io/docs/latest/", "", {"": "2025-12"},
        move="Move to jaegertracing/jaeger of version 2, whose options stand in a configuration file",
        image="jaegertracing/jaeger"),
    "mailhog": Product("MailHog", "https://github.com/mailhog/MailHog/releases", "", {"": "2020-08"},
        move="Move to Mailpit, which listens on the same ports", image="axllent/mailpit"),
}  # fmt: skip
"""Programs that have ended as a whole: Promtail on 2 March 2026, the Grafana Agent on 1 November 2025, Jaeger 1 on
31 December 2025 (https://github.com/jaegertracing/jaeger/issues/6321), MailHog with its last release."""
_RETIRED_IMAGES = {
    "grafana/promtail": "promtail", "grafana/agent": "agent", "mailhog/mailhog": "mailhog",
    **{f"jaegertracing/{name}": "jaeger" for name in ("all-in-one", "jaeger-agent", "jaeger-collector",
                                                      "jaeger-ingester", "jaeger-query")},
}  # fmt: skip
_ON_THE_WAY = {
    ("MySQL", "8"): "take a dump before, and remove the options that it no longer knows",
    ("MySQL", "9"): "take a dump before, and remove the options that it no longer knows",
    ("RabbitMQ", "4"): "enable all feature flags before",
}
"""What remains of the usual way for who has gone the first part of it, by the product and the major version."""
_IMAGES = {
    "python": "python", "node": "node", "golang": "go", "php": "php", "ruby": "ruby", "postgres": "postgres",
    "postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "mongo": "mongo", "mongodb": "mongo",
    "redis": "redis", "elasticsearch": "elasticsearch", "kibana": "elasticsearch", "logstash": "elasticsearch",
    "rabbitmq": "rabbitmq", "eclipse-temurin": "temurin", "openjdk": "openjdk", "adoptopenjdk": "adoptopenjdk",
    "nginx": "nginx",
    "debian": "debian", "ubuntu": "ubuntu", "alpine": "alpine", "mysql-server": "mysql",
    "postgis/postgis": "postgres", "pgvector/pgvector": "postgres", "timescale/timescaledb": "postgres",
    **{f"dotnet/{core}{name}": "dotnet" for core in ("", "core/") for name in ("aspnet", "runtime", "sdk",
                                                                              "runtime-deps")},
    "elasticsearch/elasticsearch": "elasticsearch", "kibana/kibana": "elasticsearch",
    "logstash/logstash": "elasticsearch",
}  # fmt: skip
"""By repository, without the registry."""
_SAME_AS_OFFICIAL = ("docker/library/", "bitnami/", "bitnamilegacy/", "cimg/", "circleci/")
_CODENAMES = {
    "wheezy": ("debian", "7"), "jessie": ("debian", "8"), "stretch": ("debian", "9"), "buster": ("debian", "10"),
    "bullseye": ("debian", "11"), "trusty": ("ubuntu", "14.04"), "xenial": ("ubuntu", "16.04"),
    "bionic": ("ubuntu", "18.04"), "focal": ("ubuntu", "20.04"), "lunar": ("ubuntu", "23.04"),
    "mantic": ("ubuntu", "23.10"), "kinetic": ("ubuntu", "22.10"), "oracular": ("ubuntu", "24.10"),
}  # fmt: skip
_INSTEAD = {"debian": "bookworm", "ubuntu": "noble", "alpine": "3.23"}
"""What a tag is given in place of a release of the distribution that has ended."""
_VERSION = regex(r"v?(?P<version>\d+(?:\.\d+)*)(?=[-_.+a-z]|$)")
_POSTGRES = regex(r"(?:^|-)pg(?P<version>\d+)(?:\.\d+)?(?=-|$)")
_SYSTEM = regex(
    r"(?:^|[-_])(?:(?P<codename>"
    + "|".join(_CODENAMES)
    + r")|(?P<name>alpine|ubuntu|debian)-?(?P<version>\d+(?:\.\d+)?))"
    r"(?=[-_.]|$)"
)
_EARLY = regex(r"-ea|-rc|\bea-")
_LANGUAGES = {"python": "python", "node": "node", "go": "go", "ruby": "ruby", "php": "php"}


def of_image(image: str) -> Ended | None:
    """What of an image is no longer maintained: its program, else the distribution that its tag names."""
    name, tag = images.repository(image), images.tag(image)
    if retired := _RETIRED_IMAGES.get(name):
        return Ended(_RETIRED[retired], "", _RETIRED[retired].cycles[""], "")
    for prefix in _SAME_AS_OFFICIAL:
        name = name.removeprefix(prefix)
    key = _IMAGES.get(name, "")
    return (_of_program(key, tag) if key else None) or _of_system(name, tag)


def of_language(language: str, version: str) -> Ended | None:
    """Whether a version of a language, as workflows and version files write it, is no longer maintained."""
    match = _VERSION.match(version.strip())
    key = _LANGUAGES.get(language)
    return _cycle(key, match["version"], match["version"]) if match and key else None


def replaced(image: str, ended: Ended) -> str:
    """The image with a version that is maintained; empty where its tag can't be written without doubt."""
    head, tag = image[: len(image) - len(images.tag(image))], images.tag(image)
    head = head.replace("/dotnet/core/", "/dotnet/")  # since .NET 5
    if "@" in image or not tag or not ended.successor or not ended.cycle or "$" in image:
        return ""
    if (match := _SYSTEM.search(tag)) and ended.part in (match["codename"], match["version"]):
        return head + tag[: match.start()] + _system_instead(match) + tag[match.end() :]
    rest = tag[len(ended.part) :] if tag.startswith(ended.part) else None
    if rest is None or re.search(r"\d", _SYSTEM.sub("", rest)):
        return ""
    return head + ended.successor + _SYSTEM.sub(_system_instead, rest)


def _system_instead(match: re.Match[str]) -> str:
    """The same distribution in a release that is maintained."""
    start = match[0][:1] if match[0][:1] in "-_" else ""
    if match["codename"]:
        return start + _INSTEAD[_CODENAMES[match["codename"]][0]]
    instead = {"alpine": "3.23", "ubuntu": "24.04", "debian": "12"}[match["name"]]
    return start + match[0][len(start) : -len(match["version"])] + instead


def _of_program(key: str, tag: str) -> Ended | None:
    if "" in _PRODUCTS[key].cycles:
        return Ended(_PRODUCTS[key], "", _PRODUCTS[key].cycles[""], tag) if tag and not _EARLY.search(tag) else None
    match = (_POSTGRES.search(tag) if key == "postgres" else None) or _VERSION.match(tag)
    return _cycle(key, match["version"], match["version"]) if match else None


def _of_system(name: str, tag: str) -> Ended | None:
    match = _SYSTEM.search(tag) or (_SYSTEM.search(name) if name.startswith("distroless/") else None)
    if match is None:
        return None
    if codename := match["codename"]:
        return _cycle(*_CODENAMES[codename], codename)
    return _cycle(match["name"], match["version"], match["version"])


def _cycle(key: str, version: str, part: str) -> Ended | None:
    """The cycle of a version, by the longest beginning of it that is listed."""
    numbers = version.split(".")
    for length in range(len(numbers), 0, -1):
        cycle = ".".join(numbers[:length])
        if since := _PRODUCTS[key].cycles.get(cycle):
            return Ended(_PRODUCTS[key], cycle, since, part)
    return None
