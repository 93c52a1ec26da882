#!/bin/sh
#
# nginx 1.22.1 (Debian 12): whether proxy_next_upstream takes a request for one
# that must not be sent twice is decided by the method that the client sent, not
# by the one that the upstream gets.  With "proxy_method POST", a POST that the
# first server has had whole, and left without an answer, is sent to the second
# one, when it came as a GET; and a GET is not, when it came as a POST.  A
# method that nginx does not know is sent again, too.
#
# One would guess that "requests with a non-idempotent method (POST, LOCK,
# PATCH)" (ngx_http_proxy_module, proxy_next_upstream) are those that go to the
# upstream, and that a method of which nothing is known is not repeated.
#
# So a create behind proxy_method, or one with a method of one's own, can be
# made twice.  Seen, where the first server and the second one get this:
#
#     POST: POST
#     PUT: PUT, PUT
#     GET with proxy_method POST: POST, POST
#     POST with proxy_method GET: GET
#     CREATE: CREATE, CREATE
#
# Needs: apt-get, dpkg, curl, perl; as root or not.  Nothing is installed.

set -eu

VERSION=1.22.1-9+deb12u11

dir=$(mktemp -d)
pids=

finish() {
    for pid in $pids; do kill "$pid" 2> /dev/null || :; done
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

    upstream two {
        server unix:back.sock max_fails=0;
        server unix:other.sock max_fails=0;
    }

    server {
        listen unix:front.sock;

        location / {
            proxy_pass http://two;
        }

        location /post {
            proxy_method POST;
            proxy_pass http://two;
        }

        location /get {
            proxy_method GET;
            proxy_pass http://two;
        }
    }
}
CONF

# What gets here, whole, is in the log.  Nothing is answered.

cat > server.pl << 'PERL'
use strict;
use warnings;
use IO::Handle;
use IO::Socket::UNIX;

my $server = IO::Socket::UNIX->new(Local => shift, Listen => 5) or die $!;

open my $log, '>>', 'log' or die $!;
$log->autoflush(1);

while (my $c = $server->accept) {
    my ($method, $length, $body) = ('', 0, '');

    while (my $line = <$c>) {
        $method ||= $1 if $line =~ /\A([A-Z]+) /;
        $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
        last if $line eq "\r\n";
    }

    read $c, $body, $length;
    print $log "$method\n";
    close $c;
}
PERL

for name in back other; do
    perl server.pl "$name.sock" &
    pids="$pids $!"
done

nginx/usr/sbin/nginx -p "$dir" -c nginx.conf 2> start.log &
pids="$pids $!"
tries=0

until [ -e back.sock ] && [ -e other.sock ] && [ -e front.sock ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat start.log; exit 2; }
    sleep 0.1
done

said() {
    name=$1; shift
    : > log
    curl -q -s -o answer --unix-socket front.sock "$@"
    echo "$name: $(paste -s -d , log | sed 's/,/, /g')"
}

{
    said 'POST' -d one http://front.example/
    said 'PUT' -X PUT -d one http://front.example/
    said 'GET with proxy_method POST' http://front.example/post
    said 'POST with proxy_method GET' -d one http://front.example/get
    said 'CREATE' -X CREATE -d one http://front.example/
} > shown

cat > expected << 'TEXT'
POST: POST
PUT: PUT, PUT
GET with proxy_method POST: POST, POST
POST with proxy_method GET: GET
CREATE: CREATE, CREATE
TEXT

echo "nginx $VERSION"
cat shown
cmp -s shown expected
