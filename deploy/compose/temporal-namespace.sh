#!/bin/sh
# Waits until Temporal serves and makes the namespace. Again: nothing changes. Search attributes are the worker's work.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are read by the `temporal` command itself.
set -eu
tries=0
until temporal operator cluster health --command-timeout 5s >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Temporal at $TEMPORAL_ADDRESS does not serve; see the log of the service temporal" >&2
    exit 1
  fi
  sleep 1
done
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  echo "the namespace $TEMPORAL_NAMESPACE is there"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 72h
fi
