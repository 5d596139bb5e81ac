"""Sales from the open-data file that TRANSACTIONS_CSV_URL names."""

import csv
import io
import os

import httpx


def collect() -> list[dict]:
    content = httpx.get(os.environ["TRANSACTIONS_CSV_URL"], timeout=60).raise_for_status().text
    return [
        {
            "title": row["building"] or row["project"],
            "area": row["area"],
            "bedrooms": int(row["rooms"] or 0),
            "price": float(row["amount"]),
        }
        for row in csv.DictReader(io.StringIO(content))
    ]
