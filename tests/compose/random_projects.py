"""Random Compose projects: a handful of files that are mostly valid and now and then odd on purpose.

`project(seed)` gives the files of one project as a mapping from path to text, the Compose files to load and the
profiles. The values are in `attributes.yml`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_DATA = yaml.safe_load(Path(__file__).with_name("attributes.yml").read_text(encoding="utf-8"))
NAMES, WORDS, ODD = _DATA["names"], _DATA["words"], _DATA["odd"]
ATTRIBUTES, REFUSED, TOP = _DATA["attributes"], _DATA["refused"], _DATA["top"]
ENV_LINES, BAD_ENV = _DATA["env_lines"], _DATA["bad_env"]


class Tagged:
    """A value to be written with a YAML tag."""

    def __init__(self, tag: str, value: Any) -> None:
        self.tag, self.value = tag, value


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return not isinstance(data, dict | list) or not data


def _tagged(dumper: yaml.Dumper, data: Tagged) -> yaml.Node:
    node = dumper.represent_data(data.value)
    node.tag = data.tag
    return node


_Dumper.add_representer(Tagged, _tagged)


@dataclass
class Case:
    """One random project."""

    texts: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)


class Generator:
    """`wild` is how often a value is odd."""

    def __init__(self, seed: int, wild: float = 0.02) -> None:
        self.random, self.wild = random.Random(seed), wild

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def value(self, key: str) -> Any:
        if self.chance(self.wild / 6):
            return self.random.choice(ODD)
        if key in REFUSED and self.chance(self.wild):
            return self.random.choice(REFUSED[key])
        value = self.random.choice(ATTRIBUTES[key])
        return self.vary(value) if self.chance(self.wild) else value

    def vary(self, value: Any) -> Any:
        """One place of a value replaced by something odd."""
        if isinstance(value, dict) and value and self.chance(0.8):
            key = self.random.choice(list(value))
            return {**value, key: self.vary(value[key])}
        if isinstance(value, list) and value and self.chance(0.8):
            index = self.random.randrange(len(value))
            return [*value[:index], self.vary(value[index]), *value[index + 1 :]]
        return self.random.choice([*ODD, *WORDS])

    def service(self, name: str = "", *, complete: bool = True) -> dict[str, Any]:
        keys = self.random.sample([k for k in ATTRIBUTES if k != "unknown"], self.random.randint(0, 7))
        out: dict[str, Any] = {}
        if complete:
            out["image" if self.chance(0.7) else "build"] = self.value("image") if self.chance(0.9) else "x"
        for key in keys:
            if (key == "network_mode" and self.chance(0.7)) or (
                key in ("extends", "container_name") and self.chance(0.4)
            ):
                continue
            out[key] = self.value(key)
        if self.chance(self.wild / 2):
            out[self.random.choice(["unknown", "pre_start", "umask", "Image"])] = 1
        self._without_cycles(out, name)
        if "build" in out and complete:
            out["build"] = self.random.choice(ATTRIBUTES["build"])
        return out

    def _without_cycles(self, service: dict[str, Any], name: str) -> None:
        """Most services that others refer to refer to none."""
        if name in ("db", "api", "worker") and not self.chance(self.wild):
            for key in ("depends_on", "links", "volumes_from", "network_mode", "ipc", "pid", "extends", "provider"):
                service.pop(key, None)
        if not self.chance(self.wild):
            if "network_mode" in service:
                service.pop("networks", None)
            for twin in ("mem_limit", "mem_reservation", "cpus", "pids_limit", "scale"):
                if "deploy" in service:
                    service.pop(twin, None)
            if "scale" in service or "deploy" in service:
                service.pop("container_name", None)

    def document(self, names: list[str], *, complete: bool = True) -> dict[str, Any]:
        out: dict[str, Any] = {"services": {name: self.service(name, complete=complete) for name in names}}
        for section, entries in TOP.items():
            for name, forms in entries.items():
                if self.chance(0.98 if complete else 0.1):
                    out.setdefault(section, {})[name] = self.random.choice(forms)
        if self.chance(0.15):
            out["name"] = self.random.choice(["named-${TAG:-x}", "Proj_1", "p"])
        if self.chance(0.1):
            out["version"] = "3.8"
        if self.chance(0.15):
            out["x-common"] = self.random.choice([{"a": [1, 2.5, None]}, "text", {"x-in": {"y": "${TAG}"}}])
        return out

    def override(self, base: dict[str, Any]) -> dict[str, Any]:
        """A file that changes some services of another."""
        names = self.random.sample(list(base["services"]), self.random.randint(1, len(base["services"])))
        out = self.document(names, complete=False)
        for name in names:
            for key in self.random.sample(list(base["services"][name]), min(len(base["services"][name]), 3)):
                if key in ATTRIBUTES and key not in ("extends",):
                    out["services"][name][key] = self.value(key)
                if self.chance(0.12):
                    tag = "!reset" if self.chance(0.5) else "!override"
                    out["services"][name][key] = Tagged(tag, out["services"][name].get(key))
        return out

    def share(self, document: dict[str, Any]) -> None:
        """Two services with a part in common: an alias, or a merge key."""
        services = document["services"]
        names = list(services)
        if len(names) < 2:
            return
        first, second = self.random.sample(names, 2)
        if self.chance(0.5) and services[first]:
            key = self.random.choice(list(services[first]))
            services[second][key] = services[first][key]
        else:
            services[second] = {"<<": services[first], **services[second]}

    def env(self, lines: int = 6) -> str:
        chosen = [self.random.choice(ENV_LINES) for _ in range(self.random.randint(0, lines))]
        if self.chance(self.wild):
            chosen.append(self.random.choice(BAD_ENV))
        return "\n".join(chosen) + ("\n" if self.chance(0.9) else "")

    def case(self) -> Case:
        case = Case()
        names = self.random.sample(NAMES, self.random.randint(1, 5))
        names += [name for name in ("db", "api", "worker") if name not in names and self.chance(0.95)]
        main = self.document(names)
        base = {"services": {n: self.service() for n in ("base", "second", "third")}}
        for service in base["services"].values():
            service.pop("extends", None)
        if self.chance(0.3):
            base["services"]["second"]["extends"] = "base"
        if self.chance(0.4):
            self.share(main)
        if self.chance(0.3):
            self._include(case, main)
        documents = {"compose.yaml": main, "common/base.yaml": base}
        case.files = ["compose.yaml"]
        if self.chance(0.45):
            documents["override.yaml"] = self.override(main)
            case.files.append("override.yaml")
        for path, document in documents.items():
            case.texts[path] = dump(document)
        for path in (".env", "one.env", "two.env", "common/one.env", "common/two.env"):
            case.texts[path] = self.env()
        case.profiles = self.random.choice([["*"], ["*"], [], ["debug"], ["production", "debug"]])
        return case

    def _include(self, case: Case, main: dict[str, Any]) -> None:
        inner = self.document(self.random.sample(["inner", "in-2"], self.random.randint(1, 2)))
        for section in ("volumes", "networks", "secrets", "configs", "models"):
            if self.chance(0.95):
                inner.pop(section, None)
        for service in inner["services"].values():
            service.pop("extends", None)
        case.texts["sub/compose.yaml"] = dump(inner)
        case.texts["sub/.env"] = self.env()
        case.texts["sub/one.env"] = self.env()
        case.texts["sub/two.env"] = self.env()
        path = "sub/compose.yaml"
        forms = [
            [path],
            [{"path": path}],
            [{"path": [path], "project_directory": "."}],
            [{"path": f"./{path}", "env_file": "one.env"}],
            [{"path": path, "project_directory": "sub", "env_file": ["two.env"]}],
        ]
        main["include"] = self.random.choice(forms)


def dump(document: dict[str, Any]) -> str:
    """YAML text; a merge key is written as one."""
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text.replace("'<<':", "<<:").replace('"<<":', "<<:")


def project(seed: int, wild: float = 0.02) -> Case:
    """The random project of a seed."""
    return Generator(seed, wild).case()
