# SPDX-License-Identifier: Apache-2.0
# The network of one session: three namespaces and the relay.
#
#   client --veth-- home router --TUN-- relay --TUN-- servers
#
# Everything a session does stays in these three; none has a way out.
# Reads P_* (plan.py), NS (a prefix of its own) and DIR (a scratch directory).

in_client()  { ip netns exec "$NS-c" "$@"; }
in_router()  { ip netns exec "$NS-r" "$@"; }
in_servers() { ip netns exec "$NS-s" "$@"; }

# wait_until SECONDS COMMAND...: polls; false if it never came true.
wait_until() {
    local tries=$(($1 * 20)); shift
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || return 1
        sleep 0.05
    done
}

# gone PID: a job that has ended, with all its threads ("Zl": some still run).
gone() {
    local state
    state=$(ps -o stat= -p "$1") || return 0
    [[ $state == Z* && $state != *l* ]]
}

# milliseconds NUMBER: sleeps that long
milliseconds() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

# between LOW HIGH: sets REPLY to a number from the session's own sequence.
# (A subshell would not advance RANDOM, so no "$(between ...)".)
between() { REPLY=$(($1 + (RANDOM * 32768 + RANDOM) % ($2 - $1 + 1))); }

# host_name NUMBER: the names of the session's servers, one for each address.
HOST_NAMES=(www static img cdn api)
host_name() { echo "${HOST_NAMES[$1]}.$P_SITE.example"; }

