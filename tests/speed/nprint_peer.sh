#!/bin/sh
# Capture to nPrint text as whole processes: ours against nPrint itself (github.com/nprint/nprint, which must be
# on PATH), on one capture, to /dev/null. Says whether both wrote the same bytes, and the ratio of the best times.
#
#     tests/speed/nprint_peer.sh CAPTURE [TRACEBENCH] [REPEATS]
set -eu

capture=${1:?usage: nprint_peer.sh CAPTURE [TRACEBENCH] [REPEATS]}
tracebench=${2:-$(dirname "$0")/../../build/tracebench}
repeats=${3:-5}

if ! command -v nprint >/dev/null; then
    echo "nprint is not on PATH: build it from github.com/nprint/nprint to compare with it" >&2
    exit 2
fi

theirs() { nprint -P "$capture" -4 -t -u -i; }
ours() { "$tracebench" nprint "$capture" 2>/dev/null; }

if [ "$(theirs | sha256sum)" = "$(ours | sha256sum)" ]; then echo "same bytes"; else echo "DIFFERENT bytes"; fi

# The least of `repeats` wall-clock times, in nanoseconds.
best() {
    least=
    i=0
    while [ "$i" -lt "$repeats" ]; do
        before=$(date +%s%N)
        "$1" >/dev/null
        took=$(($(date +%s%N) - before))
        if [ -z "$least" ] || [ "$took" -lt "$least" ]; then least=$took; fi
        i=$((i + 1))
    done
    echo "$least"
}

nprint_ns=$(best theirs)
our_ns=$(best ours)
awk -v a="$nprint_ns" -v b="$our_ns" 'BEGIN {
    printf "nprint %.3f s, tracebench %.3f s: %.1f times as fast\n", a / 1e9, b / 1e9, a / b
}'
