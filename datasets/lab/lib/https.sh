# SPDX-License-Identifier: Apache-2.0
# The HTTPS servers of video, web and download: the same programs, certificates
# and addresses for all three, so that only what is fetched tells them apart.

# https_up ROOT: serves a directory on all addresses of the session.
https_up() {
    local root=$1
    chmod -R a+rX "$root"
    if [[ $P_HTTPD == caddy ]]; then caddy_up "$root"; else nginx_up "$root"; fi
    wait_until 10 listening_tcp s 443
}

nginx_up() {
    local protocols="TLSv1.2 TLSv1.3"
    [[ $P_TLS == 1.3 ]] || protocols=TLSv1.2
    cat >"$DIR/nginx.conf" <<CONF
daemon off; master_process off; worker_processes 1;
user root;
pid $DIR/nginx.pid;
error_log $DIR/nginx-error.log;
events { worker_connections 256; }
http {
    include /etc/nginx/mime.types;
    access_log $DIR/nginx-access.log;
    sendfile on;
    client_body_temp_path $DIR; proxy_temp_path $DIR; fastcgi_temp_path $DIR; uwsgi_temp_path $DIR; scgi_temp_path $DIR;
    server {
        listen 443 ssl http2; listen [::]:443 ssl http2;
        listen 80; listen [::]:80;
        ssl_certificate $BUILD/certificates/$P_CERTIFICATE.chain.pem;
        ssl_certificate_key $BUILD/certificates/$P_CERTIFICATE.key;
        ssl_protocols $protocols;
        root $1;
        add_header Access-Control-Allow-Origin *;
        add_header Timing-Allow-Origin *;
    }
}
CONF
    in_servers nginx -e "$DIR/nginx-error.log" -c "$DIR/nginx.conf" 2>"$DIR/nginx.log" &
}

caddy_up() {
    cat >"$DIR/Caddyfile" <<CONF
{
    auto_https off
    admin off
    servers {
        protocols h1 h2
    }
}
(files) {
    root * $1
    header Access-Control-Allow-Origin *
    file_server
}
https:// {
    tls $BUILD/certificates/$P_CERTIFICATE.chain.pem $BUILD/certificates/$P_CERTIFICATE.key {
        protocols tls1.2 tls$P_TLS
    }
    import files
}
http:// {
    import files
}
CONF
    in_servers env HOME="$DIR" XDG_DATA_HOME="$DIR" XDG_CONFIG_HOME="$DIR" \
        caddy run --adapter caddyfile --config "$DIR/Caddyfile" 2>"$DIR/caddy.log" &
}
