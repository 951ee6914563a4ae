#!/usr/bin/env bash
# Installs what is missing: Debian packages (ci/packages.txt) and the pinned npm packages (ci/node).
# Does nothing, and needs no network, where all of it is there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# A Node.js from elsewhere brings node and npm itself; Debian's packages would clash with it.
present() {
    case $1 in
        nodejs) command -v node >/dev/null ;;
        npm) command -v npm >/dev/null ;;
        *) installed "$1" ;;
    esac
}

missing=()
while read -r package; do
    case $package in '' | '#'*) continue ;; esac
    present "$package" || missing+=("$package")
done <"$root/ci/packages.txt"

if [ ${#missing[@]} -gt 0 ]; then
    echo "installing: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null
fi

# npm ci is skipped when what it would install is what is there.
stamp="$root/ci/node/node_modules/.installed"
if ! cmp -s "$root/ci/node/package-lock.json" "$stamp"; then
    npm ci --prefix "$root/ci/node" --no-audit --no-fund --silent
    cp "$root/ci/node/package-lock.json" "$stamp"
fi
