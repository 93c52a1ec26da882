#!/bin/sh
#
# nginx 1.22.1 (Debian 12): with proxy_next_upstream_tries 1 and one server, a
# PUT is sent as often as nginx has kept connections to that server, and once
# more, when the server ends each of them without an answer: what fails on a
# kept connection is not counted as a try.
#
# One would guess that it is sent once: "Limits the number of possible tries for
# passing a request to the next server" (ngx_http_proxy_module,
# proxy_next_upstream_tries), and there is no next server.  A connection that
# was closed while nobody used it has carried nothing to the server; but these
# have: the server reads the request whole, and ends.  Only
# "proxy_next_upstream off", or its time-out, limits it.
#
# So what a server does on its way to a crash it does once for each connection,
# on all requests but POST, LOCK and PATCH.  Seen, after four requests at once:
#
#     proxy_next_upstream_tries 1: PUT, PUT, PUT, PUT, PUT; 201
#     proxy_next_upstream off: PUT; 502
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

    proxy_http_version 1.1;
    proxy_set_header Connection "";

    upstream back {
        server unix:back.sock;
        keepalive 8;
    }

    server {
        listen unix:front.sock;

        location /tries {
            proxy_next_upstream_tries 1;
            proxy_pass http://back;
        }

        location /off {
            proxy_next_upstream off;
            proxy_pass http://back;
        }
    }
}
CONF

# A GET is answered when four are there, so that each has a connection of its
# own.  A PUT, read whole, is in the log, and gets an answer only as the first
# request of its connection.

cat > server.pl << 'PERL'
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use IO::Socket::UNIX;

my $server = IO::Socket::UNIX->new(Local => 'back.sock', Listen => 9)
    or die $!;
my $all = IO::Select->new($server);
my (@waiting, %requests);

open my $log, '>>', 'log' or die $!;
$log->autoflush(1);

sub answer {
    my ($c) = @_;

    print $c "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    $c->flush;
}

sub request {
    my ($c) = @_;
    my ($method, $length, $body) = ('', 0, '');

    while (my $line = <$c>) {
        $method ||= $1 if $line =~ /\A([A-Z]+) /;
        $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
        last if $line eq "\r\n";
    }

    read $c, $body, $length if $length;
    return $method;
}

sub leave {
    my ($c) = @_;

    delete $requests{$c};
    $all->remove($c);
    close $c;
}

while (1) {
    for my $c ($all->can_read) {
        if ($c == $server) {
            $all->add(scalar $server->accept);
            next;
        }

        my $method = request($c);

        if ($method eq 'GET') {
            $requests{$c}++;
            push @waiting, $c;
            next if @waiting < 4;

            answer($_) for splice @waiting;

        } elsif ($method eq 'PUT') {
            print $log "PUT\n";
            $requests{$c}++ ? leave($c) : answer($c);

        } else {
            leave($c);
        }
    }
}
PERL

perl server.pl &
pids="$pids $!"

nginx/usr/sbin/nginx -p "$dir" -c nginx.conf 2> start.log &
pids="$pids $!"
tries=0

until [ -e back.sock ] && [ -e front.sock ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat start.log; exit 2; }
    sleep 0.1
done

get() {
    curl -q -s -o "answer-$2" --unix-socket front.sock "http://front.example$1"
}

said() {
    name=$1
    getting=

    for n in 1 2 3 4; do
        get "$2" "$n" &
        getting="$getting $!"
    done

    for pid in $getting; do wait "$pid"; done

    : > log
    status=$(curl -q -s -o answer -w '%{http_code}' --unix-socket front.sock \
        -X PUT -d one "http://front.example$2")
    echo "$name: $(paste -s -d , log | sed 's/,/, /g'); $status"
}

{
    said 'proxy_next_upstream_tries 1' /tries
    said 'proxy_next_upstream off' /off
} > shown

cat > expected << 'TEXT'
proxy_next_upstream_tries 1: PUT, PUT, PUT, PUT, PUT; 201
proxy_next_upstream off: PUT; 502
TEXT

echo "nginx $VERSION"
cat shown
cmp -s shown expected
