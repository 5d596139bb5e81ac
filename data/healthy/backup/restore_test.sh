#!/bin/sh
# Proves that the newest snapshot can be restored: into a scratch database, then counts its tables.
set -eu

export PGPASSWORD="$POSTGRES_PASSWORD" PGHOST="$POSTGRES_HOST" PGUSER="$POSTGRES_USER"

dropdb --if-exists restore_test
createdb restore_test
TARGET_DB=restore_test restore.sh latest

tables=$(psql --dbname restore_test --tuples-only --no-align \
    --command "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
dropdb restore_test
restic check --read-data-subset 5%

[ "$tables" -gt 0 ]
test -s /tmp/restore/tmp/redis.rdb
test -d /tmp/restore/sources/chroma
rm -rf /tmp/restore
echo "restore test passed: $tables tables"
