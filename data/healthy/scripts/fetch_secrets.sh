#!/usr/bin/env bash
# Writes .env and the secret files of a host from AWS Secrets Manager.
# Usage: fetch_secrets.sh production|staging
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077

environment=${1:?usage: fetch_secrets.sh production|staging}

fetch() {
    aws secretsmanager get-secret-value --secret-id "propertypro/$environment/$1" --query SecretString --output text
}

fetch env >.env.new
mv .env.new .env
for name in slack_webhook_url pagerduty_routing_key; do
    fetch "$name" >"secrets/$name"
    chmod 644 "secrets/$name"
done
