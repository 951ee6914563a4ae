#!/usr/bin/env bash
# The regression gate as a user would have it in CI: a small manifest, run and checked against the baseline
# record kept beside it. Writes JUnit and Markdown to runs/gate. After an intended change of results:
#   build/tracebench baseline update runs/gate -o ci/gate-baseline.json
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build/tracebench run ci/gate.json -o runs/gate
build/tracebench check runs/gate --baseline ci/gate-baseline.json \
    --junit runs/gate/junit.xml --markdown runs/gate/summary.md
