#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the lab data set: real programs, talking through namespaces and a relayed
# path, captured at the client. Debian 12, as root. See README.md.
set -euo pipefail

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CLASSES=(video web download ssh dns rtp)
PACKAGES=(
    g++ libcli11-dev                                   # the relay
    iproute2 ethtool procps python3 openssl ca-certificates
    tcpdump tshark                                     # capture, verification
    dnsmasq-base bind9-dnsutils bind9-host                        # names
    nginx caddy curl wget chromium                     # video, web, download
    ffmpeg gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad gstreamer1.0-libav glib-networking
    openssh-server openssh-client less                 # ssh
    baresip-core baresip-ffmpeg coturn espeak-ng       # rtp
)

usage() {
    cat <<USAGE
usage: capture.sh [options]
  --only CLASS     one class (${CLASSES[*]}); may be given again
  --sessions N     sessions a class (24)
  --jobs N         sessions at the same time (6)
  -o DIR           where the captures and labels.csv go (this directory)
  --no-install     do not install missing packages
USAGE
}

only=() sessions=24 jobs=6 out=$LAB install=1
while (($#)); do
    case $1 in
    --only) only+=("$2"); shift ;;
    --sessions) sessions=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    -o) out=$2; shift ;;
    --no-install) install= ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
((${#only[@]})) || only=("${CLASSES[@]}")
for class in "${only[@]}"; do
    [[ -f $LAB/classes/$class.sh ]] || { echo "capture.sh: no class '$class'" >&2; exit 2; }
done
((EUID == 0)) || { echo "capture.sh: must run as root (network namespaces)" >&2; exit 2; }

# Installs what is missing, without letting the packages start their services:
# the lab runs its own instances, inside namespaces.
install_packages() {
    local missing=() package policy=/usr/sbin/policy-rc.d made=
    for package in "${PACKAGES[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    echo "installing ${missing[*]}" >&2
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        made=1
    fi
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "${missing[@]}" >&2
    [[ -z $made ]] || rm -f "$policy"
}
[[ -z $install ]] || install_packages

mkdir -p "$out"
OUT=$(cd "$out" && pwd)
BUILD=$(mktemp -d /tmp/tracebench-lab.XXXXXX)
export LAB OUT BUILD

# Sessions take down their own namespaces, also when they are told to end.
SCHEDULER=
clean_up() {
    local file
    [[ -z $SCHEDULER ]] || kill -TERM "$SCHEDULER" 2>/dev/null || true
    for file in "$BUILD"/sessions/*.pid; do
        [[ -e $file ]] || continue
        kill -TERM "$(cat "$file")" 2>/dev/null || true
        while [[ -e $file ]]; do sleep 0.1; done
    done
    [[ -n ${KEEP:-} ]] || rm -rf "$BUILD"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

echo "building" >&2
g++ -std=c++20 -O2 -Wall -Wextra "$LAB/relay.cpp" -o "$BUILD/relay"
source "$LAB/lib/certificates.sh"
certificates_make "$BUILD/certificates"
for class in "${only[@]}"; do
    # In a subshell: every class defines the same names.
    (source "$LAB/classes/$class.sh"; content)
done

# Classes take turns, so that whatever the machine does meanwhile (and what the
# neighbours' sessions cost) falls on all of them alike. Ahead of ordinary
# processes: a program that waits for a processor shows in the timing.
mkdir -p "$BUILD/sessions"
for ((i = 1; i <= sessions; i++)); do
    for class in "${only[@]}"; do echo "$class $i"; done
done | nice -n -6 xargs -P "$jobs" -L 1 "$LAB/session.sh" &
SCHEDULER=$!
failed=0
wait "$SCHEDULER" || failed=1
SCHEDULER=

python3 "$LAB/plan.py" labels "$OUT" >"$OUT/.labels.csv.part"
mv "$OUT/.labels.csv.part" "$OUT/labels.csv"

missing=0
for class in "${only[@]}"; do
    for ((i = 1; i <= sessions; i++)); do
        [[ -s $OUT/$class/$(printf '%s-%02d' "$class" "$i").pcap ]] || ((++missing))
    done
done
if ((failed || missing)); then
    KEEP=1
    echo "capture.sh: FAILED: $missing of $((sessions * ${#only[@]})) sessions have no capture; logs in $BUILD/sessions" >&2
    exit 1
fi
echo "capture.sh: $((sessions * ${#only[@]})) sessions in $OUT" >&2
