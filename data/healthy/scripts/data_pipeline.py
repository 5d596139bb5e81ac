"""Collects properties from the configured sources, removes duplicates and stores them in PostgreSQL."""

import argparse
import json
import os
from pathlib import Path

from sqlalchemy import URL, create_engine, text

from collectors import listings, transactions

COLLECTORS = {"listings": listings.collect, "transactions": transactions.collect}

INSERT = text(
    "INSERT INTO properties (title, area, bedrooms, price) VALUES (:title, :area, :bedrooms, :price)"
)


def clean(rows: list[dict]) -> list[dict]:
    seen = set()
    kept = []
    for row in rows:
        key = (row["title"].strip().lower(), row["area"])
        if key in seen or row["price"] <= 0:
            continue
        seen.add(key)
        kept.append(row)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=sorted(COLLECTORS), action="append")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()

    rows = clean([row for name in options.source or COLLECTORS for row in COLLECTORS[name]()])
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2))
        return
    engine = create_engine(
        URL.create(
            "postgresql",
            username=os.environ["POSTGRES_USER"],
            password=os.environ["POSTGRES_PASSWORD"],
            host=os.environ["POSTGRES_HOST"],
            database=os.environ["POSTGRES_DB"],
        )
    )
    with engine.begin() as connection:
        connection.execute(INSERT, rows)


if __name__ == "__main__":
    main()
