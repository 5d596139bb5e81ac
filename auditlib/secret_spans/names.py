"""What a variable's name and a value's own form say: which names hold secrets, and which values are none."""

from __future__ import annotations

import re
from functools import lru_cache

from auditlib.patterns import regex

_CREDENTIAL = regex(
    r"(?:password|passwd|passwort|passphrase|storepass|keypass|(?:pg|db|my|mysql|redis|smtp|mail|ftp|ssh|root|admin|user|auth)pass|passcode|passkey)s?\d*$"
    r"|(?:^|_)(?:pwd|pw|pass|psk|requirepass|masterauth|secrets?|token|authtoken|(?:api|auth|access|bot|refresh)tokens?|"
    r"mnemonic|seed_phrase|totp_seed|erlang_cookie|http_header_value|x_honeycomb_team|"
    r"(?:api|private|access|secret|encryption|signing|auth|service|routing|license|master|account|shared|jwt|app|"
    r"session|deploy|fernet|integration|user|storage|subscription|consumer|client|record|sec|hmac|stripe|sendgrid|"
    r"openai|anthropic|twilio|mailgun|google|maps|datadog|algolia|firebase|pusher|ssh|tls|ssl|gpg|wireguard|wg)_?keys?|"
    r"(?:git|gh|github|gitlab|ghcr|azure|azdo|ado|devops|npm|repo|registry)_pat|composer_auth|"
    r"credentials?|webhook(?:_url)?|salt|dsn|pepper|bearer(?:_token)?|slack_api_url)\d*$"
)
"""What the end of a variable's name says of a secret, after the name is brought to snake case."""
_OF_ONE = regex(
    r"(?:password|passwd|passwort|passphrase|secret|secret_key|private_key|api_?key|api_?token|(?:access|auth|bot)_?token)_"
    r"(?:prod|production|live|dev|development|staging|stage|test|testing|sandbox|demo|local|old|new|current|previous|next|"
    r"primary|secondary|main|backup|readonly|read_only|ro|rw|base|eu|us|uk|de|fr|v\d+)$"
    r"|(?:^|_)api_?(?:key|token)_(?!(?:name|header|hash|hashed|prefix|suffix|length|min|max|ttl|expir\w*|lifetime|duration|url|"
    r"uri|file|path|dir|id|ids|type|status|state|scope|scopes|role|roles|limit|rate|quota|count|env|var|enabled|required|"
    r"optional|auth|service|manager|store|provider|source|location|param|parameter|query|field|regex|pattern|format|usage|"
    r"description|version|alg|algorithm|rotation|seconds|minutes|hours|days|owner|user|error|missing|invalid|here|issuer|"
    r"audience|validity|valid|exp|timeout|leeway|grace|age|interval|cache|cookie|policy|rounds|cost|bytes|size|endpoint)$)[a-z]+$"
)
"""The secret of one environment or customer: `DB_PASSWORD_PROD`, `API_TOKEN_BILLING`; no property of a secret."""
_SWITCH = regex(r"(?:^|_)(?:allow_empty|allow_blank|random|random_root|onetime)_(?:root_)?password$")
"""What turns a password off or has one made: `MYSQL_ALLOW_EMPTY_PASSWORD`, `MYSQL_RANDOM_ROOT_PASSWORD`."""
_PASSWORD = regex(r"pass|pwd|secret", re.I)

