# SPDX-License-Identifier: Apache-2.0
# dns: bursts of lookups of mixed types, over UDP, and over TCP where the answer
# is too big or the client wants it so.

MIN_PACKETS=20
complete() { (($(packets 'udp port 53') >= 20)); }

content() { :; }

ZONE_SIZE=40

# zone_name NUMBER: sets NAME
WORDS=(mail shop news blog auth maps files chat play docs)
zone_name() { NAME=${WORDS[$1 % 10]}$(($1 / 10)).$P_SITE.example; }

serve() {
    ZONE=$DIR/zone.conf
    local i k
    for ((i = 0; i < ZONE_SIZE; i++)); do
        zone_name "$i"
        echo "host-record=$NAME,198.51.100.$((i + 10)),2001:db8:a4c::$((i + 10))"
        ((i % 3)) || echo "host-record=$NAME,203.0.113.$((i + 10)),2001:db8:beef::$((i + 10))"
        ((i % 4)) || echo "cname=cdn-$NAME,$NAME"
        ((i % 5)) || printf 'mx-host=%s,mx1.%s,10\nmx-host=%s,mx2.%s,20\n' "$NAME" "$NAME" "$NAME" "$NAME"
        echo "txt-record=$NAME,\"v=spf1 ip4:198.51.100.0/24 include:_spf.$NAME -all\""
        ((i % 2)) || echo "srv-host=_sip._udp.$NAME,sip.$NAME,5060,10,10"
        ((i % 6)) && continue
        # Larger than the 1232 bytes a client offers: answered truncated, asked again over TCP.
        for ((k = 0; k < 9; k++)); do
            echo "txt-record=_keys.$NAME,\"k=rsa; p=$(sha512sum <<<"$NAME $k" | cut -c1-128)\",\"n=$k\""
        done
    done >"$ZONE"
    echo "edns-packet-max=1232" >>"$ZONE"
}

# draw_lookup: sets LOOKUP to a command, from the session's own sequence
draw_lookup() {
    local types=(A A A A AAAA AAAA AAAA HTTPS MX TXT NS SOA SRV PTR CNAME KEYS GONE) type dig
    zone_name $((RANDOM % ZONE_SIZE))
    if [[ $P_PROGRAM == glibc || ($P_PROGRAM == mixed && $((RANDOM % 3)) == 0) ]]; then
        # What a program's getaddrinfo() sends: A and AAAA from one socket.
        ((RANDOM % 8)) || NAME=gone-$NAME
        LOOKUP=(getent ahosts "$NAME")
        return
    fi
    type=${types[RANDOM % ${#types[@]}]}
    dig=(dig +tries=3 +timeout=2)
    ((RANDOM % 3)) || dig+=(+dnssec)
    ((RANDOM % 4)) || dig+=(+noedns)
    [[ $P_PROGRAM == dig ]] && ((RANDOM % 12 == 0)) && dig+=(+tcp)
    case $type in
    PTR) LOOKUP=("${dig[@]}" -x "198.51.100.$((RANDOM % 40 + 10))") ;;
    SRV) LOOKUP=("${dig[@]}" "_sip._udp.$NAME" SRV) ;;
    CNAME) LOOKUP=("${dig[@]}" "cdn-$NAME" A) ;;
    KEYS) zone_name $((RANDOM % 7 * 6)); LOOKUP=("${dig[@]}" "_keys.$NAME" TXT) ;;
    GONE) LOOKUP=("${dig[@]}" "gone-$NAME" A) ;;
    *) LOOKUP=("${dig[@]}" "$NAME" "$type") ;;
    esac
    if [[ $P_PROGRAM == mixed ]] && ((RANDOM % 4 == 0)); then LOOKUP=(host "$NAME"); fi
}

client() {
    local bursts burst size i gap
    between 5 9
    bursts=$REPLY
    for ((burst = 0; burst < bursts; burst++)); do
        between 2 11
        size=$REPLY
        # Some wait for each answer before asking on, as a program does; others
        # ask at once for all that a page needs.
        local together=$((RANDOM % 2))
        for ((i = 0; i < size; i++)); do
            draw_lookup
            # A name that does not exist is an answer too.
            in_client "${LOOKUP[@]}" >>"$DIR/answers" 2>&1 &
            ((together)) || wait $! || true
            between 0 50
            milliseconds "$REPLY"
        done
        between 100 1800
        gap=$REPLY
        milliseconds "$gap"
    done
    wait_until 20 no_lookups
}

# The capture and the servers are jobs as well: `wait` would wait for them.
no_lookups() { ! ip netns pids "$NS-c" | xargs -r ps -o comm= -p | grep -qE '^(dig|host|getent)$'; }