# draw_host: sets HOST to one of them
draw_host() { HOST=${HOST_NAMES[RANDOM % ${#HOST_NAMES[@]}]}.$P_SITE.example; }

# An address as URLs and SIP want it.
bracketed() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

net_up() {
    local ns bits any address
    for ns in c r s; do
        ip netns add "$NS-$ns"
        ip -n "$NS-$ns" link set lo up
        # Duplicate address detection would hold every IPv6 address for a second.
        ip netns exec "$NS-$ns" sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,router_solicitations}=0
    done

    # A server's programs ask the far resolver, which they have next door.
    mkdir -p "/etc/netns/$NS-s"
    echo "nameserver $P_RESOLVER_ADDRESS" >"/etc/netns/$NS-s/resolv.conf"

    if [[ $P_IP_VERSION == 6 ]]; then bits=64 any=::/0; else bits=24 any=0.0.0.0/0; fi

    ip link add eth0 netns "$NS-c" address "$P_CLIENT_MAC" type veth \
        peer name lan0 netns "$NS-r" address "$P_ROUTER_MAC"
    # veth hands over packets without checksums and bigger than the MTU unless
    # told to behave like a wire; both ends, or one undoes the other.
    in_client ethtool -K eth0 tx off rx off sg off gso off tso off gro off >/dev/null
    in_router ethtool -K lan0 tx off rx off sg off gso off tso off gro off >/dev/null
    ip -n "$NS-c" link set eth0 up
    ip -n "$NS-r" link set lan0 up
    ip -n "$NS-c" address add "$P_CLIENT/$bits" dev eth0
    ip -n "$NS-r" address add "$P_ROUTER/$bits" dev lan0
    ip -n "$NS-c" route add "$any" via "$P_ROUTER"

    ip -n "$NS-r" tuntap add wan0 mode tun
    ip -n "$NS-s" tuntap add net0 mode tun
    ip -n "$NS-r" link set wan0 up
    ip -n "$NS-s" link set net0 up
    # The first server has the interface's own address: a SIP agent must find one there.
    for address in ${P_SERVERS#* } $P_RESOLVER_ADDRESS; do ip -n "$NS-s" address add "$address" dev lo; done
    ip -n "$NS-s" address add "${P_SERVERS%% *}" dev net0
    ip -n "$NS-r" route add "$any" dev wan0
    # As a route's metric: the sysctl would need the algorithm allowed machine-wide.
    ip -n "$NS-s" route add "$any" dev net0 congctl "$P_CONGESTION"
    in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

    # Hosts of different makers: initial TTL, and with 128 (Windows) no TCP timestamps.
    in_client sysctl -qw net.ipv4.ip_default_ttl="$P_CLIENT_TTL" net.ipv6.conf.all.hop_limit="$P_CLIENT_TTL" \
        net.ipv6.conf.eth0.hop_limit="$P_CLIENT_TTL" net.ipv4.tcp_timestamps=$((P_CLIENT_TTL == 64))
    in_servers sysctl -qw net.ipv4.ip_default_ttl="$P_SERVER_TTL" net.ipv6.conf.all.hop_limit="$P_SERVER_TTL" \
        net.ipv6.conf.net0.hop_limit="$P_SERVER_TTL"

    local half
    half=$(awk "BEGIN { print $P_RTT_MS / 2 }")
    in_router "$BUILD/relay" --left "$NS-r:wan0" --right "$NS-s:net0" --delay-ms "$half" --jitter-ms "$P_JITTER_MS" \
        --down-mbit "$P_RATE_MBIT" --up-mbit "$P_UP_MBIT" --queue-ms "$P_QUEUE_MS" --loss "$P_LOSS" \
        --hops "$P_HOPS" --seed "$P_SEED" 2>"$DIR/relay.log" &
    # A TUN device has a carrier once somebody holds its other end.
    wait_until 5 carrier r wan0
    wait_until 5 carrier s net0
}

carrier() { ip -n "$NS-$1" link show "$2" | grep -q LOWER_UP; }

# Names. The far resolver is authoritative for everything (ZONE, if a class sets
# it, is a file of further records); the near one is what a home router runs, a
# cache that asks the far one over the path.
resolvers_up() {
    local i record=() servers=($P_SERVERS) listen=$P_RESOLVER_ADDRESS
    for i in "${!HOST_NAMES[@]}"; do record+=("--host-record=$(host_name "$i"),${servers[$i]}"); done
    in_servers dnsmasq --keep-in-foreground --conf-file="${ZONE:-/dev/null}" --no-resolv --no-hosts --user=root \
        --pid-file= --bind-interfaces --listen-address="$P_RESOLVER_ADDRESS" --local=/#/ "${record[@]}" \
        --local-ttl=300 2>"$DIR/dns-far.log" &
    if [[ $P_RESOLVER == near ]]; then
        listen=$P_ROUTER
        in_router dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
            --pid-file= --bind-interfaces --listen-address="$P_ROUTER" --server="$P_RESOLVER_ADDRESS" \
            2>"$DIR/dns-near.log" &
    fi
    # `ip netns exec` lays these over /etc: the client's resolver, and the lab's
    # authority as the only one it trusts.
    mkdir -p "/etc/netns/$NS-c/ssl/certs"
    cp "$BUILD/certificates/root.pem" "/etc/netns/$NS-c/ssl/certs/ca-certificates.crt"
    printf 'nameserver %s\noptions timeout:2 attempts:3\n' "$listen" >"/etc/netns/$NS-c/resolv.conf"
    wait_until 5 listening_udp s 53
    [[ $P_RESOLVER == far ]] || wait_until 5 listening_udp r 53
}

listening_tcp() { ip netns exec "$NS-$1" ss -Hltn "sport = :$2" | grep -q .; }
listening_udp() { ip netns exec "$NS-$1" ss -Hlun "sport = :$2" | grep -q .; }

capture_start() {
    # Immediate mode, or the last second (the teardown) would still be in the kernel
    # when tcpdump is told to stop.
    # TCP and UDP only: neighbour discovery and the like belong to the link, not to the session.
    # (Not through in_client: a function in the background is a shell around the
    # program, and the signal below would reach only the shell.)
    ip netns exec "$NS-c" tcpdump -Z root -p -n --immediate-mode -U -i eth0 -s "${SNAPLEN:-128}" --time-stamp-precision=nano -w "$DIR/session.pcap" \
        'tcp or udp' 2>"$DIR/tcpdump.log" &
    CAPTURE=$!
    wait_until 10 grep -q 'listening on' "$DIR/tcpdump.log"
}

capture_stop() {
    # Let the last answers come home: teardown takes a round trip and what the queue holds.
    milliseconds $((400 + 2 * ${P_RTT_MS%.*} + P_QUEUE_MS))
    # Not SIGINT: a shell starts its background jobs with that one ignored.
    kill -TERM "$CAPTURE"
    wait "$CAPTURE" || true
}

# Ends every process in the session's namespaces and then the namespaces.
net_down() {
    local ns pids
    for ns in c r s p; do
        [[ -e /run/netns/$NS-$ns ]] || continue
        pids=$(ip netns pids "$NS-$ns" || true)
        [[ -z $pids ]] || kill -KILL $pids 2>/dev/null || true
    done
    for ns in c r s p; do
        ip netns delete "$NS-$ns" 2>/dev/null || true
        rm -rf "/etc/netns/$NS-$ns"
    done
}
