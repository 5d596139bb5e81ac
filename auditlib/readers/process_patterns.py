"""What shows that each process of a program does or keeps something for itself: patterns of
`auditlib.readers.program_code`.

Sources: https://apscheduler.readthedocs.io, https://docs.nestjs.com/techniques/task-scheduling, https://socket.io/docs,
https://flask-limiter.readthedocs.io, https://channels.readthedocs.io and https://github.com/expressjs/multer.
"""

from __future__ import annotations

from auditlib.readers.program_patterns import GO, JS, JVM, PHP, PY, pattern

_PROCESSES = (
    pattern("scheduler", "APScheduler", PY, r"\b(?:Background|AsyncIO|Tornado|Gevent)Scheduler\(", hints="Scheduler("),
    pattern("scheduler", "repeat_every", PY, r"@repeat_every\(", hints="@repeat_every("),
    pattern(
        "scheduler",
        "cron",
        JS,
        r"\b(?:cron|nodeCron)\.schedule\(|\bnew CronJob\(",
        needs=r"[\"'](?:node-)?cron[\"']",
        hints=".schedule( CronJob(",
    ),
    pattern(
        "scheduler", "@Cron", (".ts",), r"@(?:Cron|Interval)\(", needs=r"@nestjs/schedule", hints="@Cron( @Interval("
    ),
    pattern("scheduler", "@Scheduled", JVM, r"@Scheduled\(", hints="@Scheduled("),
    pattern("scheduler", "cron.New", GO, r"\bcron\.New\(", needs=r"robfig/cron", hints="cron.New("),
    pattern(
        "schedule",
        "Laravel",
        PHP,
        r"\bSchedule::(?:command|job|call|exec)\(|\$schedule->(?:command|job|call|exec)\(",
        hints="$schedule-> Schedule::",
    ),
    pattern(
        "background",
        "create_task",
        PY,
        r"\basyncio\.create_task\(",
        needs=r"\blifespan\b|on_event\(",
        hints="asyncio.create_task(",
    ),
    pattern(
        "locked",
        "",
        (*PY, *JVM, *GO, *JS),
        r"\bSchedulerLock\b|\b[sS]hed[lL]ock\b|\bpg_(?:try_)?advisory_|\b[rR]edlock\b|\.lock\(|\bnx\b|\bNX\b|\bSetNX\(|"
        r"\bflock\b|\bleader_?[eE]lection\b|\b(?:Redis|SQLAlchemy|Mongo)JobStore\b|"
        r"\b[A-Z_]{0,30}(?:RUN|ENABLED?|START|DISABLED?)_[A-Z_]{0,30}(?:SCHEDULER|CRON|JOBS)\b|\bSCHEDULER_ENABLED\b",
        hints="_SCHEDULER SCHEDULER_ _CRON _JOBS hedlock hedLock SchedulerLock _advisory_ edlock .lock( nx NX flock "
        "lection JobStore",
    ),
    pattern(
        "in memory",
        "express-rate-limit",
        JS,
        r"\brateLimit\(\s{0,9}\{",
        unless=r"\bstore\b",
        needs=r"[\"']express-rate-limit[\"']",
        hints="express-rate-limit",
    ),
    pattern(
        "in memory",
        "express-session",
        JS,
        r"\bsession\(\s{0,9}\{",
        unless=r"\bstore\b",
        needs=r"[\"']express-session[\"']",
        hints="express-session",
    ),
    pattern(
        "in memory",
        "slowapi",
        PY,
        r"\bLimiter\(",
        unless=r"\bstorage_uri\b|\*\*",
        needs=r"\bslowapi\b",
        hints="slowapi",
    ),
    pattern(
        "in memory",
        "Flask-Limiter",
        PY,
        r"\bLimiter\(",
        unless=r"\bstorage_uri\b|\*\*",
        needs=r"\bflask_limiter\b",
        hints="flask_limiter",
    ),
    pattern(
        "in memory",
        "Channels",
        PY,
        r"[\"']channels\.layers\.InMemoryChannelLayer[\"']",
        hints="channels.layers.InMemoryChannelLayer",
    ),
    pattern(
        "in memory",
        "Socket.IO",
        JS,
        r"\bnew (?:Server|SocketIOServer|IOServer|SocketServer)\(",
        needs=r"[\"']socket\.io[\"']",
        hints="socket.io",
    ),
    pattern("in memory", "Flask-SocketIO", PY, r"\bSocketIO\(", unless=r"\bmessage_queue\b|\*\*", hints="SocketIO("),
    pattern(
        "in memory",
        "python-socketio",
        PY,
        r"\bsocketio\.(?:Async)?Server\(",
        unless=r"\bclient_manager\b|\*\*",
        hints="socketio.",
    ),
    pattern(
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
    pattern(
        "upload", "multer", JS, rf"\bdest\s{{0,3}}:\s{{0,3}}{_FOLDER}", needs=r"\bmulter\b", hints="multer diskStorage"
    ),
    pattern(
        "upload",
        "multer",
        JS,
        rf"\bdestination\s{{0,3}}:\s{{0,3}}{_JOINED}{_FOLDER}",
        needs=r"\bdiskStorage\b",
        hints="multer diskStorage",
    ),
    pattern(
        "upload",
        "multer",
        JS,
        rf"\b(?:cb|callback|done)\(\s{{0,9}}null,\s{{0,9}}{_JOINED}{_FOLDER}[\"'`]\)?\s{{0,9}}\)",
        needs=r"\bdiskStorage\b",
        hints="multer diskStorage",
    ),
    pattern("upload", "UPLOAD_FOLDER", PY, rf"{_UPLOAD}{_FOLDER}", hints="UPLOAD_"),
    pattern("upload", "MEDIA_ROOT", PY, rf"{_MEDIA}{_FOLDER}", hints="MEDIA_ROOT"),
    pattern(
        "upload",
        "SaveUploadedFile",
        GO,
        rf"\bSaveUploadedFile\(\w{{1,30}},\s{{0,3}}(?:filepath\.Join\()?{_FOLDER}",
        hints="SaveUploadedFile(",
    ),
    pattern(
        "takes files",
        "",
        (*PY, *JS, *GO),
        r"\bUploadFile\b|\brequest\.files\b|\b(?:File|Image)Field\(|\bmulter\(|\bFileInterceptor\(|"
        r"\bSaveUploadedFile\(",
        hints="Field( FileInterceptor( SaveUploadedFile( UploadFile multer( request.files",
    ),
    pattern(
        "stored away",
        "",
        (*PY, *JS, *GO),
        r"\b(?:boto3|storages\.backends|cloudinary|S3Client|multer-s3|minio|gridfs|azure\.storage)\b",
        hints="S3Client azure.storage boto3 cloudinary gridfs minio multer-s3 storages.backends",
    ),
    pattern(
        "stored away",
        "",
        (*PY, *JS, *GO),
        r"\bunlink(?:Sync)?\(\s{0,9}(?:req\.)?files?(?:\[\w{1,20}\])?\??\.path|\bdefer os\.Remove\(|"
        r"\bfinally:\s{1,40}(?:if [^\n]{1,80}:\s{1,40})?(?:os\.(?:remove|unlink)\(|\w{1,40}\.unlink\()",
        hints="unlink( unlinkSync( os.Remove( os.remove(",
    ),
)
PATTERNS = (*_PROCESSES, *_UPLOADS)
