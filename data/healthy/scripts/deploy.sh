#!/usr/bin/env bash
# Brings a release to a single host (staging, small installations). To roll back, give the release before.
# Usage: deploy.sh production|staging RELEASE
set -euo pipefail
cd "$(dirname "$0")/.."

environment=${1:?usage: deploy.sh production|staging RELEASE}
release=${2:?usage: deploy.sh production|staging RELEASE}

git fetch --tags
git checkout --detach "$release"
scripts/fetch_secrets.sh "$environment"
if [[ -n $(docker compose ps --quiet backup) ]]; then
    docker compose exec -T backup backup.sh
fi
docker compose up --detach --build --wait --remove-orphans
# These read their configuration once, when they start.
docker compose up --detach --wait --no-deps --force-recreate nginx prometheus alertmanager
