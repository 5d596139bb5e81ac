#!/bin/sh
# Copies PostgreSQL, Redis, Chroma and the uploads to the restic repository (a bucket in another region).
set -eu

: "${RESTIC_REPOSITORY:?}" "${RESTIC_PASSWORD:?}" "${AWS_ACCESS_KEY_ID:?}" "${AWS_SECRET_ACCESS_KEY:?}"

export PGPASSWORD="$POSTGRES_PASSWORD" REDISCLI_AUTH="$REDIS_PASSWORD"

restic cat config >/dev/null 2>&1 || restic init

pg_dump --host "$POSTGRES_HOST" --username "$POSTGRES_USER" --format custom --file /tmp/postgres.dump "$POSTGRES_DB"
redis-cli -h "$REDIS_HOST" --rdb /tmp/redis.rdb

restic backup --host propertypro /tmp/postgres.dump /tmp/redis.rdb /sources/chroma /sources/uploads
restic forget --host propertypro --keep-daily 14 --keep-weekly 8 --keep-monthly 12 --prune
rm -f /tmp/postgres.dump /tmp/redis.rdb

# node-exporter shows this file's age; the alert BackupOverdue watches it
echo "propertypro_backup_completed 1" >/state/backup.prom.new
mv /state/backup.prom.new /state/backup.prom
