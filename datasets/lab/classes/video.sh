# SPDX-License-Identifier: Apache-2.0
# video: segmented streaming. Three players, three ways of pacing: ffmpeg takes a
# segment whenever playback needs one, GStreamer's adaptive demuxer and a browser
# page with Media Source Extensions fill a buffer and adapt the rendition.

MIN_PACKETS=100
complete() { opened_and_closed; }

# kbit/s and height of the renditions: a ladder's lower rungs, as a phone gets
# them, since a minute of 1080p would be more than the whole data set.
LADDER=(30:108 55:144 85:180 120:240)
SEGMENT=2
LENGTH=32

# Two titles of moving picture and varying sound, each as HLS (MPEG-TS and
# fragmented MP4) in all renditions.
content() {
    local title rung kbit height dir args
    local picture=([0]="mandelbrot=size=426x240:rate=15:start_scale=2:end_pts=300"
                   [1]="cellauto=size=426x240:rate=15:rule=110,hue=H=t/3,boxblur=1,format=yuv420p")
    local sound="aevalsrc='0.3*sin(2*PI*t*(220+80*sin(t)))*abs(sin(t*1.7))+0.05*random(0)':s=32000"
    mkdir -p "$BUILD/video"
    for title in 0 1; do
        for rung in "${LADDER[@]}"; do
            kbit=${rung%:*} height=${rung#*:}
            dir=$BUILD/video/$title/$kbit
            mkdir -p "$dir"
            args=(-hls_time "$SEGMENT" -hls_playlist_type vod -hls_list_size 0)
            # Capped, not constant: scenes differ in size as real ones do.
            ffmpeg -v error -nostdin -y -f lavfi -i "${picture[title]}" -f lavfi -i "$sound" -t "$LENGTH" \
                -vf "scale=-2:$height" -c:v libx264 -preset veryfast -profile:v main -pix_fmt yuv420p \
                -g $((15 * SEGMENT)) -sc_threshold 0 -b:v "${kbit}k" -maxrate "$((kbit * 5 / 4))k" -bufsize "$((kbit * 3))k" \
                -c:a aac -b:a 16k -ac 1 "$dir/all.mp4"
            ffmpeg -v error -nostdin -i "$dir/all.mp4" -c copy "${args[@]}" -f hls "$dir/ts.m3u8"
            ffmpeg -v error -nostdin -i "$dir/all.mp4" -c copy "${args[@]}" -hls_segment_type fmp4 \
                -hls_fmp4_init_filename init.mp4 -hls_segment_filename "$dir/part%02d.m4s" -f hls "$dir/mp4.m3u8"
            rm "$dir/all.mp4"
        done
        local kind
        for kind in ts mp4; do
            {
                printf '#EXTM3U\n#EXT-X-VERSION:7\n'
                for rung in "${LADDER[@]}"; do
                    kbit=${rung%:*} height=${rung#*:}
                    printf '#EXT-X-STREAM-INF:BANDWIDTH=%d,RESOLUTION=%dx%d,CODECS="avc1.4d400d,mp4a.40.2"\n%s/%s.m3u8\n' \
                        $(((kbit + 20) * 1250)) $((height * 16 / 9 / 2 * 2)) "$height" "$kbit" "$kind"
                done
            } >"$BUILD/video/$title/$kind.m3u8"
        done
    done
}

serve() {
    mkdir -p "$DIR/www"
    cp -r "$BUILD/video/$((RANDOM % 2))" "$DIR/www/title"
    cp "$LAB/lib/player.html" "$DIR/www/player.html"
    https_up "$DIR/www"
}

client() {
    local seconds kind=ts
    draw_host
    # Viewers leave before the end.
    between 8 15
    seconds=$REPLY
    ((RANDOM % 2)) || kind=mp4
    case $P_PROGRAM in
    ffmpeg)
        # ffmpeg does not adapt; the viewer has picked what the line carries.
        local rung=${LADDER[RANDOM % 4]}
        ((${P_RATE_MBIT%.*} >= 3)) || rung=${LADDER[RANDOM % 2]}
        in_client timeout 90 ffmpeg -v error -nostdin -re -i "https://$HOST/title/${rung%:*}/$kind.m3u8" \
            -t "$seconds" -f null -
        ;;
    gstreamer)
        GST_REGISTRY=$BUILD/gstreamer.registry ip netns exec "$NS-c" gst-launch-1.0 -q playbin \
            uri="https://$HOST/title/$kind.m3u8" flags=0x103 buffer-duration=5000000000 \
            video-sink="fakesink sync=true" audio-sink="fakesink sync=true" &
        local pid=$!
        sleep "$seconds"
        kill -INT "$pid"
        wait_until 10 gone "$pid"
        ;;
    chromium) browse "https://$HOST/player.html?leave=$seconds" 90 ;;
    esac
}
