#!/usr/bin/env bash
# Sets up, builds, runs every test and the regression gate.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/ci/build.sh" release
"$root/ci/build.sh" sanitize tests_sanitized
cd "$root"
ctest --preset sanitize -j "$(nproc)"
ctest --preset release -j "$(nproc)"
"$root/ci/gate.sh"
