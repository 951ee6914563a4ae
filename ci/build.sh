#!/usr/bin/env bash
# Configures and builds a preset (release unless named) after set-up.
#   ci/build.sh [PRESET] [NINJA TARGET ...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-release}
[ $# -gt 0 ] && shift
"$root/ci/setup.sh"
cd "$root"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" ${1:+--target "$@"}
