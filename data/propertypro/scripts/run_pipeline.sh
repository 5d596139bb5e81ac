#!/usr/bin/env bash
set -e

cd "$(dirname "$0")"

export DATABASE_URL="${DATABASE_URL:-postgresql://admin:password123@localhost:5432/propertypro}"

python data_pipeline.py --source listings
python data_pipeline.py --source transactions
