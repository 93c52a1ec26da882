#!/bin/sh
#
# nginx 1.22.1 (Debian 12): after proxy_redirect has made a Location shorter,
# $upstream_http_location is not what the upstream sent, and not what the client
# gets.  It has the rewritten bytes and the length of before: the new value, a
# NUL where the rewriting ended, and the tail of the old value.
#
# One would guess the upstream's own value: proxy_redirect is documented to
# change the field of the response (ngx_http_proxy_module, proxy_redirect).  It
# is rewritten in place (ngx_http_proxy_rewrite_redirect()), and the variable
# looks at the same memory with a length of its own.
#
# Who logs $upstream_http_location beside proxy_redirect, or compares it, sees
# this.  Seen, as JSON:
#
#     "/next\u0000/a-rather-long-name.example/next"
#
# Needs: apt-get, dpkg, curl; as root or not.  Nothing is installed.

set -eu

VERSION=1.22.1-9+deb12u11

dir=$(mktemp -d)
pid=

finish() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || :
    rm -rf "$dir"
}

trap finish EXIT
cd "$dir"

apt-get -q download "nginx=$VERSION" > apt.log 2>&1 || { cat apt.log; exit 2; }
dpkg-deb -x nginx_*.deb nginx

cat > nginx.conf << 'CONF'
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { }

http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;

    access_log off;
    log_format shown escape=json '"$upstream_http_location"';

    server {
        listen unix:front.sock;

        location / {
            access_log shown.log shown;
            proxy_pass http://unix:back.sock:;
            proxy_redirect http://a-rather-long-name.example/ /;
        }
    }

    server {
        listen unix:back.sock;

        location / {
            add_header Location http://a-rather-long-name.example/next always;
            return 201;
        }
    }
}
CONF

nginx/usr/sbin/nginx -p "$dir" -c nginx.conf 2> start.log &
pid=$!

curl -s -o /dev/null --retry 20 --retry-delay 1 --retry-all-errors \
    --unix-socket front.sock http://front.example/

kill "$pid"
wait "$pid" || :
pid=

echo "nginx $VERSION: $(cat shown.log)"

[ "$(cat shown.log)" = '"/next\u0000/a-rather-long-name.example/next"' ]
