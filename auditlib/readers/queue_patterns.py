"""What shows that code takes messages which count as done before it is: patterns of `auditlib.readers.program_code`.

Sources: https://www.rabbitmq.com/docs/confirms, https://docs.nats.io/nats-concepts/jetstream/consumers and the
documentation of redis-py, node-redis, pika, aio-pika, amqplib, amqp091-go, Spring AMQP and php-amqplib.
"""

from __future__ import annotations

from auditlib.readers.program_patterns import GO, JS, JVM, PHP, PY, Pattern, pattern


def _of(kind: str, word: str, endings: tuple[str, ...], shown: str, needs: str, hints: str) -> Pattern:
    return pattern(kind, word, endings, shown, needs=needs, hints=hints)


_ARGUMENT = r"[^,()]{1,120}(?:\([^()]{0,80}\))?,"
_RABBIT = r"\bpika\b|\bkombu\b|\baio_?pika\b"
_TAKEN = "taken early"
PATTERNS = (
    _of(_TAKEN, "auto_ack=True", PY, r"\bauto_ack\s{0,3}=\s{0,3}True\b", _RABBIT, "auto_ack"),
    _of(_TAKEN, "no_ack=True", PY, r"\bno_ack\s{0,3}=\s{0,3}True\b", _RABBIT, "no_ack"),
    _of(
        _TAKEN,
        "noack=True",
        PY,
        r"\bxreadgroup\([^#]{0,400}?\bnoack\s{0,3}=\s{0,3}True\b",
        r"\b(?:redis|valkey|aioredis|coredis)\b",
        "noack",
    ),
    _of(_TAKEN, "NOACK: true", JS, r"\bxReadGroup\([^#]{0,400}?\bNOACK\s{0,3}:\s{0,3}true\b", r"\bredis\b", "NOACK"),
    _of(_TAKEN, "noAck: true", JS, r"\bnoAck\s{0,3}:\s{0,3}true\b", r"\bamqp", "noAck"),
    _of(
        _TAKEN,
        "autoAck",
        GO,
        rf"\.Consume(?:WithContext\(\s{{0,200}}{_ARGUMENT}|\()\s{{0,200}}{_ARGUMENT}\s{{0,200}}{_ARGUMENT}\s{{0,200}}true\b",
        r"\bamqp091-go\b|\bstreadway/amqp\b",
        ".Consume",
    ),
    _of(_TAKEN, "AckNone", GO, r"\.AckNone(?:\(\)|Policy\b)", r"\bnats", "AckNone"),
    _of(_TAKEN, "AckPolicy.None", (*JS, *PY), r"\bAckPolicy\.(?:None|NONE)\b", r"\bnats\b", "AckPolicy"),
    _of(
        _TAKEN,
        "AcknowledgeMode.NONE",
        JVM,
        r"\bAcknowledgeMode\.NONE\b|\backMode\s{0,3}=\s{0,3}\"NONE\"",
        r"\bRabbit|\bamqp\b",
        "AcknowledgeMode ackMode",
    ),
    _of(
        _TAKEN,
        "no_ack",
        PHP,
        rf"->basic_consume\(\s{{0,200}}{_ARGUMENT}\s{{0,200}}{_ARGUMENT}\s{{0,200}}{_ARGUMENT}\s{{0,200}}true\b",
        r"\bPhpAmqpLib\b",
        "basic_consume(",
    ),
    _of(
        "own queue",
        "",
        (*PY, *JS, *GO, *JVM, *PHP),
        r"\bexclusive[\"']?\s{0,3}(?:=>?|:)\s{0,3}[Tt]rue\b|\b[rR]eply_?[tT]o\b|\breply-to\b|"
        r"\b(?:QueueDeclare|assertQueue|queue_declare|declare_queue)\(\s{0,200}(?:queue\s{0,3}=\s{0,3})?(?:\"\"|'')|"
        r"\bAnonymousQueue\b",
        "",
        "exclusive reply_to replyTo ReplyTo reply_To reply-to QueueDeclare assertQueue queue_declare declare_queue "
        "AnonymousQueue",
    ),
)
"""A queue of its own, made for answers or for copies of what is sent to all, is the one where nothing need be kept."""
