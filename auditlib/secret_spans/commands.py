"""Finds the password among the arguments of a program that takes one, and what a shell pipes into such a program.

A list of words (`["redis-cli", "-a", …]`, YAML's `- -a`) counts like a line. Source: the manual of each program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import literals
from auditlib.secret_spans.names import is_secret_value

Span = tuple[int, int]

_LINE = regex(r"(?:\\\n|\n[ \t]{0,100}-[ \t]|[^\n]){0,600}")
_BETWEEN = r"""(?:\\?["']?[ \t,=]{1,9}|["']?[ \t]{0,9}\\?\n[ \t]{0,100}(?:-[ \t]{1,9})?)"""
"""What separates an option from its value: a blank, `=`, the quotes and comma of a list, or the next line."""
_VALUE = r"""\\?(?P<quote>["'])?(?P<value>(?(quote)(?:(?!\\?(?P=quote))[^\n])+|[^\s"',;|&)\]\\]+))"""
_STRING = rf"(?=b?[\"']){_VALUE}"
_USER = r"""\\?["']?[^\s:"'\\-][^\s:"'\\]{0,100}"""


def _option(*names: str) -> str:
    """An option and its value, apart from each other."""
    return rf"""(?<=["'\s])(?:{"|".join(names)}){_BETWEEN}{_VALUE}"""


def _glued(name: str) -> str:
    """An option whose value follows at once."""
    return rf"""(?<=["'\s]){name}(?!\\?["']\s*[,\])])(?=[^\s,=]){_VALUE}"""


_ZIP = rf"""^(?:un)?zip["']?[\s,][^|;&\n]*?(?<=["'\s])-P{_BETWEEN}?{_VALUE}"""
_DNS = "cloudflare|digitalocean|hetzner|gandi|duckdns|vultr|linode|netlify|namecheap|porkbun|desec|dnsimple"
"""Providers whose token stands after their name in a Caddyfile."""
_PROGRAMS: dict[str, tuple[str, ...]] = {
    "redis-cli": (_option("-a", "--pass", "(?i:auth)"),),
    "curl": (
        rf"""(?<=["'\s])(?:-[a-zA-Z]*[uU]|--user|--proxy-user){_BETWEEN}?(?:{_USER})?:{_VALUE}""",
        rf"""(?<=["'\s])(?:-u|--user){_BETWEEN}\\?["']?(?P<value>[^\s:"'\\-][^\s:"'\\]*):(?=["'\s])""",
    ),
    "http -a": (rf"^http -a{_BETWEEN}{_USER}:{_VALUE}",),
    "mysql": (_glued("-p"), rf"^mysqladmin\s[^\n|;&]*?\spassword\s+{_VALUE}"),
    "mariadb": (_glued("-p"),),
    "mongo": (_option("-p"),),
    " login": (_option("-p"), _glued("-p=?")),
    "sshpass": (_option("-p"), _glued("-p")),
    "cypher-shell": (_option("-p"),),
    "ldap": (_option("-w"),),
    "ldappasswd": (_option("-s", "-a"),),
    "lftp": (rf"\s-u\s+\w[^\s,]*,{_VALUE}",),
    "smbclient": (r"""\s-U\s*["']?[^\s%"']+%(?P<value>[^\s"']+)""",),
    "zip": (_ZIP,),
    "unzip": (_ZIP,),
    "7z": (rf"""^7z\w?["']?[\s,][^|;&\n]*?(?<=["'\s])-p{_VALUE}""",),
    "ssh-keygen": (_option("-N", "-P"),),
    "hash-password": (_option("-p", "--plaintext"),),
    "openssl": (
        _option("-k"),
        rf"""(?<=["'\s])-pass(?:in|out)?{_BETWEEN}["']?pass:{_VALUE}""",
        rf"^openssl passwd(?:\s+-\w+)*\s+(?!-){_VALUE}",
    ),
    "doctl": (_option("-t"),),
    "codecov": (_option("-t"),),
    "cypress": (_option("--key"),),
    "netlify": (_option("--auth"),),
    "gh secret set": (_option("-b", "--body"), _glued("-b")),
    "vault login": (rf"^vault login\s+(?![\w-]*=){_VALUE}\s*$",),
    "snyk auth": (rf"^snyk auth\s+{_VALUE}",),
    "ngrok": (rf"\s(?:add-)?authtoken\s+{_VALUE}",),
    "cloudflared service install": (rf"install\s+{_VALUE}",),
    "sentinel auth-pass": (rf"auth-pass\s+\S+\s+{_VALUE}",),
    "config set": (rf"config set\s+\S*(?:_authToken|_auth|_password)[ =]{_VALUE}",),
    "poetry config": (rf"\s(?:pypi-token\.\S+|http-basic\.\S+\s+\S+)\s+{_VALUE}",),
    "composer config": (rf"\shttp-basic\.\S+\s+\S+\s+{_VALUE}",),
    "aws configure set": (rf"""(?:aws_secret_access_key|aws_session_token)["']?\s+{_VALUE}""",),
    "mc alias set": (rf"set\s+\S+\s+\S+\s+\S+\s+{_VALUE}",),
    "mc config host add": (rf"add\s+\S+\s+\S+\s+\S+\s+{_VALUE}",),
    "mc admin user add": (rf"add\s+\S+\s+\S+\s+{_VALUE}",),
    "rabbitmqctl": (rf"(?:add_user|change_password|authenticate_user)\s+\S{{1,100}}\s+{_VALUE}",),
    "htpasswd": (
        rf"""\s-\w{{0,9}}b\w{{0,9}}\s+(?:-\w+\s+)*(?:\S+\s+)?\S+\s+(?!-){_VALUE}(?=["']?\s*(?:$|[|>&;"']))""",
    ),
    "dns ": (rf"^dns\s+(?:{_DNS})\s+{_VALUE}\s*$",),
    "::add-mask::": (rf"^::add-mask::{_VALUE}",),
    "identified": (rf"(?i)^identified\s+(?:with\s+\S+\s+)?by\s+{_STRING}",),
    "set password": (rf"(?i)^set password[^=\n]{{0,100}}=\s*(?:password\s*\(\s*)?{_STRING}",),
    " on >": (rf"^ on >{_VALUE}",),
    "password:": (r"""(?i)^password:?\s*\\?["'];\s*send\s+(?:--\s+)?["'](?P<value>[^"'\\]+)""",),
}
"""What is looked for after the name of a program, in the order of a command line."""

_FIRST = r"""\s*["'][^"'\n]*["']\s*,\s*"""
_CALLS: dict[str, str] = {
    "basicauth(": _FIRST + _STRING,
    "auth=(": _FIRST + _STRING,
    ".auth(": _FIRST + _STRING,
    ".login(": _FIRST + _STRING,
    "createhmac(": _FIRST + _STRING,
    "jwt.": rf"(?:sign|verify|encode|decode)\([^\"'\n]{{0,100}},\s*{_STRING}",
    "btoa(": r"""\s*["'`][^"'`:\n]*:(?P<value>[^"'`\n]+)["'`]""",
    "set_password(": rf"\s*{_STRING}",
    "compare_digest(": rf"[^\"'\n]{{0,100}},\s*{_STRING}",
}
"""Functions that take a secret as an argument without a name."""

PATTERNS: dict[str, tuple[re.Pattern[str], ...]] = {
    **{program: tuple(map(regex, patterns)) for program, patterns in _PROGRAMS.items()},
    **{call: (regex("(?i)^" + re.escape(call) + pattern),) for call, pattern in _CALLS.items()},
}


def command(program: str) -> Callable[[str, int], Iterator[Span]]:
    """The password among the arguments of a program, as far as the line goes or the program is named again."""
    name = re.compile(
        ("" if program in _CALLS or not program[0].isalnum() else r"(?<![\w.${-])") + re.escape(program), re.I
    )

    def handler(text: str, position: int) -> Iterator[Span]:
        line = _LINE.match(text, position)
        if line is None or not name.match(text, position):
            return
        again = name.search(text, position + 1, line.end())
        for pattern in PATTERNS[program]:
            for found in pattern.finditer(text[position : again.start() if again else line.end()]):
                yield from _value(found, position)

    return handler


def _value(match: re.Match[str], offset: int) -> Iterator[Span]:
    start, end = match.span("value")
    quoted = bool(match.groupdict().get("quote"))
    if is_secret_value("password", match["value"], quoted=quoted) and (quoted or match["value"][0] != "-"):
        yield offset + start, offset + end


_PRINTED = regex(
    rf"""(?:echo|printf)\s+(?:-\w+\s+)*(?:(?P<form>["'])[^"'\n]{{0,9}}%s[^"'\n]{{0,9}}(?P=form)\s+)?{_VALUE}\\?["']?\s*\|[^|;\n]*$"""
)
READERS_OF_INPUT = ("--password-stdin", "--with-token", "sudo -s", "passwd --stdin")


def piped(text: str, position: int) -> Iterator[Span]:
    """What `echo` or `printf` hands to a program that reads a password from its input."""
    start = literals.line_start(text, position)
    for match in _PRINTED.finditer(text[start:position]):
        yield from _value(match, start)


_LOGINS = regex(r"""(?:echo|printf)\s+(?:-\w+\s+)*\\?["']?[^\s:"'|]+:(?P<value>[^\s"'|\\]+)[^|\n]*\|[^|\n]*$""")


def piped_login(text: str, position: int) -> Iterator[Span]:
    """`echo user:password | chpasswd`."""
    start = literals.line_start(text, position)
    for match in _LOGINS.finditer(text[start:position]):
        yield from _value(match, start)


_TAKES_INPUT = regex(r"--password-stdin|--with-token|\blogin\b|\bpasswd\b")
_HERE = regex(rf"<<<\s*{_VALUE}")


def here_string(text: str, position: int) -> Iterator[Span]:
    """What stands after `<<<` for a program that reads a password from its input."""
    start = literals.line_start(text, position)
    match = _HERE.match(text, position)
    if match and _TAKES_INPUT.search(text, start, position):
        yield from _value(match, 0)


_USER_OPTION = regex(r"""["'\s](?:-u|--user(?:name)?)["']?[\s,=]""")
_PASSWORD_OPTION = regex(rf"-p{_BETWEEN}{_VALUE}")
_PORT = regex(r"[\d.:/-]+(?:/(?:tcp|udp))?|\$.*")


def user_and_password(text: str, position: int) -> Iterator[Span]:
    """`-u NAME -p PASSWORD` of any program; MySQL's `-p` takes no value after a blank, and many mean a port."""
    match = _PASSWORD_OPTION.match(text, position + 1)
    if match is None or _PORT.fullmatch(match["value"]) or match["value"].startswith("-"):
        return
    start = literals.line_start(text, position)
    before = re.split(r"&&|\|\||[|;]", text[start:position])[-1]
    if _USER_OPTION.search(before) and not re.search(r"mysql|mariadb|docker run|compose", before):
        yield from _value(match, 0)
