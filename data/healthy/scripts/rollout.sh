#!/usr/bin/env bash
# Rolls a published release out to the Kubernetes cluster; called by CI. KUBECONFIG_DATA holds the credentials.
# Usage: rollout.sh RELEASE
set -euo pipefail
cd "$(dirname "$0")/../k8s"

release=${1:?usage: rollout.sh RELEASE}
KUBECONFIG=$(mktemp)
export KUBECONFIG
trap 'rm -f "$KUBECONFIG"' EXIT
printf '%s' "$KUBECONFIG_DATA" >"$KUBECONFIG"

kustomize edit set image \
    "propertypro-api=ghcr.io/propertypro/propertypro-api:$release" \
    "propertypro-frontend=ghcr.io/propertypro/propertypro-frontend:$release"
kubectl delete job migrate --ignore-not-found
kubectl apply --kustomize .
kubectl wait --for=condition=complete --timeout=5m job/migrate
for deployment in api worker scheduler frontend; do
    kubectl rollout status --timeout=10m "deployment/$deployment" || {
        kubectl rollout undo "deployment/$deployment"
        exit 1
    }
done
