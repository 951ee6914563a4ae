# SPDX-License-Identifier: Apache-2.0
# web: a browser on one or two pages of a site spread over several hosts.

MIN_PACKETS=60
complete() { opened_and_closed; }

content() { :; }

serve() {
    local hosts=() i
    # Two to four hosts, each with an address of its own.
    for ((i = 0; i < 2 + P_SEED % 3; i++)); do hosts+=("$(host_name "$i")"); done
    python3 "$LAB/lib/site.py" --seed "$P_SEED" --root "$DIR/www" --hosts "${hosts[@]}"
    https_up "$DIR/www"
}

client() { browse "https://$(host_name 0)/" 60; }
