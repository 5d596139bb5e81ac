"""The hosts that a value names, and what is none."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditlib.readers.endpoints import endpoints


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://app:p@ss@db:5432/x", ["db:5432"]),
        ("DATABASE_URL", "jdbc:postgresql://db:5432/x", ["db:5432"]),
        ("BROKERS", "kafka1:9092,kafka2:9092", ["kafka1:9092", "kafka2:9092"]),
        ("MONGO", "mongodb://u:p@m1:27017,m2:27017/db?ssl=true", ["m1:27017", "m2:27017"]),
        ("NATS_URL", "nats://n1:4222,nats://n2:4222,nats://n3:4222", ["n1:4222", "n2:4222", "n3:4222"]),
        ("ANYTHING", "--redis=redis:6379", ["redis:6379"]),
        ("AMQP", "amqp://guest:guest@rabbitmq//", ["rabbitmq:"]),
        ("MYSQL_DSN", "root:pw@tcp(mysql:3306)/db", ["mysql:3306"]),
        ("SENTRY_DSN", "https://key@sentry:9000/1", ["sentry:9000"]),
        ("NOTE", "see http://docs.example/x, please", ["docs.example:"]),
        ("CHROMA_HOST", "chroma", ["chroma:"]),
        ("SEED_HOSTS", "es1, es2", ["es1:", "es2:"]),
        ("MODE", "redis", []),
        ("ALLOWED_HOSTS", "api,localhost", []),
        ("CORS_ORIGINS", "http://web:3000", []),
        ("SECRET_KEY", "abc:1234", []),
        ("AT", "12:30", []),
        ("IMAGE", "redis:16", []),
        ("EMPTY_URL", "", []),
        ("ODD_URL", "http://:80/", []),
    ],
)
def test_the_hosts_of_a_value(name, text, expected):
    assert [f"{end.host}:{end.port}" for end in endpoints(name, text)] == expected


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_neither_user_nor_password_is_an_endpoint(user, password):
    text = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@host:6379/0"

    assert [(end.host, end.port) for end in endpoints("REDIS_URL", text)] == [("host", "6379")]


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_has_an_answer(name, text):
    for end in endpoints(name, text):
        assert end.host
        assert end.port == "" or end.port.isdigit()
