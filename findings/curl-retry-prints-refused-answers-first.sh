#!/bin/sh
#
# curl 7.88.1 (Debian 12): with --retry, what goes to a pipe or a terminal
# begins with the body of every answer that made it try again: a 503 with "busy"
# and then a 201 with "done" are "busydone", and curl ends with 0.  With
# --output and a file it is "done": the file is begun anew.
#
# One would guess that the output is that of the transfer that succeeded, as it
# is in a file: man curl says of --retry that curl "will retry this number of
# times before giving up", and nothing of what was written before.  With
# --fail-with-body, which one adds to read an API's errors, it is the same.
#
# So "curl --retry 3 ... | jq .id" reads the error first, or breaks, though the
# request has succeeded.  Seen:
#
#     to a pipe: busydone, exit 0
#     --fail-with-body, to a pipe: busydone, exit 0
#     to a file: done, exit 0
#
# Needs: apt-get, dpkg, perl.  Nothing is installed.

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

# Every second answer is the good one.

cat > server.pl << 'PERL'
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die $!;
my $n = 0;

open my $port, '>', 'port.new' or die $!;
print $port $server->sockport;
close $port;
rename 'port.new', 'port' or die $!;

while (my $c = $server->accept) {
    while (my $line = <$c>) {
        last if $line eq "\r\n";
    }

    print $c $n++ % 2
        ? "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n"
            . "Connection: close\r\n\r\ndone"
        : "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n"
            . "Connection: close\r\n\r\nbusy";
    close $c;
}
PERL

perl server.pl &
pid=$!

for try in 1 2 3 4 5 6 7 8 9 10; do
    [ -s port ] && break
    sleep "$try"
done

said() {
    name=$1; shift
    rm -f file
    code=0
    curl/usr/bin/curl -q -s --noproxy '*' -X POST --retry 1 "$@" \
        "http://127.0.0.1:$(cat port)/" > pipe 2> /dev/null || code=$?
    echo "$name: $(cat pipe; [ ! -e file ] || cat file), exit $code"
}

{
    said 'to a pipe'
    said '--fail-with-body, to a pipe' --fail-with-body
    said 'to a file' --output file
} > shown

cat > expected << 'TEXT'
to a pipe: busydone, exit 0
--fail-with-body, to a pipe: busydone, exit 0
to a file: done, exit 0
TEXT

curl/usr/bin/curl --version | head -n 1
cat shown
cmp -s shown expected
