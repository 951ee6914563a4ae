# SPDX-License-Identifier: Apache-2.0
# download: one file, as fast as the path lets it come.

MIN_PACKETS=60
complete() { opened_and_closed; }

content() { :; }

serve() {
    local draw=$RANDOM bytes
    # Log-uniform sizes: as many small archives as large ones.
    bytes=$(awk -v u="$draw" 'BEGIN { printf "%d", 130000 * exp(u / 32768 * log(5.5)) }')
    FILE=release-$((RANDOM % 40)).$((RANDOM % 20)).tar.xz
    mkdir -p "$DIR/www/files"
    head -c "$bytes" /dev/urandom >"$DIR/www/files/$FILE"
    # The page a person with a browser would start from.
    cat >"$DIR/www/index.html" <<HTML
<!doctype html><title>Releases</title><p>Fetching $FILE
<script>
fetch("/files/$FILE").then(r => r.blob()).then(b => console.log("lab: done", b.size));
</script>
HTML
    https_up "$DIR/www"
}

client() {
    local scheme=https
    draw_host
    # Package mirrors are still fetched from without TLS.
    ((RANDOM % 6)) || scheme=http
    local http=--http2
    ((RANDOM % 2)) || http=--http1.1
    case $P_PROGRAM in
    curl) in_client timeout 90 curl -sS "$http" -o "$DIR/got" "$scheme://$HOST/files/$FILE" ;;
    wget) in_client timeout 90 wget -q --no-hsts -O "$DIR/got" "$scheme://$HOST/files/$FILE" ;;
    chromium) browse "https://$HOST/" 90 ;;
    esac
}
