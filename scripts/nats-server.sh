#!/usr/bin/env bash
# Prints the path of the nats-server for the tests of the JetStream engine: NATS_SERVER, or else the
# pinned version, built by Go and kept in the user's cache, or else the one on the PATH.
set -euo pipefail
version=2.15.3

directory="${XDG_CACHE_HOME:-$HOME/.cache}/logstore/nats-server-$version"
if [ -n "${NATS_SERVER:-}" ]; then
  echo "$NATS_SERVER"
elif [ -x "$directory/nats-server" ]; then
  echo "$directory/nats-server"
elif command -v go >/dev/null; then
  mkdir -p "$directory"
  building="$(mktemp -d "$directory/building-XXXXXX")"
  trap 'rm -rf "$building"' EXIT
  GOBIN="$building" go install "github.com/nats-io/nats-server/v2@v$version" >&2
  mv "$building/nats-server" "$directory/nats-server"
  echo "$directory/nats-server"
elif ! command -v nats-server; then
  echo "There is no nats-server $version: install Go, which builds it, or set NATS_SERVER to the path of one." >&2
  exit 1
fi
