from fastapi.testclient import TestClient


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "healthy"}


def test_metrics_count_requests(client: TestClient) -> None:
    client.get("/health")
    assert "http_requests_total" in client.get("/metrics").text