_REFERENCE = (
    r"‹secret(?:, \d+ characters?,?(?: #[0-9a-f]{4}›.*)?)?|\$\$?\w*[-/:.,;@ $\w{}()\[\]+'\"\\]*"
    r"|\$[{(\[].*|\{\{.*|\{[^{}]*\}.*|%.*%|%\w|%\}.*|<.*>|\*+|\.{2,}"
    r"|_+|(?:your|the) [\w-]+|read|write|inherit|true|false|yes|no|on|off|null|none|nil|undefined|optional|required"
    r"|(?:str|string|int|integer|bool|boolean|bytes|any|object|secretstr|text|char|varchar|uuid)(?:\s*[\[|;(?,].*)?"
    r"|[\w.]+\(.*|process\.env\b.*|os\.environ\b.*|\.{0,2}/[\w.@-]*(?:/[\w.@{}$-]*)+|[./]+|~/.*|\\.|[-–—]+|\[[^\"']*\]?"
    r"|.{0,7}\$\{\{[^}]*\}\}(?:.{0,7}\$\{\{[^}]*\}\})*.{0,7}"
)
_SYNTAX = (
    r"\$.*|\{.*|[|>][-+\d]{0,2}|[*&][\w-]+|[*&!|>=]\s.*"
    r"|!(?:reset|override|vault|secret|env_var|include|Ref|Sub|GetAtt|ImportValue|Join)\b.*"
)
"""What means something only where no quotes are."""
_NOT_A_STRING = regex(_REFERENCE, re.I | re.S)
NOT_A_VALUE = regex(rf"{_REFERENCE}|{_SYNTAX}", re.I | re.S)
"""References, types, switches, paths, what is masked already: what stands in a secret's place without being one."""
_VARIABLE_NAME = regex(r"[A-Z]+(?:_[A-Z]+)+")
_MAKES_ONE = regex(r"openssl rand(?: -(?:hex|base64|A))* \d{1,4}|uuidgen(?: -\w)?|pwgen(?: -\w+)*(?: \d{1,4}){0,2}")
"""A command that makes a secret, in the place of one: `JWT_SECRET: openssl rand -hex 32`."""
_STOP_WORD = regex(r"\b(?:the|an?|of|to|is|are|for|your|and|or|in|with|must|be|this|that|used|from|by)\b", re.I)
_TIME = r"(?:ms|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?|y|years?)"
_NUMBER = regex(rf"\d{{1,5}}(?:\.\d{{1,3}})?\s?(?:{_TIME}|[kmgt]i?b?|bytes?|%)?", re.I)
"""A number, also with a unit: a lifetime or a size, whatever the name ends with."""
_RATE = regex(rf"\d{{1,7}}\s?(?:/|\bper\b)\s?\d{{0,4}}\s?{_TIME}", re.I)
"""How often something may be asked for: `60/min`."""
_FILE = regex(r"(?:[\w.-]{1,60}/){0,10}[\w-]{1,60}\.(?:pem|key|crt|cer|p12|pfx|jks)")
"""The file that holds the secret."""
_OF_ADDRESS = regex(r"(?:webhook(?:[_.-]?url)?|dsn)$", re.I)
_FOLDERS = frozenset({"PWD", "OLDPWD"})
"""What every shell calls the folder that it works in: https://pubs.opengroup.org/onlinepubs/9799919799/ (2.5.3)."""
_PLAIN_ADDRESS = regex(r"[a-z][a-z\d+.-]{1,20}://[A-Za-z\d.-]+(?::\d{1,5})?(?:/[a-z-]{1,12}|/v\d)*/?")
"""A host and words: nothing that lets anybody in. What is made to be guessed by nobody is longer, or has digits."""
_PLAIN_SOURCE = regex(
    r"[a-z][a-z\d.-]{1,60}:\d{2,5}(?:/[a-z_-]{1,40})?|"
    r"(?:rediss?|valkey|postgres(?:ql)?|mysql|mariadb|mongodb|amqps?|nats|clickhouse|tcp)(?:\+[a-z\d]{1,20})?://"
    r"[\w.-]{1,80}(?::\d{1,5})?(?:/[\w-]{0,40})?|"
    r"(?:(?:host|port|user|dbname|sslmode|connect_timeout|timezone|application_name)=[\w./-]{1,60}(?:\s+|$)){1,10}",
    re.I,
)
"""Where a data source is, without a password: `redis://cache:6379/0`, `clickhouse:9000/analytics`,
`host=db port=5432 dbname=shop`."""


def is_credential_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, by its ending: `DB_PASSWORD` does, `TOKEN_TTL` doesn't."""
    return _is_credential(name[-120:])


@lru_cache(maxsize=8192)
def _is_credential(name: str) -> bool:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    snake = re.sub(r"[-. ]", "_", snake).lower()
    return bool(_CREDENTIAL.search(snake) or _OF_ONE.search(snake)) and not _SWITCH.search(snake)


def is_login_name(name: str) -> bool:
    """Whether a value of this name may be `user:password`: `FLOWER_BASIC_AUTH`, `--creds`, `cloud.auth`."""
    return bool(_LOGIN_NAME.search(name))


