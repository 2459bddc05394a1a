#!/usr/bin/env bash
# The bill of materials of what is shipped: scripts/sbom.sh [python] [FILE]. CycloneDX 1.6 out of the hash-locked requirements;
# needs no network and no environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${1:-.venv/bin/python}"
out="${2:-dist/sbom.cdx.json}"
mkdir -p "$(dirname "$out")"
"$python" -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --mc-type application \
    --sv 1.6 --of JSON --output-reproducible -o "$out"
