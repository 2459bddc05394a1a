#!/usr/bin/env bash
# Telegraf, as the peer of bench/ingest.py: found in .services/, or built there from its pinned Go module (about 90 s), or named as missing.
# Only the plugins that the bench needs are built in. Go's checksum database proves that the module is the published one.
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=1.37.0
PARTS=inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json,parsers.json_v2,parsers.xpath,processors.rename,processors.strings,processors.regex
mkdir -p .services
target="$(cd .services && pwd -P)"

if [ "$(cat "$target/telegraf.parts" 2>/dev/null)" = "$PARTS" ] && "$target/telegraf" version 2>/dev/null | grep -q "^Telegraf $VERSION"; then
    echo "telegraf   $target/telegraf"
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "telegraf   MISSING: not in .services/, and to build it go is needed (Debian: golang); bench/ingest.py leaves it out then"
    exit 1
fi
echo "telegraf   building $VERSION into .services/ (log: .services/telegraf.log)"
GOBIN="$target" GOFLAGS=-buildvcs=false go install -tags "custom,$PARTS" \
    -ldflags "-X github.com/influxdata/telegraf/internal.Version=$VERSION" \
    "github.com/influxdata/telegraf/cmd/telegraf@v$VERSION" >"$target/telegraf.log" 2>&1 ||
    { echo "telegraf   the build failed, see .services/telegraf.log"; exit 1; }
echo "$PARTS" >"$target/telegraf.parts"
echo "telegraf   $target/telegraf"
