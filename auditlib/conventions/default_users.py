"""As which user the programs of an image run: what well-known images start as root, and what gives root up by itself.

Sources: the Dockerfiles of the images, which have no USER (https://github.com/docker-library for the official ones,
https://github.com/dotnet/dotnet-docker, https://github.com/GoogleContainerTools/distroless), and the manuals of the
programs that change their user.
"""

from __future__ import annotations

from auditlib.conventions import images
from auditlib.patterns import regex

ROOT = frozenset({"root", "0", "root:root", "0:0", "root:0", "0:root"})
_AS_ROOT = frozenset({
    "python", "pypy", "node", "golang", "ruby", "jruby", "php", "perl", "rust", "openjdk", "eclipse-temurin",
    "amazoncorretto", "sapmachine", "maven", "elixir", "erlang", "haskell", "swift", "julia", "composer", "gcc",
    "buildpack-deps", "tomcat", "oven/bun", "denoland/deno", "alpine", "busybox", "debian", "ubuntu", "fedora",
    "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux", "archlinux", "opensuse/leap", "scratch",
    "astral-sh/uv", "continuumio/miniconda3", "continuumio/anaconda3", "nvidia/cuda", "pytorch/pytorch",
    "tensorflow/tensorflow", "tiangolo/uvicorn-gunicorn", "tiangolo/uvicorn-gunicorn-fastapi",
    "dotnet/aspnet", "dotnet/runtime", "dotnet/runtime-deps", "dotnet/sdk", "dotnet/core/aspnet",
    "dotnet/core/runtime", "dotnet/core/sdk",
})  # fmt: skip
"""By repository, without the registry."""
_OTHER_USER = regex(r"nonroot|chiseled|distroless|rootless|unprivileged")
"""Tags of variants that have a user of their own."""
_OWN_DESIGN = regex(r"(?:^|-)(?:fpm|apache|zts-apache)(?:\d|-|$)")
"""Variants of PHP whose first process is root so that it can hand over to a user, as nginx's is."""
_BY_DESIGN = frozenset({
    "nginx", "openresty", "httpd", "apache2", "apachectl", "apache2-foreground", "httpd-foreground", "php-fpm",
    "sshd", "cron", "crond", "supervisord", "s6-svscan", "runsvdir", "/init", "init", "systemd", "haproxy", "named",
    "dnsmasq", "dockerd", "openvpn", "wg-quick", "postfix", "dovecot", "vsftpd", "tor", "chronyd", "ntpd", "keepalived",
    "fail2ban-server", "rsyslogd", "smbd", "buildkitd", "containerd",
})  # fmt: skip
"""Programs that are started as root and give it up for what they do, or can't do without it."""
_SWITCHES = frozenset({
    "gosu", "su-exec", "setpriv", "s6-setuidgid", "setuidgid", "runuser", "su", "sudo", "chpst", "capsh", "doas",
    "start-stop-daemon", "setuser", "tianon-gosu", "fixuid", "user-entrypoint",
})  # fmt: skip
_OPTIONS = frozenset({"--uid", "--user", "--chuid"})
"""How a server is told as whom to go on (`gunicorn --user app`, `uwsgi --uid app`)."""


def starts_as_root(image: str) -> bool:
    """Whether an image is known to start its programs as root."""
    name, tag = images.repository(image).removeprefix("docker/library/"), images.tag(image)
    if name.startswith("distroless/"):
        return not _OTHER_USER.search(tag)
    own = _OTHER_USER.search(tag) or (name == "php" and _OWN_DESIGN.search(tag))
    return name in _AS_ROOT and not own


def gives_up_root(words: tuple[str, ...]) -> bool:
    """Whether a command changes the user, or starts a program that does so by itself or needs root."""
    parts = [part for word in words for part in word.split()]
    names = {part.rpartition("/")[2] for part in parts} | {"/init"} & set(parts)
    options = {part.partition("=")[0] for part in parts}
    return bool(names & (_SWITCHES | _BY_DESIGN) or options & _OPTIONS)
