import json
import os
from collections.abc import Iterator

import httpx

URL = os.getenv("LISTINGS_API_URL", "https://listings.propertypro.example/v1/listings")


def pages() -> Iterator[list[dict]]:
    headers = {"Authorization": f"Bearer {os.environ['LISTINGS_API_TOKEN']}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        page = 1
        while batch := client.get(URL, params={"page": page}).raise_for_status().json()["items"]:
            yield batch
            page += 1


def collect() -> list[dict]:
    return [
        {
            "title": item["name"],
            "area": item["community"],
            "bedrooms": int(item.get("beds") or 0),
            "price": float(item["price"]),
        }
        for batch in pages()
        for item in batch
    ]


if __name__ == "__main__":
    print(json.dumps(collect(), indent=2))
