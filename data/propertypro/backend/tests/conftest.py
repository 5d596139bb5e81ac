import os

os.environ.setdefault("OPENAI_API_KEY", "sk-test")
os.environ.setdefault("AUDIT_LOG_FILE", "logs/audit.log")

import pytest
from fastapi.testclient import TestClient

from app.main import app


@pytest.fixture
def client() -> TestClient:
    return TestClient(app)
