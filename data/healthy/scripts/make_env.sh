#!/usr/bin/env bash
# Writes .env from .env.example with a random value for whatever is empty there, and the secret files.
# For development and CI. It leaves an existing .env alone.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! -e .env ]]; then
    while IFS= read -r line; do
        if [[ $line == *= ]]; then
            line+=$(openssl rand -hex 32)
        fi
        printf '%s\n' "$line"
    done <.env.example >.env
    chmod 600 .env
fi

for name in slack_webhook_url pagerduty_routing_key; do
    [[ -e secrets/$name ]] || printf 'http://localhost/not-configured' >"secrets/$name"
done
