#!/usr/bin/env bash
# Rewrites the hash-locked requirement files from pyproject.toml: scripts/lock.sh [path of pip-compile] [its arguments].
# Versions, hashes and nothing else: no index address, so that any mirror serves.
set -euo pipefail
cd "$(dirname "$0")/.."
compile="${1:-pip-compile}"
shift || true
quiet=(--quiet --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host)
"$compile" "${quiet[@]}" "$@" --extra influx --extra board --extra reports --extra backup --extra sm4 -o requirements.txt pyproject.toml
"$compile" "${quiet[@]}" "$@" --all-extras -o requirements-dev.txt pyproject.toml
# A Sparkplug producer for the tests, in a folder of its own: it asks for paho-mqtt < 2, lanbi for 2.1 at least.
"$compile" "${quiet[@]}" "$@" -o requirements-sparkplug.txt - <<<'pysparkplug>=0.6.1'
