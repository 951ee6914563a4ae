# SPDX-License-Identifier: Apache-2.0
# A headless browser as client.

# A browser also calls home (updates, accounts). Those lookups would end in this
# lab's resolver, alike in every session, so it is told that the names are void.
CALLS_HOME="MAP *.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND, MAP *.gstatic.com ~NOTFOUND"

# browse URL SECONDS: opens the page, waits until its script logs "lab: done"
# on the console (which costs no packet), then closes the browser.
browse() {
    # A renderer's sandbox cannot be set up by root; the namespace has no way out anyway.
    # (Not through in_client: the signal below must reach the browser, not a shell.)
    ip netns exec "$NS-c" env -u DISPLAY HOME="$DIR" chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$DIR/chromium" --no-first-run --no-default-browser-check --disable-background-networking \
        --disable-component-update --disable-component-extensions-with-background-pages --disable-default-apps \
        --disable-extensions --disable-sync --disable-domain-reliability --disable-client-side-phishing-detection \
        --disable-features=OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions \
        --host-resolver-rules="$CALLS_HOME" --no-pings --ignore-certificate-errors --autoplay-policy=no-user-gesture-required --mute-audio \
        --disable-quic --enable-logging=stderr --window-size=1280,800 "$1" >/dev/null 2>"$DIR/chromium.log" &
    local pid=$!
    wait_until "$2" grep -q 'lab: done' "$DIR/chromium.log" || return 1
    # On SIGTERM the browser shuts down in order and closes its connections.
    kill -TERM "$pid"
    wait_until 10 gone "$pid" || return 1
}
