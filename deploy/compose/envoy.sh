#!/bin/bash
# Envoy with a drain before its end: by itself it cuts at SIGTERM what it has in hand. Bash, because the image has
# neither curl nor wget.
#   envoy.sh run CONFIGURATION    runs until SIGTERM, then lets requests in hand end, live streams excepted
#   envoy.sh ready                whether it takes connections
# ADMIN_PORT, DRAIN_S, CONCURRENCY: of the configuration's admin address; how long a stop waits at most; threads.
set -u

admin() ( # method, path
  exec 3<>"/dev/tcp/127.0.0.1/${ADMIN_PORT:-9901}" || exit 1
  printf '%s %s HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
  cat <&3
)

in_hand() {
  local total=0 name value
  while IFS=': ' read -r name value; do
    value="${value%$'\r'}"
    case "$name" in
    http.admin.*) ;;
    http.*.downstream_rq_active) total=$((total + value)) ;;
    cluster.*_streams.upstream_rq_active) total=$((total - value)) ;;
    esac
  done < <(admin GET '/stats?filter=rq_active$' 2>/dev/null)
  echo "$total"
}

stop() {
  trap '' TERM INT
  admin POST '/drain_listeners?graceful' >/dev/null 2>&1
  sleep 1.2 # until the listeners are closed (--drain-time-s)
  local end=$((SECONDS + ${DRAIN_S:-10}))
  while [ "$SECONDS" -lt "$end" ] && [ "$(in_hand)" -gt 0 ]; do
    sleep 0.1
  done
  kill -TERM "$envoy"
}

case "${1:-}" in
ready)
  admin GET /ready 2>/dev/null | grep -q LIVE
  ;;
run)
  envoy -c "$2" --disable-hot-restart --concurrency "${CONCURRENCY:-2}" -l warn --drain-time-s 1 --drain-strategy immediate &
  envoy=$!
  trap stop TERM INT
  wait "$envoy" # ends early when a signal comes
  code=$?
  while kill -0 "$envoy" 2>/dev/null; do
    wait "$envoy"
    code=$?
  done
  exit "$code"
  ;;
*)
  echo "envoy.sh run CONFIGURATION | envoy.sh ready" >&2
  exit 2
  ;;
esac
