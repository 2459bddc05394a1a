#!/usr/bin/env bash
# Mosquitto, iproute2, openssl, Chromium, influxd and a Sparkplug producer for the tests: found, or installed, or named as missing with what is then skipped.
# Everything built here lies in .services/; nothing is started, and the tests bind to 127.0.0.1 only.
set -uo pipefail
cd "$(dirname "$0")/.."

INFLUXD_VERSION="$(sed -n 's|^[[:space:]]*github.com/influxdata/influxdb/v2 \(v[0-9.]*\).*|\1|p' deploy/influxd/go.mod)"
missing=0

say() { printf '%-10s %s\n' "$1" "$2"; }

absent() { # name, what is missing, what is skipped
    say "$1" "MISSING: $2; skipped then: $3"
    missing=1
}

# Debian keeps its daemons in sbin, which a user's PATH may lack.
find_program() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1"; }

install() { # Debian packages, if we may; the caller looks whether it helped
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >.services/"$1".log 2>&1
    fi
}

debian_package() { # program, package, what is skipped
    local path
    if ! path="$(find_program "$1")"; then
        install "$2"
        path="$(find_program "$1")"
    fi
    if [ -n "$path" ]; then
        say "$1" "$path"
    else
        absent "$1" "as root: apt-get install $2 (log, if tried: .services/$2.log)" "$3"
    fi
}

# The board is Chinese: without a font for it the browser draws boxes, and the layout tests would measure those.
chinese_font() {
    fc-list :lang=zh 2>/dev/null | grep -q . || install fonts-wqy-zenhei fontconfig
    if fc-list :lang=zh 2>/dev/null | grep -q .; then
        say font "$(fc-list :lang=zh family | head -n 1)"
    else
        absent font "as root: apt-get install fonts-wqy-zenhei" "nothing, but the board's pictures show boxes"
    fi
}

build_influxd() {
    local tool lacking=""
    command -v clang >/dev/null || install clang
    command -v protoc >/dev/null || install protobuf-compiler
    command -v pkg-config >/dev/null || install pkg-config
    for tool in go clang protoc cargo pkg-config; do
        command -v "$tool" >/dev/null || lacking="$lacking $tool"
    done
    if [ -n "$lacking" ]; then
        absent influxd "not on PATH, and to build it these are needed:$lacking (Debian: golang clang protobuf-compiler cargo pkg-config)" "the InfluxDB half of the store's contract tests"
        return
    fi
    say influxd "building $INFLUXD_VERSION into .services/ (about 6 minutes on 2 cores; log: .services/influxd.log)"
    if build_steps >.services/influxd.log 2>&1; then
        say influxd "$(pwd)/.services/influxd"
    else
        absent influxd "the build failed, see .services/influxd.log" "the InfluxDB half of the store's contract tests"
    fi
}

# InfluxDB links Flux's Rust library: its own pkg-config wrapper compiles that library, so the wrapper comes first and
# stands in for pkg-config. Flux pins a toolchain that rustup would download; the installed one serves as well.
build_steps() (
    set -e
    if command -v rustup >/dev/null; then
        RUSTUP_TOOLCHAIN="$(rustup show active-toolchain | cut -d' ' -f1)"
        export RUSTUP_TOOLCHAIN
    fi
    services="$(pwd)/.services"
    cd deploy/influxd
    GOFLAGS=-mod=readonly go build -o "$services/pkg-config" github.com/influxdata/pkg-config
    PKG_CONFIG="$services/pkg-config" CC=clang GOFLAGS=-mod=readonly \
        go build -tags sqlite_foreign_keys,sqlite_json,noasset -ldflags "-X main.version=$INFLUXD_VERSION" -o "$services/influxd.new" github.com/influxdata/influxdb/v2/cmd/influxd
    mv "$services/influxd.new" "$services/influxd"
)

influxd_is_right() { # a path: it starts and says that it is 2.9 or a later 2.x
    "$1" version 2>/dev/null | grep -Eq '^InfluxDB v?2\.(9|[1-9][0-9])\.'
}

# A Sparkplug producer of others, with the older paho-mqtt that it asks for: it cannot stand in lanbi's own environment.
sparkplug() {
    local python=.venv/bin/python there=.services/sparkplug
    [ -x "$python" ] || python=python3
    if ! cmp -s requirements-sparkplug.txt "$there/locked.txt"; then
        rm -rf "$there"
        "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --target "$there" -r requirements-sparkplug.txt >.services/sparkplug.log 2>&1 &&
            cp requirements-sparkplug.txt "$there/locked.txt"
    fi
    if [ -f "$there/locked.txt" ]; then
        say sparkplug "$(pwd)/$there"
    else
        absent sparkplug "the installation failed, see .services/sparkplug.log" "the test with a live Sparkplug producer"
    fi
}

mkdir -p .services
debian_package mosquitto mosquitto "tests against a real broker and the ACL tests"
debian_package ip iproute2 "the network campaign (tests.faults.netcut)"
debian_package openssl openssl "TLS tests, which make their own certificates"
debian_package chromium chromium "tests of the board in a real browser"
chinese_font
sparkplug

on_path="$(command -v influxd || true)"
if .services/influxd version 2>/dev/null | grep -q "^InfluxDB $INFLUXD_VERSION "; then
    say influxd "$(pwd)/.services/influxd"
elif [ -n "$on_path" ] && influxd_is_right "$on_path"; then
    say influxd "$on_path"
else
    build_influxd
fi

if [ "$missing" = 1 ]; then
    echo "Without them make test still passes: their tests skip. LANBI_REQUIRE_SERVICES=1 makes such a skip a failure."
fi
exit "$missing"
