from fastapi.testclient import TestClient


def test_health_names_the_environment(client: TestClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
