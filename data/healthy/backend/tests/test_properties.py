from fastapi.testclient import TestClient


def test_an_area_without_listings_gives_an_empty_list(client: TestClient) -> None:
    answer = client.get("/api/v1/properties", params={"area": "nowhere"})
    assert answer.status_code == 200
    assert answer.json() == []
