# SPDX-License-Identifier: Apache-2.0
# A headless browser as client.

# browse URL SECONDS: opens the page, waits until its script logs "lab: done"
# on the console (which costs no packet), then closes the browser.
browse() {
    # A renderer's sandbox cannot be set up by root; the namespace has no way out anyway.
    in_client env -u DISPLAY HOME="$DIR" chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$DIR/chromium" --no-first-run --no-default-browser-check --disable-background-networking \
        --disable-component-update --disable-component-extensions-with-background-pages --disable-default-apps \
        --disable-extensions --disable-sync --disable-domain-reliability --disable-client-side-phishing-detection \
        --disable-features=OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions \
        --no-pings --ignore-certificate-errors --autoplay-policy=no-user-gesture-required --mute-audio \
        --disable-quic --enable-logging=stderr --window-size=1280,800 "$1" >/dev/null 2>"$DIR/chromium.log" &
    local pid=$!
    wait_until "$2" grep -q 'lab: done' "$DIR/chromium.log" || return 1
    # On SIGTERM the browser shuts down in order and closes its connections.
    kill -TERM "$pid"
    wait_until 10 gone "$pid" || return 1
}

gone() { ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]; }
