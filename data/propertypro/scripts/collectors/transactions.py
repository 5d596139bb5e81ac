import csv
import io
import json
import os

import httpx

URL = os.getenv("TRANSACTIONS_CSV_URL", "https://open-data.propertypro.example/transactions.csv")


def collect() -> list[dict]:
    content = httpx.get(URL, timeout=60).raise_for_status().text
    return [
        {
            "title": row["building"] or row["project"],
            "area": row["area"],
            "bedrooms": int(row["rooms"] or 0),
            "price": float(row["amount"]),
        }
        for row in csv.DictReader(io.StringIO(content))
    ]


if __name__ == "__main__":
    print(json.dumps(collect(), indent=2))