_LOGIN_NAME = regex(r"(?:^|[_.-])(?:auth|basic_?auth|(?:src-|dest-)?creds?|userpass)$", re.I)


def is_word_of_login(name: str, value: str) -> bool:
    """Whether a variable (`AUTH`, `REDIS_AUTH`, `CREDS`) holds a password, and doesn't choose how to authenticate."""
    holds = bool(_LOGIN_VARIABLE.search(name)) and not _CHOOSES.search(name)
    return holds and bool(_WORD.fullmatch(value)) and not _WAY_TO_AUTHENTICATE.fullmatch(value)


def only_hints_at_login(name: str, value: str) -> bool:
    """Whether only the name speaks for a password (`AUTH=word`): enough to hide it, not to complain of it."""
    return bool(_LOGIN_VARIABLE.search(name)) and bool(_WORD.fullmatch(value)) and not re.search("[:/]", value)


_WORD = regex(r"[^\s(]\S{2,}")
_LOGIN_VARIABLE = regex(r"(?:^|_)(?:AUTH|CREDS?)$")
"""In capitals, as variables of the environment are: `auth` in a file of settings opens a section or names a kind."""
_CHOOSES = regex(r"(?:^|_)(?:ENABLED?|DISABLED?|REQUIRED?|USE|SKIP|NO|ALLOW|WITH|HAS|IS|FORCE|BYPASS|CHECK)_")
_WAY_TO_AUTHENTICATE = regex(
    r"(?:http[_-]?)?(?:basic|digest|bearer|forms?|header|cookie|session|token|apikey|api[_-]?key|key|password|passwd|pass|login"
    r"|plain|md5|scram(?:-\w+)*|cram-?md5|ntlm|negotiate|kerberos|gssapi|spnego|sasl|tls|ssl|mtls|cert(?:ificate)?|x509)"
    r"(?:[_-]?auth)?"
    r"|o?auth2?|o?auth[_-]?\d(?:\.\d)?|oidc|openid(?:[_-]?connect)?|saml2?|sso|jwt|ldaps?|pam|radius|iam|mfa|totp|webauthn"
    r"|passkeys?|proxy|internal|external|builtin|native|local|db|database|sql|file|env|custom|default|simple|standard|legacy"
    r"|memory|mock|fake|dummy|test|github|gitlab|google|azure(?:ad)?|entra|okta|auth0|keycloak|cognito|firebase|supabase"
    r"|clerk|authelia|authentik|dex|zitadel|nextauth|lucia|devise|passport|anonymous|anon|guest|public|private|open|trust"
    r"|peer|ident|reject|any|all|only|full|strict|lax|user|users|enabled?|disabled?|require|allow|deny|never|always|auto"
    r"|enforced?|permissive|\d",
    re.I,
)


def is_option_value(value: str) -> bool:
    """Whether the value of `--key` is a key, and no number, file or name of a field."""
    return bool(_KEY.fullmatch(value)) and not value.isdigit()


_KEY = regex(r"[A-Za-z0-9_+=-]{8,}|(?=[A-Za-z]+\d)[A-Za-z0-9]{4,7}")


def is_secret_value(name: str, value: str, *, quoted: bool = False) -> bool:
    """Whether the value of a variable that holds a secret is one, and no reference, type, switch or path.

    In quotes more is a value than without: `"*name"` is none of YAML's aliases.
    """
    bare = value.strip()
    if (
        not bare
        or (_NOT_A_STRING if quoted else NOT_A_VALUE).fullmatch(bare)
        or _VARIABLE_NAME.fullmatch(bare)
        or _MAKES_ONE.fullmatch(bare)
        or _RATE.fullmatch(bare)
        or _FILE.fullmatch(bare)
        or _is_sentence(bare)
        or (_OF_ADDRESS.search(name) and _PLAIN_ADDRESS.fullmatch(bare))
        or (name[-3:].lower() == "dsn" and _PLAIN_SOURCE.fullmatch(bare))
        or (name in _FOLDERS and bare[0] in "/.~")
    ):
        return False
    return not _NUMBER.fullmatch(bare) or bool(_PASSWORD.search(name))


def _is_sentence(value: str) -> bool:
    """Whether a value describes the secret (`the key that signs tokens`); a passphrase has no such small words."""
    return value.count(" ") >= 2 and len(value) < 500 and bool(_STOP_WORD.search(value))
