"""The options of programs that take a password, and functions that take one without a name, as patterns.

Source: the manual of each program. A list of words (`["redis-cli", "-a", …]`, YAML's `- -a`) counts like a line.
"""

from __future__ import annotations

BETWEEN = r"""(?:\\?["']?[ \t,=]{1,9}|["']?[ \t]{0,9}\\?\n[ \t]{0,100}(?:-[ \t]{1,9})?)"""
"""What separates an option from its value: a blank, `=`, the quotes and comma of a list, or the next line."""
VALUE = r"""\\?(?P<quote>["'])?(?P<value>(?(quote)(?:(?!\\?(?P=quote))[^\n])+|[^\s"',;|&)\]\\]+))"""
STRING = rf"(?=b?[\"']){VALUE}"
_USER = r"""\\?["']?[^\s:"'\\-][^\s:"'\\]{0,100}"""


def _option(*names: str) -> str:
    """An option and its value, apart from each other."""
    return rf"""(?<=["'\s])(?:{"|".join(names)}){BETWEEN}{VALUE}"""


def _glued(name: str) -> str:
    """An option whose value follows at once."""
    return rf"""(?<=["'\s]){name}(?!\\?["']\s*[,\])])(?=[^\s,=]){VALUE}"""


def _separate_or_glued(name: str) -> str:
    """An option whose value follows at once or after a blank."""
    return rf"""(?<=["'\s]){name}{BETWEEN}?{VALUE}"""


