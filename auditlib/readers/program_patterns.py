"""What shows the traits of program code, by language: `auditlib.readers.program_code` looks for all of it.

Sources: the documentation of each library, under https://gorm.io/docs, https://docs.sqlalchemy.org, https://typeorm.io/docs,
https://sequelize.org/docs, https://pkg.go.dev/net/http, https://requests.readthedocs.io, https://docs.bullmq.io,
https://apscheduler.readthedocs.io, https://socket.io/docs and https://redis.io/docs.
"""

from __future__ import annotations

import re

from msgspec import Struct

from auditlib.patterns import regex

GO, PY, CS, PHP = (".go",), (".py",), (".cs",), (".php",)
JS = (".js", ".ts", ".mjs", ".cjs")
JVM = (".java", ".kt")
FILES = (*GO, *PY, *JS, *JVM, *CS, *PHP)


class Pattern(Struct, frozen=True):
    """What shows a trait of a kind; a call whose text matches `unless`, or a file that lacks `needs`, shows none."""

    kind: str
    word: str
    endings: tuple[str, ...]
    shown: re.Pattern[str]
    hints: frozenset[str]
    """Texts of which one stands in each file that shows the trait: they are looked for all at once."""
    unless: re.Pattern[str] | None = None
    needs: re.Pattern[str] | None = None


def pattern(
    kind: str, word: str, endings: tuple[str, ...], shown: str, unless: str = "", needs: str = "", *, hints: str
) -> Pattern:
    """A pattern of expressions and hints, the last parted by blanks."""
    without, with_ = regex(unless) if unless else None, regex(needs) if needs else None
    return Pattern(kind, word, endings, regex(shown), frozenset(hints.split()), without, with_)


