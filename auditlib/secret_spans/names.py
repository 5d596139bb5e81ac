"""What a variable's name and a value's own form say: which names hold secrets, and which values are none."""

from __future__ import annotations

import re
from functools import lru_cache

_CREDENTIAL = re.compile(
    r"(?:password|passwd|passwort|passphrase)s?\d*$"
    r"|(?:^|_)(?:pwd|pass|requirepass|masterauth|secrets?|token|(?:api|auth|access|bot|refresh)tokens?|"
    r"(?:api|private|access|secret|encryption|signing|auth|service|routing|license|master|account|shared|hmac|jwt|app|"
    r"session|deploy|fernet|integration|user|storage|subscription|consumer|client|record|stripe|sendgrid|openai|"
    r"anthropic|twilio|mailgun|google|maps|datadog|algolia|firebase|pusher)_?keys?|"
    r"credentials?|webhook(?:_url)?|salt|dsn|bearer(?:_token)?|slack_api_url)\d*$"
)
"""What the end of a variable's name says of a secret, after the name is brought to snake case."""
_PASSWORD = re.compile(r"pass|pwd|secret", re.I)

NOT_A_VALUE = re.compile(
    r"\$.*|\{.*|%.*%|<.*>|\*+|\.{2,}|[*&!|>].{0,30}|read|write|inherit|true|false|yes|no|on|off|null|none|nil|undefined|"
    r"(?:str|string|int|integer|bool|boolean|bytes|any|object|secretstr|text|char|varchar|uuid)(?:\s*[\[|;(?].*)?|"
    r"optional|required|[\w.]+\(.*|process\.env\b.*|os\.environ\b.*|\.{0,2}/[\w.@-]*(?:/[\w.@{}$-]*)+|[./]+|"
    r"~/.*|\\.|[-–—]+|\[[^\"']*\]?|.{0,7}\$\{\{[^}]*\}\}(?:.{0,7}\$\{\{[^}]*\}\})*.{0,7}",
    re.I | re.S,
)
"""References, types, switches, paths: what stands in the place of a secret without being one."""
_VARIABLE_NAME = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_STOP_WORD = re.compile(r"\b(?:the|an?|of|to|is|are|for|your|and|or|in|with|must|be|this|that|used|from|by)\b", re.I)
_NUMBER = re.compile(r"\d{1,5}")


def is_credential_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, by its ending: `DB_PASSWORD` does, `TOKEN_TTL` doesn't."""
    return _is_credential(name[-120:])


@lru_cache(maxsize=8192)
def _is_credential(name: str) -> bool:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_").lower()
    return bool(_CREDENTIAL.search(snake))


def is_secret_value(name: str, value: str) -> bool:
    """Whether the value of a variable that holds a secret is one, and no reference, type, switch or path."""
    bare = value.strip()
    if not bare or NOT_A_VALUE.fullmatch(bare) or _VARIABLE_NAME.fullmatch(bare) or _is_sentence(bare):
        return False
    return not _NUMBER.fullmatch(bare) or bool(_PASSWORD.search(name))


def _is_sentence(value: str) -> bool:
    """Whether a value describes the secret (`the key that signs tokens`); a passphrase has no such small words."""
    return value.count(" ") >= 2 and len(value) < 500 and bool(_STOP_WORD.search(value))
