#!/usr/bin/env bash
# Sets up, builds and runs the main job on the embedded data: ends in a report.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/ci/build.sh" release tracebench
cd "$root"
build/tracebench run datasets/lab.json -o runs/demo "$@"
echo "open in a browser: file://$root/runs/demo/report.html"
