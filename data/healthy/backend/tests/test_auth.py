from fastapi.testclient import TestClient

from app.core.security import create_access_token, read_access_token


def test_token_round_trip() -> None:
    assert read_access_token(create_access_token("agent@propertypro.example")) == "agent@propertypro.example"


def test_upload_needs_a_token(client: TestClient) -> None:
    assert client.post("/api/v1/documents").status_code == 403
