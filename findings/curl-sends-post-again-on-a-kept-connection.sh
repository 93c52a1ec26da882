#!/bin/sh
#
# curl 7.88.1 (Debian 12), without --retry: a POST that goes over a connection
# kept from the request before, and whose server ends the connection without an
# answer, is sent once more over a new one.  The server has it twice; curl ends
# with 0, and says nothing of it but with --verbose ("Connection died, retrying
# a fresh connect").
#
# One would guess what the same POST gets as the first of its connection: it is
# sent once, and curl ends with 52, "Empty reply from server".  That the
# connection had been used says nothing of whether the request was carried out,
# and a client should not repeat a POST by itself (RFC 9110, 9.2.2).  There is
# no option that forbids it; one has to do without kept connections.
#
# It is libcurl that does this, and so does what is built on it.  Seen:
#
#     first of its connection: POST one; exit 52
#     on a kept connection: POST one, POST two, POST two; exit 0
#
# Needs: apt-get, dpkg, perl, and the libraries of curl.  Nothing is installed.

set -eu

VERSION=7.88.1-10+deb12u15

dir=$(mktemp -d)
pid=

finish() {
    [ -z "$pid" ] || kill "$pid" 2> /dev/null || :
    rm -rf "$dir"
}

trap finish EXIT
cd "$dir"

apt-get -q download "curl=$VERSION" "libcurl4=$VERSION" > apt.log 2>&1 \
    || { cat apt.log; exit 2; }
dpkg-deb -x curl_*.deb curl
dpkg-deb -x libcurl4_*.deb curl

library=$(find "$dir/curl" -name libcurl.so.4 | head -n 1)
LD_LIBRARY_PATH=$(dirname "$library")
export LD_LIBRARY_PATH

# What gets here is carried out: it is in the log.  The first connection ends
# without an answer to the request whose number on it is the first argument.

cat > server.pl << 'PERL'
use strict;
use warnings;
use IO::Handle;
use IO::Socket::INET;

my ($unanswered, $connections) = (shift, 0);
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die $!;

open my $log, '>', 'log' or die $!;
$log->autoflush(1);

open my $port, '>', 'port.new' or die $!;
print $port $server->sockport;
close $port;
rename 'port.new', 'port' or die $!;

while (my $c = $server->accept) {
    $connections++;
    $c->autoflush(1);

    for (my $n = 1; ; $n++) {
        my ($length, $body) = (0, '');

        while (my $line = <$c>) {
            $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
            last if $line eq "\r\n";
        }

        last unless $length && read $c, $body, $length;
        print $log "POST $body\n";

        last if $connections == 1 && $n == $unanswered;
        print $c "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    }

    close $c;
}
PERL

# name, number of the request that is not answered, arguments of curl

said() {
    name=$1
    rm -f port
    perl server.pl "$2" &
    pid=$!
    shift 2
    tries=0

    until [ -s port ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || exit 2
        sleep 0.1
    done

    url=http://127.0.0.1:$(cat port)/
    code=0

    if [ $# -eq 1 ]; then
        curl/usr/bin/curl -q -s --noproxy '*' -d "$1" "$url" || code=$?
    else
        curl/usr/bin/curl -q -s --noproxy '*' -d "$1" "$url" \
            --next -s --noproxy '*' -d "$2" "$url" || code=$?
    fi

    kill "$pid"
    wait "$pid" 2> /dev/null || :
    pid=

    echo "$name: $(paste -s -d , log | sed 's/,/, /g'); exit $code"
}

{
    said 'first of its connection' 1 one
    said 'on a kept connection' 2 one two
} > shown

cat > expected << 'TEXT'
first of its connection: POST one; exit 52
on a kept connection: POST one, POST two, POST two; exit 0
TEXT

curl/usr/bin/curl --version | head -n 1
cat shown
cmp -s shown expected
