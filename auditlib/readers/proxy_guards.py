"""Whether the configuration of a reverse proxy asks somebody who he is.

Follows https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html, …/ngx_http_access_module.html,
https://caddyserver.com/docs/caddyfile/directives, https://docs.haproxy.org/3.0/configuration.html#4.2-http-request and
https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/overview/.
"""

from __future__ import annotations

import re

from auditlib.patterns import regex

_GUARD = regex(
    r"^[^#\n]{0,300}?\b(?:auth_basic\s+(?!off)|auth_request|auth_jwt|deny\s|include\s+\S*auth|"
    r"basic_?auth|forward_?auth|authenticate|authorize|remote_ip|client_ip|http_auth|http-request\s+(?:auth|deny)|"
    r"digestAuth|ipAllowList|ipWhiteList|oauth2?)",
    re.M | re.I,
)

_INCLUDED_GUARD = regex(r"auth|allow|deny|acl|internal|restrict|private|protect|whitelist|security", re.I)


def names_guard(text: str) -> bool:
    """Whether a statement of it asks for a login, or lets in known addresses alone."""
    return bool(_GUARD.search(text))


def is_guard(words: list[str]) -> bool:
    """Whether a statement of nginx keeps strangers out of its block, or a file that it includes may do so."""
    name, *arguments = words
    if name in ("auth_basic", "ssl_verify_client"):
        return arguments[:1] != ["off"]
    if name == "return":
        return arguments[:1] in (["401"], ["403"], ["404"], ["410"], ["444"])
    if name == "include":
        return bool(_INCLUDED_GUARD.search(" ".join(arguments)))
    return name in ("auth_request", "auth_jwt", "deny", "internal")
