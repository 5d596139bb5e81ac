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


def _of(
    kind: str, word: str, endings: tuple[str, ...], shown: str, unless: str = "", needs: str = "", *, hints: str
) -> Pattern:
    without, with_ = regex(unless) if unless else None, regex(needs) if needs else None
    return Pattern(kind, word, endings, regex(shown), frozenset(hints.split()), without, with_)


_FORCE = r"force\s{0,9}:\s{0,9}true"
_SQLALCHEMY = r"\bsqlalchemy\b|\bsqlmodel\b"
_UNTIMED = r"\btimeout\b|\*\*"
_VERBS = "get|post|put|patch|delete"
_SCHEMA = (
    _of("schema", "AutoMigrate", GO, r"\.AutoMigrate\(", hints=".AutoMigrate("),
    _of("schema", "create_all", PY, r"\.create_all\b", needs=r"(?i)metadata|\bdb\b", hints=".create_all"),
    _of(
        "schema",
        "synchronize: true",
        JS,
        r"\bsynchronize\s{0,9}:\s{0,9}true\b",
        needs=r"(?i)typeorm|sequelize|DataSource",
        hints="synchronize",
    ),
    _of("schema", "sync()", JS, rf"\bsequelize\.sync\((?!\s{{0,9}}\{{[^}}]{{0,80}}{_FORCE})", hints="sequelize.sync("),
    _of("schema", "EnsureCreated()", CS, r"\.EnsureCreated(?:Async)?\(", hints=".EnsureCreated"),
    _of("drop", "drop_all", PY, r"\.drop_all\b", needs=r"(?i)metadata|\bdb\b", hints=".drop_all"),
    _of("drop", "sync({ force: true })", JS, rf"\.sync\(\s{{0,9}}\{{[^}}]{{0,80}}{_FORCE}", hints=".sync("),
    _of("drop", "dropSchema: true", JS, r"\bdropSchema\s{0,9}:\s{0,9}true\b", hints="dropSchema"),
    _of("drop", "EnsureDeleted()", CS, r"\.EnsureDeleted(?:Async)?\(", hints=".EnsureDeleted"),
    _of("drop", "DropTable()", GO, r"\.Migrator\(\)\.DropTable\(", hints=".Migrator().DropTable("),
)
_CLIENTS = (
    _of(
        "pool",
        "sql.Open",
        GO,
        r"\b(?:sql|sqlx|otelsql)\.(?:Open|Connect|MustConnect|MustOpen|OpenDB)\(",
        unless=r"(?i)sqlite|duckdb",
        hints=".Open( .Connect( .MustConnect( .MustOpen( .OpenDB(",
    ),
    _of("pool", "gorm.Open", GO, r"\bgorm\.Open\(", unless=r"(?i)sqlite", hints="gorm.Open("),
    _of("pool limit", "SetMaxOpenConns", GO, r"\.SetMaxOpenConns\(", hints=".SetMaxOpenConns("),
    _of(
        "engine",
        "create_engine",
        PY,
        r"\bcreate_(?:async_)?engine\(",
        unless=r"pool_pre_ping|NullPool|StaticPool|poolclass|\*\*|sqlite|pool_recycle",
        needs=_SQLALCHEMY,
        hints="_engine(",
    ),
    _of("client", "new Pool()", JS, r"\bnew (?:pg\.)?Pool\(", needs=r"[\"']pg[\"']", hints="Pool("),
    _of(
        "client", "createClient()", JS, r"\b(?:redis\.)?createClient\(", needs=r"[\"']redis[\"']", hints="createClient("
    ),
    _of(
        "client exits",
        "process.exit",
        JS,
        r"\.on\(\s{0,9}[\"'`]error[\"'`],[^;]{0,160};?[^;]{0,80}\bprocess\.exit\(",
        needs=r"[\"'](?:pg|redis|ioredis)[\"']",
        hints="process.exit(",
    ),
    _of("client heard", "", JS, r"\.on\(\s{0,9}[\"'`]error[\"'`]", hints=".on("),
    _of(
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
    _of(
        "endless",
        "requests",
        PY,
        rf"\brequests\.(?:{_VERBS}|head|request)\(",
        unless=rf"{_UNTIMED}|{_OWN_HOST}",
        needs=r"\bimport requests\b",
        hints="requests.",
    ),
    _of(
        "endless",
        "httpx",
        PY,
        rf"\bhttpx\.(?:AsyncClient|Client|{_VERBS}|request|stream)\(",
        unless=r"^(?![\s\S]*\btimeout\s{0,3}=\s{0,3}None\b)",
        hints="httpx.",
    ),
    _of(
        "endless", "urlopen", PY, r"\burlopen\(", unless=rf"{_UNTIMED}|{_OWN_HOST}|^\([^,()]*,[^,]*,", hints="urlopen("
    ),
    _of(
        "endless",
        "http.Get",
        GO,
        r"\bhttp\.(?:Get|Post|PostForm|Head)\(",
        unless=_OWN_HOST,
        hints="http.Get( http.Post http.Head(",
    ),
    _of("endless", "http.DefaultClient", GO, r"\bhttp\.DefaultClient\b", hints="http.DefaultClient"),
    _of("endless", "http.Client{}", GO, r"\bhttp\.Client\{", unless=r"\bTimeout\b", hints="http.Client{"),
    _of("endless", "RestTemplate", JVM, r"\bnew RestTemplate\(\)", hints="RestTemplate()"),
    _of("endless", "RestClient", JVM, r"\bRestClient\.create\(", hints="RestClient.create("),
    _of("endless", "curl", PHP, r"\bcurl_exec\(", hints="curl_exec("),
    _of("endless", "axios", JS, rf"\baxios(?:\.(?:{_VERBS}|request|create))?\(", hints="axios"),
    _of(
        "timed",
        "axios",
        JS,
        r"\btimeout\b\s{0,3}:|\bAbortSignal\.timeout\b|\.timeout\s{0,3}=",
        needs=r"\baxios\b",
        hints="axios",
    ),
    _of("timed", "http.Get", GO, _DEFAULT_CLIENT, hints="http.DefaultClient"),
    _of("timed", "http.DefaultClient", GO, rf"{_DEFAULT_CLIENT}|{_WITH_CONTEXT}", hints="http."),
    _of("timed", "http.Client{}", GO, rf"\w\.Timeout\s{{0,3}}=|{_WITH_CONTEXT}", hints=".Timeout http.New"),
    _of("timed", "urlopen", PY, r"\bsetdefaulttimeout\(", hints="setdefaulttimeout("),
    _of("timed", "curl", PHP, r"\bCURLOPT_TIMEOUT(?:_MS)?\b", hints="CURLOPT_TIMEOUT"),
    _of(
        "timed",
        "RestTemplate",
        JVM,
        r"\bset(?:Read|Connect|ConnectionRequest)Timeout\(|\b(?:read|connect)Timeout\(",
        hints="Timeout(",
    ),
)
_SERVERS = (
    _of("go server", "http.ListenAndServe", GO, r"\bhttp\.(?:ListenAndServe(?:TLS)?|Serve)\(", hints="http."),
    _of(
        "go server",
        "http.Server{}",
        GO,
        r"\bhttp\.Server\{",
        unless=r"\bRead(?:Header)?Timeout\b",
        hints="http.Server{",
    ),
    _of(
        "go server",
        "gin's Run",
        GO,
        r"\b(?:r|g|router|engine|app|server|srv)\.Run(?:TLS)?\(",
        needs=r"\bgin\.",
        hints=".Run",
    ),
    _of("go server", "echo's Start", GO, r"\be(?:cho)?\.Start(?:TLS)?\(", needs=r"\becho\.New\(", hints=".Start"),
    _of("go server", "fiber's Listen", GO, r"\bapp\.Listen(?:TLS)?\(", needs=r"\bfiber\.New\(", hints="app.Listen"),
    _of(
        "go listens", "ListenAndServe()", GO, r"\b(?!http\b)\w{1,40}\.ListenAndServe(?:TLS)?\(", hints=".ListenAndServe"
    ),
    _of(
        "go timeouts",
        "",
        GO,
        r"\bRead(?:Header)?Timeout\s{0,3}[:=]",
        needs=r"\bhttp\.Server\{|\bfiber\.Config\b|\bServer\.Read",
        hints="ReadTimeout ReadHeaderTimeout",
    ),  # clients have times of these names, too
    _of(
        "ends",
        "",
        GO,
        r"\.Shutdown(?:WithContext|WithTimeout)?\(|\bsignal\.Notify|\bSIGTERM\b|\bgraceful\b|\boklog/run\b|\bfx\.New\(",
        hints=".Shutdown SIGTERM fx.New( graceful oklog/run signal.Notify",
    ),
    _of("node server", "listen()", JS, r"\b(?:app|server|httpServer|http|fastify|api)\.listen\(", hints=".listen("),
    _of(
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
    _of("stream", "xadd", PY, r"\.xadd\(", unless=r"\bmaxlen\b|\bminid\b|\*\*", hints=".xadd( .xAdd("),
    _of("stream", "XAdd", GO, r"\bXAddArgs\{", unless=r"\bMaxLen\b|\bMinID\b", hints="XAddArgs{"),
    _of("stream", "xadd", JS, r"\.x[aA]dd\(", unless=r"(?i)\bmaxlen\b|\bminid\b|\btrim\b", hints=".xadd( .xAdd("),
    _of(
        "trims",
        "",
        (*PY, *GO, *JS),
        r"\.(?:xtrim|xTrim|XTrim|xdel|xDel|XDel)\w{0,10}\(",
        hints="XDel XTrim xDel xTrim xdel xtrim",
    ),
    _of(
        "jobs",
        "new Queue()",
        JS,
        r"\bnew (?:Queue|Bull)(?:<[^>()]{0,60}>)?\(",
        needs=r"[\"'](?:bullmq|bull)[\"']",
        hints="Queue Bull",
    ),
    _of("jobs", "registerQueue()", JS, r"\bBullModule\.registerQueue(?:Async)?\(", hints="BullModule.registerQueue"),
    _of("jobs removed", "", JS, r"\bremoveOnComplete\b", hints="removeOnComplete"),
    _of("custom backoff", "", JS, r"\btype\s{0,3}:\s{0,3}[\"']custom[\"']", needs=r"\bbackoff\b", hints="backoff"),
    _of("backoff strategy", "", JS, r"\bbackoffStrateg(?:y|ies)\b", hints="backoffStrateg"),
)
_PROCESSES = (
    _of("scheduler", "APScheduler", PY, r"\b(?:Background|AsyncIO|Tornado|Gevent)Scheduler\(", hints="Scheduler("),
    _of("scheduler", "repeat_every", PY, r"@repeat_every\(", hints="@repeat_every("),
    _of(
        "scheduler",
        "cron",
        JS,
        r"\b(?:cron|nodeCron)\.schedule\(|\bnew CronJob\(",
        needs=r"[\"'](?:node-)?cron[\"']",
        hints=".schedule( CronJob(",
    ),
    _of("scheduler", "@Cron", (".ts",), r"@(?:Cron|Interval)\(", needs=r"@nestjs/schedule", hints="@Cron( @Interval("),
    _of("scheduler", "@Scheduled", JVM, r"@Scheduled\(", hints="@Scheduled("),
    _of("scheduler", "cron.New", GO, r"\bcron\.New\(", needs=r"robfig/cron", hints="cron.New("),
    _of(
        "schedule",
        "Laravel",
        PHP,
        r"\bSchedule::(?:command|job|call|exec)\(|\$schedule->(?:command|job|call|exec)\(",
        hints="$schedule-> Schedule::",
    ),
    _of(
        "background",
        "create_task",
        PY,
        r"\basyncio\.create_task\(",
        needs=r"\blifespan\b|on_event\(",
        hints="asyncio.create_task(",
    ),
    _of(
        "locked",
        "",
        (*PY, *JVM, *GO, *JS),
        r"\bSchedulerLock\b|\b[sS]hed[lL]ock\b|\bpg_(?:try_)?advisory_|\b[rR]edlock\b|\.lock\(|\bnx\b|\bNX\b|\bSetNX\(|"
        r"\bflock\b|\bleader_?[eE]lection\b|\b(?:Redis|SQLAlchemy|Mongo)JobStore\b|"
        r"\b[A-Z_]{0,30}(?:RUN|ENABLED?|START|DISABLED?)_[A-Z_]{0,30}(?:SCHEDULER|CRON|JOBS)\b|\bSCHEDULER_ENABLED\b",
        hints="_SCHEDULER SCHEDULER_ _CRON _JOBS hedlock hedLock SchedulerLock _advisory_ edlock .lock( nx NX flock "
        "lection JobStore",
    ),
    _of(
        "in memory",
        "express-rate-limit",
        JS,
        r"\brateLimit\(\s{0,9}\{",
        unless=r"\bstore\b",
        needs=r"[\"']express-rate-limit[\"']",
        hints="express-rate-limit",
    ),
    _of(
        "in memory",
        "express-session",
        JS,
        r"\bsession\(\s{0,9}\{",
        unless=r"\bstore\b",
        needs=r"[\"']express-session[\"']",
        hints="express-session",
    ),
    _of(
        "in memory",
        "slowapi",
        PY,
        r"\bLimiter\(",
        unless=r"\bstorage_uri\b|\*\*",
        needs=r"\bslowapi\b",
        hints="slowapi",
    ),
    _of(
        "in memory",
        "Flask-Limiter",
        PY,
        r"\bLimiter\(",
        unless=r"\bstorage_uri\b|\*\*",
        needs=r"\bflask_limiter\b",
        hints="flask_limiter",
    ),
    _of(
        "in memory",
        "Channels",
        PY,
        r"[\"']channels\.layers\.InMemoryChannelLayer[\"']",
        hints="channels.layers.InMemoryChannelLayer",
    ),
    _of(
        "in memory",
        "Socket.IO",
        JS,
        r"\bnew (?:Server|SocketIOServer|IOServer|SocketServer)\(",
        needs=r"[\"']socket\.io[\"']",
        hints="socket.io",
    ),
    _of("in memory", "Flask-SocketIO", PY, r"\bSocketIO\(", unless=r"\bmessage_queue\b|\*\*", hints="SocketIO("),
    _of(
        "in memory",
        "python-socketio",
        PY,
        r"\bsocketio\.(?:Async)?Server\(",
        unless=r"\bclient_manager\b|\*\*",
        hints="socketio.",
    ),
    _of(
        "shared",
        "Socket.IO",
        JS,
        r"@socket\.io/|\bcreateAdapter\(|\bsocket\.io-redis\b",
        hints="@socket.io/ createAdapter( socket.io-redis",
    ),
)
_FOLDER = r"[\"'`](?:\$\{\w{1,20}\}/)?(?P<folder>(?:\.{0,2}/)?[\w./-]{2,80})"
_JOINED = r"(?:path\.(?:join|resolve)\([^)\"'\n]{0,60})?"
_UPLOAD = r"\bUPLOAD_(?:FOLDER|DIR|DIRECTORY|PATH)[\"']?\]?\s{0,3}(?::\s{0,3}\w{1,10}\s{0,3})?=\s{0,3}(?:Path\()?"
_MEDIA = r"(?m)^MEDIA_ROOT\s{0,3}=\s{0,3}(?:os\.path\.join\(\w{1,20},\s{0,3}|\w{1,20}\s{0,3}/\s{0,3})?"
_UPLOADS = (
    _of(
        "upload", "multer", JS, rf"\bdest\s{{0,3}}:\s{{0,3}}{_FOLDER}", needs=r"\bmulter\b", hints="multer diskStorage"
    ),
    _of(
        "upload",
        "multer",
        JS,
        rf"\bdestination\s{{0,3}}:\s{{0,3}}{_JOINED}{_FOLDER}",
        needs=r"\bdiskStorage\b",
        hints="multer diskStorage",
    ),
    _of(
        "upload",
        "multer",
        JS,
        rf"\b(?:cb|callback|done)\(\s{{0,9}}null,\s{{0,9}}{_JOINED}{_FOLDER}[\"'`]\)?\s{{0,9}}\)",
        needs=r"\bdiskStorage\b",
        hints="multer diskStorage",
    ),
    _of("upload", "UPLOAD_FOLDER", PY, rf"{_UPLOAD}{_FOLDER}", hints="UPLOAD_"),
    _of("upload", "MEDIA_ROOT", PY, rf"{_MEDIA}{_FOLDER}", hints="MEDIA_ROOT"),
    _of(
        "upload",
        "SaveUploadedFile",
        GO,
        rf"\bSaveUploadedFile\(\w{{1,30}},\s{{0,3}}(?:filepath\.Join\()?{_FOLDER}",
        hints="SaveUploadedFile(",
    ),
    _of(
        "takes files",
        "",
        (*PY, *JS, *GO),
        r"\bUploadFile\b|\brequest\.files\b|\b(?:File|Image)Field\(|\bmulter\(|\bFileInterceptor\(|"
        r"\bSaveUploadedFile\(",
        hints="Field( FileInterceptor( SaveUploadedFile( UploadFile multer( request.files",
    ),
    _of(
        "stored away",
        "",
        (*PY, *JS, *GO),
        r"\b(?:boto3|storages\.backends|cloudinary|S3Client|multer-s3|minio|gridfs|azure\.storage)\b",
        hints="S3Client azure.storage boto3 cloudinary gridfs minio multer-s3 storages.backends",
    ),
    _of(
        "stored away",
        "",
        (*PY, *JS, *GO),
        r"\bunlink(?:Sync)?\(\s{0,9}(?:req\.)?files?(?:\[\w{1,20}\])?\??\.path|\bdefer os\.Remove\(|"
        r"\bfinally:\s{1,40}(?:if [^\n]{1,80}:\s{1,40})?(?:os\.(?:remove|unlink)\(|\w{1,40}\.unlink\()",
        hints="unlink( unlinkSync( os.Remove( os.remove(",
    ),
)
PATTERNS = (*_SCHEMA, *_CLIENTS, *_CALLS, *_SERVERS, *_REDIS, *_PROCESSES, *_UPLOADS)
