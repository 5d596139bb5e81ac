"""Listings from the portal that LISTINGS_API_URL names."""

import os
from collections.abc import Iterator

import httpx


def pages() -> Iterator[list[dict]]:
    headers = {"Authorization": f"Bearer {os.environ['LISTINGS_API_TOKEN']}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        page = 1
        while batch := read(client, page):
            yield batch
            page += 1


def read(client: httpx.Client, page: int) -> list[dict]:
    answer = client.get(os.environ["LISTINGS_API_URL"], params={"page": page})
    return answer.raise_for_status().json()["items"]


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