_ORACLE = r"""^\w+\s+(?:-\w+\s+)*["']?\w[\w$#]*/(?P<value>[^\s@"'/]+)"""
_ZIP = rf"""^(?:un)?zip["']?[\s,][^|;&\n]*?(?<=["'\s])-P{BETWEEN}?{VALUE}"""
_DNS = "cloudflare|digitalocean|hetzner|gandi|duckdns|vultr|linode|netlify|namecheap|porkbun|desec|dnsimple"
"""Providers whose token stands after their name in a Caddyfile."""
PROGRAMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("redis-cli", "redis-benchmark", "valkey-cli", "keydb-cli"), (_option("-a", "--pass", "(?i:auth)"),)
    ),
    "curl": (
        rf"""(?<=["'\s])(?:-[a-zA-Z]*[uU]|--user|--proxy-user){BETWEEN}?(?:{_USER})?:{VALUE}""",
        rf"""(?<=["'\s])(?:-u|--user){BETWEEN}\\?["']?(?P<value>[^\s:"'\\-][^\s:"'\\]*):(?=["'\s])""",
    ),
    "http -a": (rf"^http -a{BETWEEN}{_USER}:{VALUE}",),
    "https -a": (rf"^https -a{BETWEEN}{_USER}:{VALUE}",),
    "mysql": (_glued("-p"), rf"^mysqladmin\s[^\n|;&]*?\spassword\s+{VALUE}"),
    "mariadb": (_glued("-p"),),
    "mycli": (_option("-p"), _glued("-p")),
    "mongo": (_option("-p"), _glued("-p")),
    "elasticsearch-users": (_option("-p"),),
    "set-initial-password": (rf"password\s+(?!-){VALUE}",),
    "influx": (_option("-t"),),
    "etcdctl": (rf"""--user{BETWEEN}{_USER}:{VALUE}""", rf"\suser add\s+{_USER}:{VALUE}"),
    **dict.fromkeys(("sqlcmd", "bcp "), (_separate_or_glued("-P"),)),
    "isql ": (rf"^isql\s+(?:-\w+\s+)*\w\S*\s+\w\S*\s+{VALUE}",),
    **dict.fromkeys(("sqlplus", "expdp", "impdp", "sqlldr"), (_ORACLE,)),
    " login": (_option("-p"), _glued("-p=?")),
    "sshpass": (_option("-p"), _glued("-p")),
    "cypher-shell": (_option("-p"),),
    "ldap": (_option("-w"), _glued("-w")),
    "ldappasswd": (_option("-s", "-a"),),
    "slappasswd": (_option("-s"),),
    "kadmin": (_option("-w"),),
    **dict.fromkeys(("useradd", "usermod"), (_option("-p"),)),
    "mosquitto_": (
        _separate_or_glued("-P"),
        rf"^mosquitto_passwd\s(?:[^|;&\n]*\s)?-\w*b\w*\s+\S+\s+\S+\s+{VALUE}",
    ),
    "ipmitool": (_option("-P"),),
    **dict.fromkeys(
        ("snmpget", "snmpwalk", "snmpbulk", "snmpset"),
        (_option("-A", "-X"), rf"""(?<=["'\s])-c{BETWEEN}(?!["']?public\b){VALUE}"""),
    ),
    "nmcli": (rf"\spassword\s+{VALUE}",),
    "wpa_passphrase": (rf"""^wpa_passphrase\s+(?:"[^"\n]+"|'[^'\n]+'|[^\s"']+)\s+{VALUE}""",),
    "xfreerdp": (rf"\s/p:{VALUE}",),
    **dict.fromkeys(("security unlock-keychain", "security create-keychain"), (_option("-p"),)),
    "security import": (_option("-P"),),
    "swaks": (_option("-ap"),),
    "lftp": (rf"\s-u\s+\w[^\s,]*,{VALUE}",),
    **dict.fromkeys(
        ("smbclient", "rpcclient", "winexe", "smbget", "net rpc", "net ads"),
        (r"""\s-U\s*["']?[^\s%"']+%(?P<value>[^\s"']+)""",),
    ),
    "samba-tool": (rf"\suser\s+(?:create|add)\s+\S+\s+(?!-){VALUE}",),
    **dict.fromkeys(("ejabberdctl", "prosodyctl"), (rf"\s(?:register|change_password)\s+\S+\s+\S+\s+(?!-){VALUE}",)),
    "zip": (_ZIP,),
    "unzip": (_ZIP,),
    "7z": (rf"""^7z\w?["']?[\s,][^|;&\n]*?(?<=["'\s])-p{VALUE}""",),
    "rar ": (rf"""^rar [^|;&\n]*?(?<=["'\s])-h?p(?!["'\s]){VALUE}""",),
    "unrar ": (rf"""^unrar [^|;&\n]*?(?<=["'\s])-p(?![-"'\s]){VALUE}""",),
    "ssh-keygen": (_option("-N", "-P"),),
    "hash-password": (_option("-p", "--plaintext"),),
    "openssl": (
        _option("-k"),
        rf"""(?<=["'\s])-pass(?:in|out)?{BETWEEN}["']?pass:{VALUE}""",
        rf"^openssl passwd(?:\s+-\w+)*\s+(?!-){VALUE}",
    ),
    "doctl": (_option("-t"),),
    "codecov": (_option("-t"),),
    "cypress": (_option("--key"),),
    "netlify": (_option("--auth"),),
    "gh secret set": (_option("-b", "--body"), _glued("-b")),
    "kubectl create secret": (rf"""--from-literal[=\s]["']?[\w.-]+={VALUE}""",),
    "gitlab-runner register": (_option("-r"),),
    "pulumi config set": (rf"--secret\s+\S+\s+{VALUE}", rf"^pulumi config set\s+(?!-)\S+\s+{VALUE}(?=.*--secret)"),
    "ansible-vault encrypt_string": (
        rf"encrypt_string\s+(?!-){VALUE}",
        rf"(?<!--name)(?<!--vault-id)(?<!-n)\s{STRING}",
    ),
    "reset-admin-password": (rf"password\s+(?!-){VALUE}",),
    "rclone obscure": (rf"obscure\s+(?!-){VALUE}",),
    "bw unlock": (rf"unlock\s+(?!-){VALUE}",),
    "cf auth": (rf"auth\s+\S+\s+(?!-){VALUE}",),
    "cargo login": (rf"login\s+(?!-){VALUE}",),
    "nuget push": (_option("-k"),),
    **dict.fromkeys(("b2 authorize-account", "b2 account authorize"), (rf"\s\w+\s+{VALUE}\s*$",)),
    "bundle config": (rf"^bundle config\s+(?:(?:set|--\w+)\s+)*\S*\.\S+\s+{_USER}:{VALUE}",),
    "transmission-remote": (rf"\s(?:-n|--auth){BETWEEN}{_USER}:{VALUE}",),
    "consul acl set-agent-token": (rf"token\s+\w+\s+(?!-){VALUE}",),
    "vault token": (rf"\s(?:lookup|renew|revoke)\s+(?!-){VALUE}",),
    **dict.fromkeys(("sonar.login", "-dsonar.login"), (rf"(?i)^(?:-D)?sonar\.login\s*[=:]\s*{VALUE}",)),
    **dict.fromkeys(
        ("--password-command", "restic_password_command", "borg_passcommand"),
        (rf"""(?i)^[\w-]+command{BETWEEN}["']?(?:echo|printf)\s+(?:-\w+\s+)*{VALUE}""",),
    ),
    "vault login": (rf"^vault login\s+(?![\w-]*=){VALUE}\s*$",),
    "snyk auth": (rf"^snyk auth\s+{VALUE}",),
    "ngrok": (rf"\s(?:add-)?authtoken\s+{VALUE}",),
    "cloudflared service install": (rf"install\s+{VALUE}",),
    "sentinel auth-pass": (rf"auth-pass\s+\S+\s+{VALUE}",),
    "config set": (rf"config set\s+\S*(?:_authToken|_auth|_password)[ =]{VALUE}",),
    "poetry config": (rf"\s(?:pypi-token\.\S+|http-basic\.\S+\s+\S+)\s+{VALUE}",),
    "composer config": (
        rf"\shttp-basic\.\S+\s+\S+\s+{VALUE}",
        rf"\s(?:github-oauth|gitlab-token|bearer)\.\S+\s+{VALUE}",
    ),
    "aws configure set": (rf"""(?:aws_secret_access_key|aws_session_token)["']?\s+{VALUE}""",),
    "mc alias set": (rf"set\s+\S+\s+\S+\s+\S+\s+{VALUE}",),
    "mc config host add": (rf"add\s+\S+\s+\S+\s+\S+\s+{VALUE}",),
    "mc admin user add": (rf"add\s+\S+\s+\S+\s+{VALUE}",),
    "rabbitmqctl": (rf"(?:add_user|change_password|authenticate_user)\s+\S{{1,100}}\s+{VALUE}",),
    "htpasswd": (rf"""\s-\w{{0,9}}b\w{{0,9}}\s+(?:-\w+\s+)*(?:\S+\s+)?\S+\s+(?!-){VALUE}(?=["']?\s*(?:$|[|>&;"']))""",),
    "dns ": (rf"^dns\s+(?:{_DNS})\s+{VALUE}\s*$",),
    "::add-mask::": (rf"^::add-mask::{VALUE}",),
    "identified": (rf"(?i)^identified\s+(?:with\s+\S+\s+)?by\s+{STRING}",),
    "set password": (rf"(?i)^set password[^=\n]{{0,100}}=\s*(?:password\s*\(\s*)?{STRING}",),
    " on >": (rf"^ on >{VALUE}",),
    "password:": (r"""(?i)^password:?\s*\\?["'];\s*send\s+(?:--\s+)?["'](?P<value>[^"'\\]+)""",),
}
"""What is looked for after the name of a program, in the order of a command line."""
