"""What code does that depends on the proxy before it: limits by address, WebSockets, streams of events.

Follows https://www.uvicorn.org/deployment/#proxies-and-forwarded-headers, https://flask-limiter.readthedocs.io/en/stable/,
https://docs.nestjs.com/security/rate-limiting#proxies, https://fastify.dev/docs/latest/Reference/Server/#trustproxy,
https://docs.spring.io/spring-boot/how-to/webserver.html#howto.webserver.use-behind-a-proxy-server,
https://learn.microsoft.com/en-us/aspnet/core/host-and-deploy/proxy-load-balancer,
https://laravel.com/docs/requests#configuring-trusted-proxies and https://gin-gonic.com/en/docs/deployment/. The text is
searched, not parsed.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory.proxy import ProxyTrait
from auditlib.patterns import Words, regex
from auditlib.readers.reading import Reading, location_at
from auditlib.readers.settings import is_test, other_languages
from auditlib.source import Source

_COMMENT = regex(r"(?m)^[ \t]*(?://|\*|#(?!\[))[^\n]*")
_CODE = {
    ".py": "py", ".js": "js", ".ts": "js", ".mjs": "js", ".cjs": "js", ".go": "go", ".java": "java", ".kt": "java",
    ".cs": "cs", ".php": "php", ".rs": "rs", ".rb": "rb",
}  # fmt: skip
_HINTS = Words(
    "get_remote_address", "client.host", "REMOTE_ADDR", "remote_addr", "orwarded", "ORWARDED", "ThrottlerGuard",
    "rate-limit", "trustProxy", "trust proxy", "proxy_headers", "ProxyFix", "ProxyHeaders", "RemoteAddr", "RealIP",
    "ProxyHeader", "IPExtractor", "limiter.New", "LimitByIP", "TrustedPro", "trustedPro", "trustPro", "getRemoteAddr",
    "RemoteIp", "ClientIP()", "->ip()", "AXES_", "RATELIMIT_", "axes",
    "views.static", "FILE_STORAGE", "storages.", "Storage", "FileResponse(", "X-Accel-Redirect", "MEDIA_URL",
    ".websocket(", "websocket_urlpatterns", "WebSocketRoute(", "socketio", "SocketIO(", "socket.io", "WebSocketServer(",
    "WebSocket.Server(", "@WebSocketGateway", "websocket.Upgrader", "websocket.Accept(", "websocket.Handler",
    "@EnableWebSocket", "registerStompEndpoints", "@ServerEndpoint", "MapHub<", "UseWebSockets(", "ActionCable",
    "WebSocketUpgrade", "httpOnly", "Strict-Transport", "helmet", "HSTS", "Hsts", "hsts", "force_ssl",
    "secure_headers", "event-stream", "SECURE_SSL_REDIRECT",
    "admin.site.urls", "hitenoise", "hiteNoise", "servestatic", "ServeStatic", "dj_static", "StaticFilesHandler",
    "collectstatic", "staticfiles\":", "staticfiles':", "STATICFILES_STORAGE", "django_heroku",
    "SseEmitter", "@Sse(", "X-Accel-Buffering",
)  # fmt: skip
"""Without any of these words a file says nothing of all that."""


class _Sign(Struct, frozen=True):
    """What in a language shows a trait; `near` are words that a file has to hold too, `window` such as stand close."""

    kind: str
    framework: str
    pattern: re.Pattern[str]
    near: re.Pattern[str] | None = None
    window: re.Pattern[str] | None = None


_MOST = 50
"""How many places of a file are looked at closely."""
_CLOSE = 250
_FORWARDED = regex(r"x[-_]forwarded[-_]for", re.I)
_FIRST = regex(r"\.split\(\s*[\"'],\s?[\"']\s*(?:,\s*1\s*)?\)\s*(?:\[0\]|\.shift\()")
"""The first address of a list."""
_SECURE = regex(r"\bsecure\s*:\s*(?P<path>true\b|[^,}\n]{0,60}prod[^,}\n]{0,40})", re.I)
_COUNTS = regex(r"rate.?limit|limiter|throttl|too.?many|attempts|lock.?out|brute", re.I)
_SIGNS: dict[str, tuple[_Sign, ...]] = {
    "py": (
        _Sign("limit", "slowapi", regex(r"\bfrom slowapi\.util import [^\n]{0,60}\bget_remote_address\b")),
        _Sign("limit", "Flask-Limiter", regex(r"\bfrom flask_limiter\.util import [^\n]{0,60}\bget_remote_address\b")),
        _Sign("limit", "Starlette", regex(r"\brequest\.client\.host\b"), _COUNTS),
        _Sign("limit", "Flask", regex(r"\brequest\.remote_addr\b"), _COUNTS),
        _Sign("limit", "Django", regex(
            r"META(?:\.get\(|\[)[\"']REMOTE_ADDR[\"']|\bratelimit\([^)\n]{0,80}key=[\"']ip[\"']"), _COUNTS),
        _Sign("limit", "django-axes", regex(r"[\"']axes[\"']\s*,")),
        _Sign("trust", "py", regex(
            r"\bProxyFix\b|\bProxyHeadersMiddleware\b|\bforwarded_allow_ips\b|(?i:x[-_]forwarded[-_]for)|"
            r"(?i:x[-_]real[-_]ip)|\bAXES_(?:IPWARE|PROXY|CLIENT_IP)\w*|\bRATELIMIT_IP_META_KEY\b|\bipware\b|"
            r"ProxyFixMiddleware")),
        _Sign("belief", "py", _FORWARDED, _COUNTS, _FIRST),
        _Sign("redirect", "Django", regex(
            r"(?m)^[ \t]*SECURE_SSL_REDIRECT\s*=\s*(?:True\b|not DEBUG\b|[^\n#]{0,120}(?:default\s*=|,)\s*"
            r"(?:True|[\"'](?:[Tt]rue|1)[\"'])\s*,?\s*\))")),
        _Sign("scheme", "Django", regex(r"\bSECURE_PROXY_SSL_HEADER\b|(?i:x[-_]forwarded[-_]proto)")),
        _Sign("admin", "Django", regex(r"\badmin\.site\.urls\b")),
        _Sign("static", "Django", regex(
            r"(?i:whitenoise|servestatic|dj_static)|\bStaticFilesHandler\b|\bcollectstatic\b|\bdjango\.views\.static\b|"
            r"\bstorages\.backends\b|\bS3\w{0,20}Storage\b|\bSTATICFILES_STORAGE\b|[\"']staticfiles[\"']\s*:|django_heroku")),
        _Sign("files", "Django", regex(
            r"\bdjango\.views\.static\b|\bDEFAULT_FILE_STORAGE\b|\bstorages\.backends\b|\bS3Boto3?Storage\b|"
            r"\bFileResponse\(|\bX-Accel-Redirect\b|\bMEDIA_URL\s*=\s*[^\n]{0,40}http")),
        _Sign("socket", "FastAPI", regex(r"@\w+\.websocket\(\s*[\"'](?P<path>[^\"'\n]{0,200})")),
        _Sign("socket", "Channels", regex(r"\bwebsocket_urlpatterns\s*=|\bWebSocketRoute\(")),
        _Sign("socket", "Socket.IO", regex(r"\bsocketio\.(?:Async)?Server\(|\bSocketIO\(\s*\w")),
        _Sign("stream", "py", regex(r"(?i:media_?type|content_?type|mimetype)[\"']?\s*[=:]\s*[\"']text/event-stream")),
    ),
    "js": (
        _Sign("limit", "Nest", regex(r"(?:useClass\s*:\s*|UseGuards\([^)\n]{0,80})ThrottlerGuard\b")),
        _Sign("limit", "Fastify", regex(r"[\"']@fastify/rate-limit[\"']")),
        _Sign("trust", "js", regex(
            r"[\"'`]trust proxy[\"'`]|\btrustProxy\b|(?i:x-forwarded-for)|(?i:x-real-ip)|\bgetTracker\b|"
            r"cf-connecting-ip")),
        _Sign("belief", "Express", regex(r"[\"'`]trust proxy[\"'`]\s*,\s*true\b|\btrustProxy\s*:\s*true\b")),
        _Sign("cookie", "js", regex(r"\bhttpOnly\s*:\s*true\b", re.I), window=_SECURE),
        _Sign("belief", "js", _FORWARDED, _COUNTS, _FIRST),
        _Sign("socket", "ws", regex(r"\bnew (?:WebSocketServer|WebSocket\.Server)\(|@WebSocketGateway\(")),
        _Sign("socket", "Socket.IO", regex(r"\bnew \w{0,20}Server\("), regex(r"[\"']socket\.io[\"']")),
        _Sign("stream", "js", regex(
            r"(?i:content-type)[\"']\s*[,:]\s*[\"']text/event-stream|@Sse\(")),
    ),
    "go": (
        _Sign("limit", "net/http", regex(r"\b\w{1,20}\.RemoteAddr\b"), _COUNTS),
        _Sign("limit", "httprate", regex(r"\bhttprate\.(?:LimitByIP|KeyByIP)\b")),
        _Sign("limit", "Fiber", regex(r"\blimiter\.New\("), regex(r"gofiber/fiber")),
        _Sign("trust", "go", regex(
            r"(?i:x-forwarded-for)|(?i:x-real-ip)|\bRealIP\b|\bProxyHeader\b|\bIPExtractor\b|\bSetTrustedProxies\b|"
            r"\bClientIP\(\)|\bProxyHeaders\b|\bTrustProxy\b")),
        _Sign("belief", "gin", regex(r"\.ClientIP\(\)"), _COUNTS),
        _Sign("belief", "chi", regex(r"\bmiddleware\.RealIP\b")),
        _Sign("belief", "go", regex(r"Header\.Get\(\"(?i:x-forwarded-for|x-real-ip)\"\)"), _COUNTS),
        _Sign("bound", "gin", regex(r"\bSetTrustedProxies\(|\bTrustedPlatform\b|\bForwardedByClientIP\s*=\s*false")),
        _Sign("socket", "go", regex(r"\bwebsocket\.(?:Upgrader\{|Accept\(|Handler\()")),
        _Sign("stream", "go", regex(r"(?i:content-type)\"\s*,\s*\"text/event-stream")),
    ),
    "java": (
        _Sign("limit", "Spring", regex(r"\bgetRemoteAddr\(\)"), _COUNTS),
        _Sign("trust", "java", regex(
            r"(?i:x-forwarded-for)|(?i:x-real-ip)|\bForwardedHeaderFilter\b|\bForwardedHeaderTransformer\b|\bRemoteIp\w*")),
        _Sign("belief", "java", regex(r"getHeader\(\s*\"(?i:x-forwarded-for)\""), _COUNTS),
        _Sign("socket", "Spring", regex(r"@EnableWebSocket\w*|\bregisterStompEndpoints\b|@ServerEndpoint\(")),
        _Sign("stream", "java", regex(r"\bnew SseEmitter\(|\bTEXT_EVENT_STREAM(?:_VALUE)?\b")),
    ),
    "cs": (
        _Sign("limit", "ASP.NET", regex(r"\bRemoteIpAddress\b"), _COUNTS),
        _Sign("trust", "cs", regex(
            r"\bUseForwardedHeaders\b|\bForwardedHeadersOptions\b|(?i:x-forwarded-for)|(?i:x-real-ip)")),
        _Sign("socket", "SignalR", regex(r"\.MapHub<[^>\n]{1,80}>\(\s*\"(?P<path>[^\"\n]{1,200})|\.UseWebSockets\(")),
        _Sign("stream", "cs", regex(r"ContentType\s*=\s*\"text/event-stream|TypedResults\.ServerSentEvents")),
    ),
    "php": (
        _Sign("limit", "Laravel", regex(r"\bRateLimiter::|->by\([^)\n]{0,80}->ip\(\)|->ip\(\)"), _COUNTS),
        _Sign("trust", "php", regex(
            r"\btrustProxies\(|\$proxies\s*=\s*[^;n\s]|\bsetTrustedProxies\(|trusted_proxies|(?i:x[-_]forwarded[-_]for)")),
        _Sign("stream", "php", regex(r"(?i:content-type)[\"']?\s*(?:=>|:|,)\s*[\"']?text/event-stream")),
    ),
    "rs": (
        _Sign("socket", "axum", regex(r"\bWebSocketUpgrade\b")),
    ),
    "rb": (
        _Sign("socket", "ActionCable", regex(r"\bmount ActionCable\.server\s*=>\s*[\"'](?P<path>[^\"'\n]{1,100})")),
    ),
}  # fmt: skip
_UNBUFFERED = regex(r"X-Accel-Buffering|\bsse_starlette\b|\bEventSourceResponse\b", re.I)
"""What tells Nginx not to buffer an answer; sse-starlette sends it by itself."""
_HSTS = regex(
    r"Strict-Transport-Security|\bhelmet\b|\bSECURE_HSTS_SECONDS\b|\bUseHsts\b|\bhsts\b|HttpStrictTransport|\bforce_ssl\b|"
    r"\bsecure_headers\b",
    re.I,
)
"""What sends the header that keeps browsers to HTTPS."""
_SETTINGS = regex(
    r"(?im)^[ \t]*(?:server\.)?(?:forward-headers-strategy|tomcat\.remoteip\.[\w-]+|trusted_proxies)\s*[:=]"
)


def read(source: Source) -> Reading:
    """A trait for each thing that a file of code says first; nothing of tests."""
    reading = Reading()
    for path in source.files:
        language = _CODE.get(posixpath.splitext(path)[1])
        if language:
            text = source.glance(path)
            if _HINTS.any_in(text) and not is_test(path) and not other_languages.is_test(path):
                reading.records += _found(path, language, _COMMENT.sub("", text))
        elif path.endswith((".properties", ".yml", ".yaml")) and "application" in posixpath.basename(path):
            text = source.glance(path)
            reading.records += [
                ProxyTrait("trust", "java", location_at(path, text, match.start()))
                for match in itertools.islice(_SETTINGS.finditer(text), 1)
            ]
    return reading


def _found(path: str, language: str, text: str) -> Iterator[ProxyTrait]:
    if match := _HSTS.search(text):
        yield ProxyTrait("hsts", language, location_at(path, text, match.start()))
    for sign in _SIGNS[language]:
        if sign.kind == "stream" and _UNBUFFERED.search(text):
            continue
        first = next(_matches(sign, text), None)
        if first and (sign.near is None or sign.near.search(text)):
            start, told = first
            yield ProxyTrait(sign.kind, sign.framework, location_at(path, text, start), told)


def _matches(sign: _Sign, text: str) -> Iterator[tuple[int, str]]:
    """Where a sign stands, with what it tells; of a great many the first ones are looked at."""
    for match in itertools.islice(sign.pattern.finditer(text), _MOST):
        around = text[max(0, match.start() - _CLOSE) : match.end() + _CLOSE]
        found = sign.window.search(around) if sign.window else match
        if found:
            yield match.start(), found.groupdict().get("path") or ""
