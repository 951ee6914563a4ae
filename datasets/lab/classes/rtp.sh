# SPDX-License-Identifier: Apache-2.0
# rtp: a video call between two baresip agents: SIP, then Opus and VP8 over RTP
# both ways with RTCP; in a third of the sessions with ICE and a STUN server, in
# another third with DTLS-SRTP as browsers use it.

MIN_PACKETS=100
complete() {
    # An answered call, a hang-up (an invitation with ICE over IPv6 is in fragments,
    # which hide it from tshark), and media in both directions.
    local sip
    sip=$(tshark -r "$DIR/session.pcap" -Y sip -T fields -e sip.Method -e sip.Status-Code 2>/dev/null | sort -u | tr -d '\n\t')
    [[ $sip == *200*BYE* ]] && (($(packets "udp and not port 53 and src host $P_CLIENT") >= 40)) &&
        (($(packets "udp and not port 53 and dst host $P_CLIENT") >= 40))
}

# Two people talking (with pauses, so that the codec's rate varies) and two
# moving pictures.
content() {
    mkdir -p "$BUILD/rtp"
    local who source
    # As smooth and slow as a camera on a person; noise would cost the bit rate of ten.
    source="gradients=size=320x180:rate=12:speed=0.03:n=3"
    local text=("Good morning. I have the numbers here, shall we go through them? The first part looks fine to me. Then there is the second quarter, and I am not sure about that one."
                "Yes, hello. Please go ahead. Right. I see. I think the second one was measured before the change, so it should be repeated this week.")
    for who in 0 1; do
        espeak-ng -v en -p $((35 + who * 30)) -s 150 -w "$BUILD/rtp/speech$who.wav" "${text[who]}"
        # Long enough for any call: the agent stops sending at the end of its file.
        ffmpeg -v error -nostdin -y -stream_loop 5 -i "$BUILD/rtp/speech$who.wav" -t 40 -af "adelay=$((who * 2500))" \
            -ar 48000 -ac 2 "$BUILD/rtp/audio$who.wav"
        ffmpeg -v error -nostdin -y -f lavfi -i "$source:seed=$who" -t 40 -pix_fmt yuv420p -c:v libx264 \
            -preset veryfast -g 24 "$BUILD/rtp/picture$who.mp4"
    done
}

# agent WHO DIRECTORY ADDRESS INTERFACE: writes the configuration of one side
agent() {
    local who=$1 dir=$2 address=$3 interface=$4 any=0.0.0.0 module
    [[ $P_IP_VERSION == 4 ]] || any=[::]
    mkdir -p "$dir"
    {
        for module in opus vp8 aufile aubridge avformat fakevideo stun ice srtp dtls_srtp; do echo "module $module.so"; done
        for module in account menu; do echo "module_app $module.so"; done
        cat <<CONF
module_path /usr/lib/baresip/modules
sip_listen $any:$SIP_PORT
audio_source aufile,$BUILD/rtp/audio$who.wav
audio_player aubridge,out
audio_alert aubridge,alert
video_source avformat,$BUILD/rtp/picture$who.mp4
video_display fakevideo,out
video_size 320x180
video_fps $FPS
video_bitrate $VIDEO_RATE
opus_bitrate $AUDIO_RATE
rtp_ports $RTP_PORTS
rtcp_mux $RTCP_MUX
net_interface $interface
CONF
    } >"$dir/config"
    echo "<sip:user$who@$(bracketed "$address")>;regint=0;answermode=auto;ptime=$PTIME;audio_codecs=opus/48000/2;video_codecs=VP8$ACCOUNT" \
        >"$dir/accounts"
    touch "$dir/contacts"
}

# peer_up ADDRESS: a namespace of its own for the callee. Beside the other servers
# its ICE would offer their addresses as well and answer from the wrong one.
peer_up() {
    local address=$1 bits=32 any=0.0.0.0/0 gateway=169.254.7.1 scope=/30
    [[ $P_IP_VERSION == 4 ]] || bits=128 any=::/0 gateway=fe80::1 scope=/64
    ip netns add "$NS-p"
    ip netns exec "$NS-p" sysctl -qw net.ipv6.conf.{all,default}.{accept_dad,router_solicitations}=0 \
        net.ipv4.ip_default_ttl="$P_SERVER_TTL" net.ipv6.conf.{all,default}.hop_limit="$P_SERVER_TTL"
    in_servers sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip link add net1 netns "$NS-s" type veth peer name eth0 netns "$NS-p"
    in_servers ethtool -K net1 tx off rx off sg off gso off tso off gro off >/dev/null
    ip netns exec "$NS-p" ethtool -K eth0 tx off rx off sg off gso off tso off gro off >/dev/null
    ip -n "$NS-p" link set lo up
    ip -n "$NS-p" link set eth0 up
    ip -n "$NS-s" link set net1 up
    ip -n "$NS-s" address flush dev net0
    ip -n "$NS-s" address add "$gateway$scope" dev net1
    ip -n "$NS-s" route replace "$any" dev net0
    ip -n "$NS-s" route add "$address/$bits" dev net1
    ip -n "$NS-p" address add "$address/$bits" dev eth0
    ip -n "$NS-p" route add "$gateway" dev eth0 2>/dev/null || true
    ip -n "$NS-p" route add "$any" via "$gateway" dev eth0
    mkdir -p "/etc/netns/$NS-p"
    cp "/etc/netns/$NS-s/resolv.conf" "/etc/netns/$NS-p/resolv.conf"
}

serve() {
    local peer=${P_SERVERS%% *} stun
    peer_up "$peer"
    local ptimes=(20 40 60) fps=(8 10 12) ports=(10000-20000 16384-32766 49152-65534)
    PTIME=${ptimes[RANDOM % 3]} FPS=${fps[RANDOM % 3]} RTP_PORTS=${ports[RANDOM % 3]}
    between 40 100
    VIDEO_RATE=${REPLY}000
    between 14 32
    AUDIO_RATE=${REPLY}000
    SIP_PORT=5060 RTCP_MUX=no ACCOUNT=
    case $P_PROGRAM in
    baresip-ice)
        stun=$(host_name 1)
        ACCOUNT=";medianat=ice;stunserver=\"stun:$stun\""
        ip netns exec "$NS-s" turnserver -n --stun-only --no-tls --no-dtls --no-cli --log-file stdout --pidfile "$DIR/turn.pid" \
            -L "$(cut -d' ' -f2 <<<"$P_SERVERS")" >"$DIR/turn.log" 2>&1 &
        wait_until 10 listening_udp s 3478
        ;;
    baresip-dtls) ACCOUNT=";mediaenc=dtls_srtp" RTCP_MUX=yes ;;
    esac
    agent 1 "$DIR/callee" "$peer" eth0
    agent 0 "$DIR/caller" "$P_CLIENT" eth0
    ip netns exec "$NS-p" baresip "-$P_IP_VERSION" -f "$DIR/callee" >"$DIR/callee.log" 2>&1 </dev/null &
    wait_until 10 listening_udp p "$SIP_PORT"
}

client() {
    local seconds
    # Short calls with a small packet time, longer ones with a large one.
    between $((3 + PTIME / 30)) $((3 + PTIME / 12))
    seconds=$REPLY
    in_client timeout 60 baresip "-$P_IP_VERSION" -f "$DIR/caller" -t "$seconds" \
        -e "/dial sip:user1@$(host_name 0)" >"$DIR/caller.log" 2>&1 </dev/null
}
