# SPDX-License-Identifier: Apache-2.0
# ssh: a person at a shell on another machine. OpenSSH on both ends; the typing
# is lib/typist.py on a pseudo-terminal.

MIN_PACKETS=80
complete() { opened_and_closed; }

# Keys are made for the run and thrown away with it.
content() {
    mkdir -p "$BUILD/ssh/home"
    ssh-keygen -q -t ed25519 -N '' -f "$BUILD/ssh/user" -C user
    ssh-keygen -q -t ed25519 -N '' -f "$BUILD/ssh/host_ed25519" -C host
    ssh-keygen -q -t rsa -b 3072 -N '' -f "$BUILD/ssh/host_rsa" -C host
    cp "$BUILD/ssh/user.pub" "$BUILD/ssh/authorized_keys"
    cat >"$BUILD/ssh/home/rc" <<'RC'
PS1='\u@server:\w\$ '
unset HISTFILE PROMPT_COMMAND MAIL
bind 'set bell-style none' 2>/dev/null
cd "$HOME"
RC
    cp /usr/share/common-licenses/{GPL-2,Apache-2.0,BSD} "$BUILD/ssh/home/"
    local i
    for i in 1 2 3 4 5 6; do
        shuf -n $((i * 25)) --random-source="$BUILD/ssh/home/GPL-2" "$BUILD/ssh/home/GPL-2" >"$BUILD/ssh/home/notes-$i.txt"
    done
}

serve() {
    local ports=(22 22 22 22 2222 443)
    PORT=${ports[RANDOM % 6]}
    local keys=(ed25519 rsa)
    mkdir -p /run/sshd
    cat >"$DIR/sshd_config" <<CONF
Port $PORT
HostKey $BUILD/ssh/host_${keys[RANDOM % 2]}
AuthorizedKeysFile $BUILD/ssh/authorized_keys
# The scratch directory hangs below a world-writable one.
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM yes
UseDNS no
PrintMotd no
PrintLastLog no
PidFile none
ForceCommand exec env HOME=$BUILD/ssh/home HISTFILE= bash --rcfile $BUILD/ssh/home/rc -i
CONF
    in_servers "$(command -v sshd)" -D -e -f "$DIR/sshd_config" 2>"$DIR/sshd.log" &
    wait_until 5 listening_tcp s "$PORT"
}

client() {
    local options=()
    draw_host
    ((RANDOM % 4)) || options+=(-C)
    ((RANDOM % 3)) || options+=(-o Ciphers=aes128-ctr -o MACs=hmac-sha2-256-etm@openssh.com)
    in_client timeout 120 python3 "$LAB/lib/typist.py" --seed "$P_SEED" -- \
        ssh -F none -tt -p "$PORT" -i "$BUILD/ssh/user" -o IdentitiesOnly=yes -o UserKnownHostsFile="$DIR/known" \
        -o StrictHostKeyChecking=accept-new "${options[@]}" "root@$HOST"
}
