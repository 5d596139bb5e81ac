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


def names_guard(text: str) -> bool:
    """Whether a statement of it asks for a login, or lets in known addresses alone."""
    return bool(_GUARD.search(text))
