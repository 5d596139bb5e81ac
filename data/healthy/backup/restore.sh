#!/bin/sh
# Restores PostgreSQL from a snapshot (default: the newest) into the database named by TARGET_DB
# and leaves Redis, Chroma and the uploads under /tmp/restore. Usage: restore.sh [SNAPSHOT]
set -eu

snapshot="${1:-latest}"
export PGPASSWORD="$POSTGRES_PASSWORD"

restic restore "$snapshot" --host propertypro --target /tmp/restore
pg_restore --host "$POSTGRES_HOST" --username "$POSTGRES_USER" --clean --if-exists \
    --dbname "${TARGET_DB:-$POSTGRES_DB}" /tmp/restore/tmp/postgres.dump
