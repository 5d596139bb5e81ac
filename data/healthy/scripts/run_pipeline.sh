#!/usr/bin/env bash
# Runs the data pipeline in the API's image, on the network of the running system.
# Usage: run_pipeline.sh [--source listings|transactions] [--output FILE]
set -euo pipefail
cd "$(dirname "$0")/.."

docker compose run --rm --no-deps --volume "$PWD/scripts:/scripts:ro" \
    --env-from-file .env api python /scripts/data_pipeline.py "$@"
