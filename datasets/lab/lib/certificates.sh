# SPDX-License-Identifier: Apache-2.0
# Server certificates from a throw-away authority: three chains of different
# make, since the size of the chain shapes the first packets of a TLS flow.

# certificates_make DIRECTORY
certificates_make() {
    local dir=$1 names="" site
    mkdir -p "$dir"
    for site in acorn birch cedar dahlia elder fennel ginkgo hazel; do
        names+="${names:+,}DNS:*.$site.example"
    done

    key() { openssl genpkey -out "$dir/$1.key" "${@:2}" 2>/dev/null; }
    # signed NAME ISSUER EXTENSION...: a certificate for NAME's key
    signed() {
        openssl req -new -key "$dir/$1.key" -subj "/O=Lab/CN=$1" |
            openssl x509 -req -days 3650 -CA "$dir/$2.pem" -CAkey "$dir/$2.key" -CAcreateserial \
                -extfile <(printf '%s\n' "${@:3}") -out "$dir/$1.pem" 2>/dev/null
    }
    local rsa=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) ec=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
    local authority="basicConstraints=critical,CA:TRUE"

    key root "${rsa[@]}"
    openssl req -x509 -new -key "$dir/root.key" -subj "/O=Lab/CN=Lab Root" -days 3650 -out "$dir/root.pem"
    key middle "${rsa[@]}"; signed middle root "$authority"
    key lower "${rsa[@]}"; signed lower middle "$authority"

    key ecdsa "${ec[@]}"; signed ecdsa middle "subjectAltName=$names"
    key rsa "${rsa[@]}"; signed rsa middle "subjectAltName=$names"
    key long "${rsa[@]}"; signed long lower "subjectAltName=$names"
    cat "$dir"/{ecdsa,middle}.pem >"$dir/ecdsa.chain.pem"
    cat "$dir"/{rsa,middle}.pem >"$dir/rsa.chain.pem"
    cat "$dir"/{long,lower,middle}.pem >"$dir/long.chain.pem"
}