_FORCE = r"force\s{0,9}:\s{0,9}true"
_SQLALCHEMY = r"\bsqlalchemy\b|\bsqlmodel\b"
_UNTIMED = r"\btimeout\b|\*\*"
_VERBS = "get|post|put|patch|delete"
_SCHEMA = (
    pattern("schema", "AutoMigrate", GO, r"\.AutoMigrate\(", hints=".AutoMigrate("),
    pattern("schema", "create_all", PY, r"\.create_all\b", needs=r"(?i)metadata|\bdb\b", hints=".create_all"),
    pattern(
        "schema",
        "synchronize: true",
        JS,
        r"\bsynchronize\s{0,9}:\s{0,9}true\b",
        needs=r"(?i)typeorm|sequelize|DataSource",
        hints="synchronize",
    ),
    pattern(
        "schema", "sync()", JS, rf"\bsequelize\.sync\((?!\s{{0,9}}\{{[^}}]{{0,80}}{_FORCE})", hints="sequelize.sync("
    ),
    pattern("schema", "EnsureCreated()", CS, r"\.EnsureCreated(?:Async)?\(", hints=".EnsureCreated"),
    pattern("drop", "drop_all", PY, r"\.drop_all\b", needs=r"(?i)metadata|\bdb\b", hints=".drop_all"),
    pattern("drop", "sync({ force: true })", JS, rf"\.sync\(\s{{0,9}}\{{[^}}]{{0,80}}{_FORCE}", hints=".sync("),
    pattern("drop", "dropSchema: true", JS, r"\bdropSchema\s{0,9}:\s{0,9}true\b", hints="dropSchema"),
    pattern("drop", "EnsureDeleted()", CS, r"\.EnsureDeleted(?:Async)?\(", hints=".EnsureDeleted"),
    pattern("drop", "DropTable()", GO, r"\.Migrator\(\)\.DropTable\(", hints=".Migrator().DropTable("),
)
_CLIENTS = (
    pattern(
        "pool",
        "sql.Open",
        GO,
        r"\b(?:sql|sqlx|otelsql)\.(?:Open|Connect|MustConnect|MustOpen|OpenDB)\(",
        unless=r"(?i)sqlite|duckdb",
        hints=".Open( .Connect( .MustConnect( .MustOpen( .OpenDB(",
    ),
    pattern("pool", "gorm.Open", GO, r"\bgorm\.Open\(", unless=r"(?i)sqlite", hints="gorm.Open("),
    pattern("pool limit", "SetMaxOpenConns", GO, r"\.SetMaxOpenConns\(", hints=".SetMaxOpenConns("),
    pattern(
        "engine",
        "create_engine",
        PY,
        r"\bcreate_(?:async_)?engine\(",
        unless=r"pool_pre_ping|NullPool|StaticPool|poolclass|\*\*|sqlite|pool_recycle",
        needs=_SQLALCHEMY,
        hints="_engine(",
    ),
    pattern("client", "new Pool()", JS, r"\bnew (?:pg\.)?Pool\(", needs=r"[\"']pg[\"']", hints="Pool("),
    pattern(
        "client", "createClient()", JS, r"\b(?:redis\.)?createClient\(", needs=r"[\"']redis[\"']", hints="createClient("
    ),
    pattern(
        "client exits",
        "process.exit",
        JS,
        r"\.on\(\s{0,9}[\"'`]error[\"'`],[^;]{0,160};?[^;]{0,80}\bprocess\.exit\(",
        needs=r"[\"'](?:pg|redis|ioredis)[\"']",
        hints="process.exit(",
    ),
    pattern("client heard", "", JS, r"\.on\(\s{0,9}[\"'`]error[\"'`]", hints=".on("),
    pattern(
        "client heard by name",
        "",
        JS,
        r"\b(?i:\w{0,40}pool|\w{0,40}client|db|pg|redis)\.on\(\s{0,9}[\"'`]error[\"'`]",
        hints=".on(",
    ),
)
_OWN_HOST = r"^\(\s{0,9}f?[\"'](?:file:|https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?![\w.-]))"
"""A request to the own host, as a check of health makes it, or for a file."""
_DEFAULT_CLIENT = r"\bhttp\.DefaultClient(?:\.Timeout)?\s{0,3}=[^=]"
_WITH_CONTEXT = r"\bhttp\.NewRequestWithContext\("
"""A request that ends with its context, whose limit is set where that is made."""
_CALLS = (
    pattern(
        "endless",
        "requests",
        PY,
        rf"\brequests\.(?:{_VERBS}|head|request)\(",
        unless=rf"{_UNTIMED}|{_OWN_HOST}",
        needs=r"\bimport requests\b",
        hints="requests.",
    ),
    pattern(
        "endless",
        "httpx",
        PY,
        rf"\bhttpx\.(?:AsyncClient|Client|{_VERBS}|request|stream)\(",
        unless=r"^(?![\s\S]*\btimeout\s{0,3}=\s{0,3}None\b)",
        hints="httpx.",
    ),
    pattern(
        "endless", "urlopen", PY, r"\burlopen\(", unless=rf"{_UNTIMED}|{_OWN_HOST}|^\([^,()]*,[^,]*,", hints="urlopen("
    ),
    pattern(
        "endless",
        "http.Get",
        GO,
        r"\bhttp\.(?:Get|Post|PostForm|Head)\(",
        unless=_OWN_HOST,
        hints="http.Get( http.Post http.Head(",
    ),
    pattern("endless", "http.DefaultClient", GO, r"\bhttp\.DefaultClient\b", hints="http.DefaultClient"),
    pattern("endless", "http.Client{}", GO, r"\bhttp\.Client\{", unless=r"\bTimeout\b", hints="http.Client{"),
    pattern("endless", "RestTemplate", JVM, r"\bnew RestTemplate\(\)", hints="RestTemplate()"),
    pattern("endless", "RestClient", JVM, r"\bRestClient\.create\(", hints="RestClient.create("),
    pattern("endless", "curl", PHP, r"\bcurl_exec\(", hints="curl_exec("),
    pattern("endless", "axios", JS, rf"\baxios(?:\.(?:{_VERBS}|request|create))?\(", hints="axios"),
    pattern(
        "timed",
        "axios",
        JS,
        r"\btimeout\b\s{0,3}:|\bAbortSignal\.timeout\b|\.timeout\s{0,3}=",
        needs=r"\baxios\b",
        hints="axios",
    ),
    pattern("timed", "http.Get", GO, _DEFAULT_CLIENT, hints="http.DefaultClient"),
    pattern("timed", "http.DefaultClient", GO, rf"{_DEFAULT_CLIENT}|{_WITH_CONTEXT}", hints="http."),
    pattern("timed", "http.Client{}", GO, rf"\w\.Timeout\s{{0,3}}=|{_WITH_CONTEXT}", hints=".Timeout http.New"),
    pattern("timed", "urlopen", PY, r"\bsetdefaulttimeout\(", hints="setdefaulttimeout("),
    pattern("timed", "curl", PHP, r"\bCURLOPT_TIMEOUT(?:_MS)?\b", hints="CURLOPT_TIMEOUT"),
    pattern(
        "timed",
        "RestTemplate",
        JVM,
        r"\bset(?:Read|Connect|ConnectionRequest)Timeout\(|\b(?:read|connect)Timeout\(",
        hints="Timeout(",
    ),
)
_SERVERS = (
    pattern("go server", "http.ListenAndServe", GO, r"\bhttp\.(?:ListenAndServe(?:TLS)?|Serve)\(", hints="http."),
    pattern(
        "go server",
        "http.Server{}",
        GO,
        r"\bhttp\.Server\{",
        unless=r"\bRead(?:Header)?Timeout\b",
        hints="http.Server{",
    ),
    pattern(
        "go server",
        "gin's Run",
        GO,
        r"\b(?:r|g|router|engine|app|server|srv)\.Run(?:TLS)?\(",
        needs=r"\bgin\.",
        hints=".Run",
    ),
    pattern("go server", "echo's Start", GO, r"\be(?:cho)?\.Start(?:TLS)?\(", needs=r"\becho\.New\(", hints=".Start"),
    pattern("go server", "fiber's Listen", GO, r"\bapp\.Listen(?:TLS)?\(", needs=r"\bfiber\.New\(", hints="app.Listen"),
    pattern(
        "go listens", "ListenAndServe()", GO, r"\b(?!http\b)\w{1,40}\.ListenAndServe(?:TLS)?\(", hints=".ListenAndServe"
    ),
    pattern(
        "go timeouts",
        "",
        GO,
        r"\bRead(?:Header)?Timeout\s{0,3}[:=]",
        needs=r"\bhttp\.Server\{|\bfiber\.Config\b|\bServer\.Read",
        hints="ReadTimeout ReadHeaderTimeout",
    ),  # clients have times of these names, too
    pattern(
        "ends",
        "",
        GO,
        r"\.Shutdown(?:WithContext|WithTimeout)?\(|\bsignal\.Notify|\bSIGTERM\b|\bgraceful\b|\boklog/run\b|\bfx\.New\(",
        hints=".Shutdown SIGTERM fx.New( graceful oklog/run signal.Notify",
    ),
    pattern("node server", "listen()", JS, r"\b(?:app|server|httpServer|http|fastify|api)\.listen\(", hints=".listen("),
    pattern(
        "ends",
        "",
        JS,
        r"(?i)\bSIGTERM\b|\benableShutdownHooks\b|\bcreateTerminus\b|\bclose-?with-?grace\b|\bcreateHttpTerminator\b|"
        r"\bgraceful-?(?:server|shutdown)\b|\blightship\b",
        hints="SIGTERM sigterm enableShutdownHooks createTerminus ithGrace ith-grace createHttpTerminator lightship "
        "raceful",
    ),
)
_REDIS = (
    pattern("stream", "xadd", PY, r"\.xadd\(", unless=r"\bmaxlen\b|\bminid\b|\*\*", hints=".xadd( .xAdd("),
    pattern("stream", "XAdd", GO, r"\bXAddArgs\{", unless=r"\bMaxLen\b|\bMinID\b", hints="XAddArgs{"),
    pattern("stream", "xadd", JS, r"\.x[aA]dd\(", unless=r"(?i)\bmaxlen\b|\bminid\b|\btrim\b", hints=".xadd( .xAdd("),
    pattern(
        "trims",
        "",
        (*PY, *GO, *JS),
        r"\.(?:xtrim|xTrim|XTrim|xdel|xDel|XDel)\w{0,10}\(",
        hints="XDel XTrim xDel xTrim xdel xtrim",
    ),
    pattern(
        "jobs",
        "new Queue()",
        JS,
        r"\bnew (?:Queue|Bull)(?:<[^>()]{0,60}>)?\(",
        needs=r"[\"'](?:bullmq|bull)[\"']",
        hints="Queue Bull",
    ),
    pattern(
        "jobs", "registerQueue()", JS, r"\bBullModule\.registerQueue(?:Async)?\(", hints="BullModule.registerQueue"
    ),
    pattern("jobs removed", "", JS, r"\bremoveOnComplete\b", hints="removeOnComplete"),
    pattern("custom backoff", "", JS, r"\btype\s{0,3}:\s{0,3}[\"']custom[\"']", needs=r"\bbackoff\b", hints="backoff"),
    pattern("backoff strategy", "", JS, r"\bbackoffStrateg(?:y|ies)\b", hints="backoffStrateg"),
)
PATTERNS = (*_SCHEMA, *_CLIENTS, *_CALLS, *_SERVERS, *_REDIS)
