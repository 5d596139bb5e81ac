"""Random Compose projects: a handful of files that are mostly valid and now and then odd on purpose.

`project(seed)` gives the files of one project as a mapping from path to text, the Compose files to load and the
profiles. The values are data below; each attribute has forms that Compose accepts and a few that it refuses.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import yaml

NAMES = ["api", "db", "worker", "web-app", "proxy.1", "cache_2", "x-tra"]
WORDS = ["1", "true", "x", "${PLAIN}", "${UNSET:-fallback}", "${UNSET:-${PLAIN:-deep}}", "${PLAIN:+alt}", "${EMPTY-e}",
         "${EMPTY:-}", "a$$b", "${EMPTY:+no}${PLAIN+yes}", "p ${TAG} s", "$PLAIN-$TAG", "${UNSET-}x", "", "a=b", "ü",
         "${TAG:-a}-${TAG:-b}", "$$${PLAIN}", "${PLAIN?msg}", "100%"]  # fmt: skip
ODD = ["${UNSET:?needed}", "${", "${A", "$5", "${A:-${B}", "${-x}", "${A-b:?c}", "${A:-{}}", None, True, 3, 1.5, 0x1F,
       "0o17", [], {}, ["a"], {"a": 1}, "~", -1, 1e21, "1_000", 12345678901234567890]  # fmt: skip
SIZES = ["64m", "1gb", 1048576, "512k", "1.5g", "0", "100", "2 mb", "10KiB", "1073741824"]
SPANS = ["10s", "1m30s", "500ms", "1h", "2d", "1.5s", "0s", "1m", "100us"]
VARIABLES = [
    {"A": "1", "B_C": "x ${PLAIN}", "EMPTY": "", "NUL": None},
    {"N": 1, "F": 1.0, "T": True, "BIG": 1e21, "OCT": 0o17, "S": "a b"},
    ["A=2", "PLAIN", "UNSET", "B=", "C=x=y", "${TAG}=v"],
    ["PLAIN=${PLAIN}", "Z", "A=1", "A=2"],
    {"${TAG}": "kept", "x-ext": "1", "A.b": "dots"},
]
LABELS = [{"a.b": "1", "c": True, "n": None}, ["x=1", "y", "x=2"], {"com.x": "${TAG}", "num": 3}, ["only"], {}]
SERVICE: dict[str, list[Any]] = {
    "annotations": [{"k": "v"}, ["k=v", "l"]],
    "attach": [True, False],
    "blkio_config": [{"weight": 300, "device_read_bps": [{"path": "/dev/sda", "rate": "12mb"}],
                      "weight_device": [{"path": "/dev/sdb", "weight": 400}]}],
    "build": [".", "${CTX:-ctx}", {"context": "../x", "args": ["V=1", "W", "PLAIN"], "target": "t"},
              {"dockerfile_inline": "FROM x"}, {"context": "https://g.com/a.git#b", "no_cache": True, "pull": False},
              {"context": ".", "secrets": ["token", {"source": "token", "target": "t", "mode": 0o440}], "tags": ["a:1", "b:${TAG}"],
               "platforms": ["linux/amd64"], "cache_from": ["x"], "cache_to": ["y"]},
              {"context": "./a/../b", "additional_contexts": ["a=./p", "b=docker-image://x"], "labels": ["x=1"], "shm_size": "64m"},
              {"context": ".", "args": {"A": 1, "B": None, "TAG": None}, "extra_hosts": ["a:1.2.3.4"], "ssh": ["default"],
               "ulimits": {"nofile": 10}, "provenance": True, "sbom": "x", "network": "host", "entitlements": ["e"]}],
    "cap_add": [["NET_ADMIN"], ["A", "B", "A"]],
    "cap_drop": [["ALL"]],
    "cgroup": ["host", "private"],
    "cgroup_parent": ["p"],
    "command": ["run --flag 'a b' $$X", ["a", "b c"], [], "", None, "a | b", "echo \"x y\" z", "a `b c` d", "a\\ b"],
    "configs": [["conf"], [{"source": "conf", "target": "/c", "mode": "0400", "uid": "1"}]],
    "container_name": ["c1", "c2", "c3"],
    "cpu_count": [2, "3"], "cpu_percent": [50, "12"], "cpu_period": ["100", 5000], "cpu_quota": [10], "cpu_shares": ["5", 7],
    "cpus": ["0.5", 1, 1.25, "2", 0.1], "cpuset": ["0,1"],
    "credential_spec": [{"file": "f.json"}],
    "depends_on": [["db"], {"db": {"condition": "service_healthy"}}, {"api": {"condition": "service_started", "required": False}},
                   {"worker": {"condition": "service_completed_successfully", "restart": True}}, ["api", "db"]],
    "deploy": [{"replicas": 2}, {"resources": {"limits": {"cpus": "0.5", "memory": "1g", "pids": 5}}},
               {"mode": "replicated", "labels": ["a=1"], "restart_policy": {"condition": "on-failure", "delay": "5s", "max_attempts": 3, "window": "1m"}},
               {"update_config": {"parallelism": 2, "delay": "10s", "order": "start-first", "max_failure_ratio": 0.3},
                "placement": {"constraints": ["node.role==manager"], "preferences": [{"spread": "x"}], "max_replicas_per_node": 2}},
               {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}], "memory": "20M"}}}, {"endpoint_mode": "vip"},
               {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"], "count": 2, "options": {"a": "b"}}],
                                               "generic_resources": [{"discrete_resource_spec": {"kind": "g", "value": 2}}]}}}],
    "develop": [{"watch": [{"path": "./src", "action": "sync", "target": "/app", "ignore": ["a/"]}]},
                {"watch": [{"path": "x", "action": "rebuild"}, {"path": ".", "action": "sync+exec", "target": "/t", "exec": {"command": "a b"}}]}],
    "device_cgroup_rules": [["c 1:3 mr"]],
    "devices": [["/dev/fuse:/dev/fuse"], ["/dev/a", "/dev/b:/dev/c:r"], [{"source": "/dev/x", "target": "/dev/y", "permissions": "r"}]],
    "dns": ["8.8.8.8", ["8.8.8.8", "1.1.1.1"], "${EMPTY}", ["${EMPTY}", "1.1.1.1"]],
    "dns_opt": [["a", "b"]], "dns_search": ["a.com", ["a.com", "b.com"]],
    "domainname": ["d.com"],
    "entrypoint": ["/bin/sh -c", ["a"], [], None],
    "environment": VARIABLES,
    "env_file": ["one.env", ["one.env", "two.env"], [{"path": "one.env"}, {"path": "missing.env", "required": False}], [{"path": "two.env", "format": "raw"}]],
    "expose": [[8000, "9000-9001"], ["80"], ["80/udp", 80]],
    "extends": ["db", {"service": "api"}, {"file": "common/base.yaml", "service": "base"}, {"file": "common/base.yaml", "service": "second"},
                {"file": "./common/base.yaml", "service": "third"}],
    "external_links": [["r1", "p:q"]],
    "extra_hosts": [["a:1.2.3.4", "host.docker.internal:host-gateway"], {"h": "10.0.0.1"}, ["h=::1", "i=[::2]"], {"h": ["1.1.1.1", "2.2.2.2"]}],
    "gpus": ["all", [{"driver": "nvidia", "count": 2}], [{"device_ids": ["1"], "capabilities": ["c"]}]],
    "group_add": [["mail", 1000]],
    "healthcheck": [{"test": "curl ${PLAIN}", "interval": "10s", "retries": "${RETRIES:-5}"}, {"test": ["CMD", "x"], "timeout": "1m30s"},
                    {"disable": True}, {"test": ["NONE"]}, {"test": ["CMD-SHELL", "a"], "start_period": "500ms", "start_interval": "1s"},
                    {"retries": 3, "disable": "${NO:-false}"}],
    "hostname": ["h", "${TAG}"], "image": ["redis:7", "a/b:${TAG:-latest}", "x@sha256:aa", "${PLAIN}/y"],
    "init": [True, False, "${T:-true}"], "ipc": ["host", "service:db", "shareable"], "isolation": ["default"],
    "labels": LABELS, "label_file": ["one.env", ["two.env"]],
    "links": [["db"], ["db:alias", "api"]],
    "logging": [{"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}, {"driver": "none"}, {"options": {"a": 1, "n": None}}],
    "mac_address": ["02:42:ac:11:65:43"], "mem_limit": SIZES, "mem_reservation": SIZES, "mem_swappiness": [10], "memswap_limit": ["1g", -1],
    "models": [["llm"], {"llm": {"endpoint_var": "E", "model_var": "M"}}],
    "network_mode": ["host", "none", "service:db", "bridge"],
    "networks": [["front"], {"front": None, "back": {"aliases": ["al", "bl"], "ipv4_address": "172.28.0.5", "priority": 3}}, ["default", "front"],
                 {"back": {"driver_opts": {"a": 1}, "gw_priority": 1, "mac_address": "x", "link_local_ips": ["1.1.1.1"], "interface_name": "e"}}, [], {}],
    "oom_kill_disable": [True], "oom_score_adj": [100, "-5"], "pid": ["host", "service:api"], "pids_limit": [5, "-1"],
    "platform": ["linux/amd64"],
    "ports": [["8080:80"], [3000, "3001"], ["127.0.0.1:5000-5002:5000-5002", "53:53/udp"], [{"target": 80, "published": "8080", "protocol": "tcp"}],
              ["80-82"], ["9000-9002:80"], [{"target": "${PORT:-90}", "published": 91, "mode": "host", "name": "n", "app_protocol": "http"}],
              ["[::1]:1:2"], ["${P:-8081}:${Q:-81}"], ["8080:80", "8080:80/tcp"]],
    "post_start": [[{"command": "a b", "user": "root", "environment": ["A=1"]}]], "pre_stop": [[{"command": ["x"], "privileged": True}]],
    "privileged": [True, "${T:-true}", False], "profiles": [["debug"], ["production", "frontend"], []],
    "provider": [{"type": "t", "options": {"a": 1, "b": ["x", "y"], "c": True}}],
    "pull_policy": ["always", "missing", "if_not_present", "build", "daily", "every_2d"],
    "read_only": [True, "yes"], "restart": ["always", "no", "on-failure:3", "unless-stopped"], "runtime": ["runc"],
    "scale": [1, 2, "${N:-3}", 0], "secrets": [["token"], [{"source": "token", "target": "tok", "mode": 288}], [{"source": "token"}]],
    "security_opt": [["no-new-privileges:true"], ["a", "b"]], "shm_size": SIZES, "stdin_open": [True], "stop_grace_period": SPANS,
    "stop_signal": ["SIGTERM"], "storage_opt": [{"size": "1G"}], "sysctls": [["net.core.somaxconn=1024"], {"a.b": 0, "c": "d"}],
    "tmpfs": ["/run", ["/run", "/tmp:size=64m"]], "tty": [True], "ulimits": [{"nproc": 65535, "nofile": {"soft": 1, "hard": 2}}, {"a": "${N:-7}"}, {"core": 0}],
    "use_api_socket": [True], "user": ["root", "1000:1000", 1000], "userns_mode": ["host"], "uts": ["host"],
    "volumes": [["data:/d"], ["./a:/a:ro", "~/h:/h", "/abs:/abs:z,rprivate"], ["/anon"], [{"type": "tmpfs", "target": "/t", "tmpfs": {"size": "10m", "mode": 0o1777}}],
                [{"type": "bind", "source": "./b", "target": "/b", "bind": {"create_host_path": True}}], ["logs:/l:nocopy", "data:/d/"], 
                [{"type": "volume", "source": "data", "target": "/v", "read_only": "${T:-true}", "volume": {"nocopy": True, "subpath": "s"}}], ["C:\\x:/y"],
                [{"type": "image", "source": "i", "target": "/i", "image": {"subpath": "p"}}], ["${VOL:-data}:/e:rw"]],
    "volumes_from": [["db"], ["api:ro", "container:c"]],
    "working_dir": ["/app"], "x-note": [{"team": "ops"}, "text", 3], "unknown": ["x"],
}  # fmt: skip
REFUSED: dict[str, list[Any]] = {
    "cgroup": ["bad"], "command": ["a 'open", "x (y)"], "depends_on": [{"db": {"restart": True}}, ["nowhere"], "db"],
    "devices": [["a:b:c:d"]], "env_file": ["missing.env", {"path": "one.env"}], "extends": [{"service": "nowhere"}, {"file": "no.yaml", "service": "x"}],
    "healthcheck": [{"test": ["bad"]}, {"test": ["CMD"], "interval": "5x"}], "ports": [["::1:80:80"], ["70000:1"], ["a:b"], [{"target": 1, "host_ip": "bad"}], ["80-81:90-93"], ["1/x"]],
    "pull_policy": ["bad"], "tmpfs": [["/run:ro", "/run"]], "volumes": [["undefined:/u"], ["a:b:c:d"], ["${UNSET}:/x"], ["a::b"]],
    "mem_limit": ["10x", "-1"], "stop_grace_period": ["5", "1y"], "cpus": ["a"], "scale": ["x", -1], "build": [{"contxt": "."}],
    "environment": [["A =1"], {"A": {"b": 1}}, "A=1"], "labels": ["x"], "expose": [["80", "80"]], "security_opt": [["a", "a"]],
    "extra_hosts": [["a"], ["=1.1.1.1"]], "ulimits": [{"a": 1.5}], "init": ["perhaps"], "networks": [["nowhere"]], "secrets": [["nowhere"]],
    "gpus": ["some", [{"count": 1, "device_ids": ["1"]}]], "develop": [{"watch": [{"path": "", "action": "rebuild"}]}],
}  # fmt: skip
TOP: dict[str, dict[str, list[Any]]] = {
    "volumes": {"data": [None, {}, {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": "./d"}}, {"external": True}],
                "logs": [None, {"name": "real_${TAG:-x}"}, {"labels": ["a=1"]}, {"external": {"name": "e"}}, {"driver": "local", "x-a": 1}]},
    "networks": {"front": [None, {"internal": True}, {"driver": "bridge", "attachable": True, "enable_ipv6": "${T:-true}"}, {"labels": {"a": 1}}],
                 "back": [{"name": "b-${TAG:-x}"}, {"ipam": {"driver": "d", "config": [{"subnet": "172.28.0.0/16", "gateway": "172.28.0.1"}]}},
                          {"external": True}, {"driver_opts": {"a": 1, "b": "x"}, "enable_ipv4": False}]},
    "secrets": {"token": [{"file": "./t.txt"}, {"environment": "PLAIN"}, {"external": True}, {"file": "~/t", "name": "n"}]},
    "configs": {"conf": [{"file": "./c.yml"}, {"content": "a ${PLAIN} $$"}, {"environment": "PLAIN"}, {"external": True}, {"environment": "UNSET"}]},
    "models": {"llm": [{"model": "ai/x"}, {"model": "y", "context_size": 1024, "runtime_flags": ["--a"]}]},
}  # fmt: skip
ENV_LINES = ["PLAIN=hello", "T=true", "PLAIN='single $NOT'", 'PLAIN="d ${TAG}"', "export PLAIN=1", "TAG=v1", "TAG=v2 # trailing", "TAG: yaml", "EMPTY=", "EMPTY=''",
             'MULTI="a\\nb"', "# comment", "", "DB=\"p@ss ${PLAIN}\"", "X=a#b", "Y=\"a \\\"q\\\" b\"", "Z='it\\'s'", "TWO=\"l1\nl2\"", "  SP = v  ", "TAG=${TAG:-deep}",
             "D.O-T=1", "ESC=\"\\$PLAIN $$PLAIN\"", "OCT=\"\\0101\"", "INHERIT", "U=${UNSET}", "T=true", "PORT=8088", "E==", "BS=a\\nb", "Q=\"unquoted\" rest"]  # fmt: skip
BAD_ENV = ["B AD=1", 'OPEN="x', "K!=1", "R=${X:?no}", "=v", "1A=2", "LAST"]


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
        value = self.random.choice(SERVICE[key])
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
        keys = self.random.sample(list(SERVICE)[:-1], self.random.randint(0, 7))
        out: dict[str, Any] = {}
        if complete:
            out["image" if self.chance(0.7) else "build"] = self.value("image") if self.chance(0.9) else "x"
        for key in keys:
            if key == "network_mode" and self.chance(0.7) or key in ("extends", "container_name") and self.chance(0.4):
                continue
            out[key] = self.value(key)
        if self.chance(self.wild / 4):
            out["unknown"] = 1
        self._without_cycles(out, name)
        if "build" in out and complete:
            out["build"] = self.random.choice(SERVICE["build"])
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
                if key in SERVICE and key not in ("extends",):
                    out["services"][name][key] = self.value(key)
                if self.chance(0.12):
                    value = out["services"][name].get(key)
                    out["services"][name][key] = Tagged("!reset", value) if self.chance(0.5) else Tagged("!override", value)
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
        forms = [["sub/compose.yaml"], [{"path": "sub/compose.yaml"}], [{"path": ["sub/compose.yaml"], "project_directory": "."}],
                 [{"path": "./sub/compose.yaml", "env_file": "one.env"}], [{"path": "sub/compose.yaml", "project_directory": "sub", "env_file": ["two.env"]}]]  # fmt: skip
        main["include"] = self.random.choice(forms)


def dump(document: dict[str, Any]) -> str:
    """YAML text; a merge key is written as one."""
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text.replace("'<<':", "<<:").replace('"<<":', "<<:")


def project(seed: int, wild: float = 0.02) -> Case:
    """The random project of a seed."""
    return Generator(seed, wild).case()
