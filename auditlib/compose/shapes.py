"""The attributes of every object of a Compose project in the order in which Compose writes them.

Follows the structs of compose-go's `types` package.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from auditlib.compose import value_lists as w
from auditlib.compose import values as v


class Shape(Struct, frozen=True):
    """An object: its attributes, and what JSON shows of it even when it is empty."""

    fields: dict[str, Any]
    always: tuple[str, ...] = ()
    """Attributes that JSON shows even when they are empty."""
    titled: bool = False
    """JSON writes the attributes with a capital, since the reference gave them no name."""
    extensions: bool = True


class One(Struct, frozen=True):
    """An object of a shape; `optional` is left out when absent, otherwise JSON shows it empty."""

    shape: Shape
    optional: bool = True


class Many(Struct, frozen=True):
    """A list of objects."""

    shape: Shape


class Keyed(Struct, frozen=True):
    """Objects by name; one that says nothing is `null` when `nullable`."""

    shape: Shape
    nullable: bool = False


class Ulimits(Struct, frozen=True):
    """Limits by name: a number, or a soft and a hard one."""


_HOOK = Shape(
    {"command": w.command, "user": v.text, "privileged": v.boolean, "working_dir": v.text, "environment": w.variables},
    ("command",),
)
_FILE_REFERENCE = Shape({"source": v.text, "target": v.text, "uid": v.text, "gid": v.text, "mode": v.mode})
_BUILD = Shape(
    {
        "context": v.text, "dockerfile": v.text, "dockerfile_inline": v.text, "entitlements": w.texts,
        "args": w.variables, "provenance": v.text, "sbom": v.text, "ssh": w.ssh, "labels": w.mapping,
        "cache_from": w.text_or_list, "cache_to": w.text_or_list, "no_cache": v.boolean,
        "additional_contexts": w.mapping, "pull": v.boolean, "extra_hosts": w.hosts, "isolation": v.text,
        "network": v.text, "target": v.text, "secrets": Many(_FILE_REFERENCE), "shm_size": v.size,
        "tags": w.text_or_list, "ulimits": Ulimits(), "platforms": w.text_or_list, "privileged": v.boolean,
    }
)  # fmt: skip
_TRIGGER = Shape(
    {"path": v.text, "action": v.text, "target": v.text, "exec": One(_HOOK, optional=False), "include": w.texts,
     "ignore": w.texts, "initial_sync": v.boolean}, ("path", "action"))  # fmt: skip
_WEIGHT = Shape({"path": v.text, "weight": v.natural}, ("path", "weight"), titled=True)
_THROTTLE = Shape({"path": v.text, "rate": v.size}, ("path", "rate"), titled=True)
_BLKIO = Shape(
    {"weight": v.natural, "weight_device": Many(_WEIGHT), "device_read_bps": Many(_THROTTLE),
     "device_read_iops": Many(_THROTTLE), "device_write_bps": Many(_THROTTLE), "device_write_iops": Many(_THROTTLE)}
)  # fmt: skip
_DEVICE_REQUEST = Shape(
    {"capabilities": w.texts, "driver": v.text, "count": v.device_count, "device_ids": w.texts, "options": w.mapping},
    extensions=False,
)
_DISCRETE = Shape({"kind": v.text, "value": v.integer}, ("kind", "value"))
_RESOURCE = Shape(
    {"cpus": v.cpus, "memory": v.size, "pids": v.integer, "devices": Many(_DEVICE_REQUEST),
     "generic_resources": Many(Shape({"discrete_resource_spec": One(_DISCRETE)}))}
)  # fmt: skip
_UPDATE = Shape(
    {"parallelism": v.count, "delay": v.span, "failure_action": v.text, "monitor": v.span,
     "max_failure_ratio": v.single, "order": v.text}
)  # fmt: skip
_DEPLOY = Shape(
    {
        "mode": v.text, "replicas": v.number, "labels": w.mapping, "update_config": One(_UPDATE),
        "rollback_config": One(_UPDATE),
        "resources": One(Shape({"limits": One(_RESOURCE), "reservations": One(_RESOURCE)}), optional=False),
        "restart_policy": One(Shape(
            {"condition": v.text, "delay": v.duration, "max_attempts": v.count, "window": v.duration})),
        "placement": One(Shape(
            {"constraints": w.texts, "preferences": Many(Shape({"spread": v.text})),
             "max_replicas_per_node": v.natural}), optional=False),
        "endpoint_mode": v.text,
    }
)  # fmt: skip
_PORT = Shape(
    {"name": v.text, "mode": v.text, "host_ip": v.text, "target": v.natural, "published": v.text, "protocol": v.text,
     "app_protocol": v.text}
)  # fmt: skip
_VOLUME_MOUNT = Shape(
    {
        "type": v.text, "source": v.text, "target": v.text, "read_only": v.boolean, "consistency": v.text,
        "bind": One(Shape(
            {"selinux": v.text, "propagation": v.text, "create_host_path": v.boolean, "recursive": v.text})),
        "volume": One(Shape({"labels": w.mapping, "nocopy": v.boolean, "subpath": v.text})),
        "tmpfs": One(Shape({"size": v.size, "mode": v.natural})),
        "image": One(Shape({"subpath": v.text})),
    }
)  # fmt: skip
_SERVICE_NETWORK = Shape(
    {"aliases": w.texts, "driver_opts": w.options, "gw_priority": v.integer, "interface_name": v.text,
     "ipv4_address": v.text, "ipv6_address": v.text, "link_local_ips": w.texts, "mac_address": v.text,
     "priority": v.integer}
)  # fmt: skip
_HEALTHCHECK = Shape(
    {"test": w.health_test, "timeout": v.duration, "interval": v.duration, "retries": v.count,
     "start_period": v.duration, "start_interval": v.duration, "disable": v.boolean}
)  # fmt: skip
_DEPENDENCY = Shape({"condition": v.text, "restart": v.boolean, "required": v.boolean}, ("required",))
_ENV_FILE = Shape({"path": v.text, "required": v.boolean, "format": v.text}, extensions=False)

SERVICE = Shape(
    {
        "profiles": w.texts, "annotations": w.mapping, "attach": v.flag, "build": One(_BUILD),
        "develop": One(Shape({"watch": Many(_TRIGGER)})), "blkio_config": One(_BLKIO), "cap_add": w.texts,
        "cap_drop": w.texts, "cgroup_parent": v.text, "cgroup": v.text, "cpu_count": v.integer,
        "cpu_percent": v.single, "cpu_period": v.integer, "cpu_quota": v.integer, "cpu_rt_period": v.integer,
        "cpu_rt_runtime": v.integer, "cpus": v.single, "cpuset": v.text, "cpu_shares": v.integer,
        "command": w.command, "configs": Many(_FILE_REFERENCE), "container_name": v.text,
        "credential_spec": One(Shape({"config": v.text, "file": v.text, "registry": v.text})),
        "depends_on": Keyed(_DEPENDENCY), "deploy": One(_DEPLOY), "device_cgroup_rules": w.texts,
        "devices": Many(Shape({"source": v.text, "target": v.text, "permissions": v.text})), "dns": w.text_or_list,
        "dns_opt": w.texts, "dns_search": w.text_or_list, "domainname": v.text, "entrypoint": w.command,
        "provider": One(Shape({"type": v.text, "options": w.multi_options})), "environment": w.variables,
        "env_file": Many(_ENV_FILE), "expose": w.any_list,
        "extends": One(Shape({"file": v.text, "service": v.text}, extensions=False)), "external_links": w.texts,
        "extra_hosts": w.hosts, "group_add": w.texts, "gpus": Many(_DEVICE_REQUEST), "hostname": v.text,
        "healthcheck": One(_HEALTHCHECK), "image": v.text, "init": v.flag, "ipc": v.text, "isolation": v.text,
        "labels": w.mapping, "label_file": w.texts, "links": w.texts,
        "logging": One(Shape({"driver": v.text, "options": w.options})), "mem_limit": v.size,
        "mem_reservation": v.size, "memswap_limit": v.size, "mem_swappiness": v.size, "mac_address": v.text,
        "models": Keyed(Shape({"endpoint_var": v.text, "model_var": v.text}), nullable=True), "network_mode": v.text,
        "networks": Keyed(_SERVICE_NETWORK, nullable=True), "oom_kill_disable": v.boolean,
        "oom_score_adj": v.integer, "pid": v.text, "pids_limit": v.integer, "platform": v.text,
        "ports": Many(_PORT), "privileged": v.boolean, "pull_policy": v.text, "read_only": v.boolean,
        "restart": v.text, "runtime": v.text, "scale": v.number, "secrets": Many(_FILE_REFERENCE),
        "security_opt": w.texts, "shm_size": v.size, "stdin_open": v.boolean, "stop_grace_period": v.duration,
        "stop_signal": v.text, "storage_opt": w.plain_mapping, "sysctls": w.mapping, "tmpfs": w.text_or_list,
        "tty": v.boolean, "ulimits": Ulimits(), "use_api_socket": v.boolean, "user": v.text, "userns_mode": v.text,
        "uts": v.text, "volumes": Many(_VOLUME_MOUNT), "volumes_from": w.texts, "working_dir": v.text,
        "post_start": Many(_HOOK), "pre_stop": Many(_HOOK),
    },
    ("command", "entrypoint"),
)  # fmt: skip
_POOL = Shape({"subnet": v.text, "gateway": v.text, "ip_range": v.text, "aux_addresses": w.mapping}, extensions=False)
NETWORK = Shape(
    {
        "name": v.text, "driver": v.text, "driver_opts": w.options,
        "ipam": One(Shape({"driver": v.text, "config": Many(_POOL)}), optional=False), "external": v.boolean,
        "internal": v.boolean, "attachable": v.boolean, "labels": w.mapping, "enable_ipv4": v.flag,
        "enable_ipv6": v.flag,
    }
)  # fmt: skip
VOLUME = Shape({"name": v.text, "driver": v.text, "driver_opts": w.options, "external": v.boolean, "labels": w.mapping})
FILE_OBJECT = Shape(
    {
        "name": v.text, "file": v.text, "environment": v.text, "content": v.text, "external": v.boolean,
        "labels": w.mapping, "driver": v.text, "driver_opts": w.plain_mapping, "template_driver": v.text,
    }
)  # fmt: skip
MODEL = Shape({"name": v.text, "model": v.text, "context_size": v.integer, "runtime_flags": w.texts})
SECTIONS = {
    "services": SERVICE, "networks": NETWORK, "volumes": VOLUME, "secrets": FILE_OBJECT, "configs": FILE_OBJECT,
    "models": MODEL,
}  # fmt: skip
