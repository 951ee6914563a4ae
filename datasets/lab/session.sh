#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Captures one session: session.sh CLASS INDEX. Called by capture.sh, which sets
# LAB (this directory), BUILD (relay, certificates, content) and OUT.
set -euo pipefail

CLASS=$1 INDEX=$2
NAME=$(printf '%s-%02d' "$CLASS" "$INDEX")
ATTEMPTS=3

source "$LAB/lib/net.sh"
source "$LAB/lib/https.sh"
source "$LAB/lib/browser.sh"
source "$LAB/classes/$CLASS.sh"
eval "$(python3 "$LAB/plan.py" shell "$CLASS" "$INDEX")"

NS=lab$$
DIR=$BUILD/sessions/$NAME
ATTEMPT=
echo $$ >"$BUILD/sessions/$NAME.pid"
trap finish EXIT
finish() {
    [[ -z $ATTEMPT ]] || kill -KILL "$ATTEMPT" 2>/dev/null || true
    net_down
    rm -f "$BUILD/sessions/$NAME.pid"
}

packets() { tcpdump -n -r "$DIR/session.pcap" "${1:-}" 2>/dev/null | wc -l; }

# What a TCP session must have: a connection opened, and one closed by both ends or
# reset by one (as clients do that leave with an answer still arriving).
# (tcp[] does not reach past an IPv6 header; hence the second form.)
tcp_flag() { packets "tcp[tcpflags] & $1 != 0 or (ip6[6] == 6 and ip6[53] & $1 != 0)"; }
opened_and_closed() { (($(tcp_flag 0x02) >= 2 && ($(tcp_flag 0x01) >= 2 || $(tcp_flag 0x04) >= 1))); }

attempt() {
    rm -rf "$DIR"
    mkdir -p "$DIR"
    [[ -z ${TRACE:-} ]] || set -x
    RANDOM=$P_SEED
    net_up
    serve
    resolvers_up
    capture_start
    client
    capture_stop
}

for ((try = 1; try <= ATTEMPTS; try++)); do
    status=0
    # In the background, since a function called before `||` would run without -e.
    attempt >"$BUILD/sessions/$NAME.log" 2>&1 &
    ATTEMPT=$!
    wait "$ATTEMPT" || status=$?
    ATTEMPT=
    net_down
    if ((status == 0)) && (($(packets) >= MIN_PACKETS)) && complete; then
        mkdir -p "$OUT/$CLASS"
        mv "$DIR/session.pcap" "$OUT/$CLASS/.$NAME.pcap.part"
        mv "$OUT/$CLASS/.$NAME.pcap.part" "$OUT/$CLASS/$NAME.pcap"
        echo "$NAME: $(tcpdump -n -r "$OUT/$CLASS/$NAME.pcap" 2>/dev/null | wc -l) packets," \
            "$(stat -c %s "$OUT/$CLASS/$NAME.pcap") bytes"
        [[ -n ${KEEP:-} ]] || rm -rf "$DIR" "$BUILD/sessions/$NAME.log"
        exit 0
    fi
    echo "$NAME: attempt $try failed (status $status), see $BUILD/sessions/$NAME.log" >&2
done
exit 1
