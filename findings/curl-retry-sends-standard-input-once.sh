#!/bin/sh
#
# curl 7.88.1 (Debian 12): with --retry and --upload-file -, which reads what is
# to be sent from standard input, the second try sends an empty body, since what
# was read is gone; and its answer is the one that counts: curl ends with 0.
#
# One would guess that curl ends with an error when it cannot send the same
# again, or that it has kept it, as it does for --data-binary @- and --form with
# a file of "-".  man curl says of --retry that it tries again "if a transient
# error is returned", and of --upload-file nothing about both.
#
# So what "make-it | curl --retry 3 -T -" has put somewhere is empty after one
# 503, though all has gone well; and with an Idempotency-Key the second try is
# another request with the same key.  Seen:
#
#     -T -: 503 to "one", 201 to "", exit 0
#     --data-binary @-: 503 to "one", 201 to "one", exit 0
#     -T file: 503 to "one", 201 to "one", exit 0
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

# Every second answer is the good one.

cat > server.pl << 'PERL'
use strict;
use warnings;
use IO::Handle;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die $!;
my $n = 0;

open my $log, '>>', 'log' or die $!;
$log->autoflush(1);

open my $port, '>', 'port.new' or die $!;
print $port $server->sockport;
close $port;
rename 'port.new', 'port' or die $!;

while (my $c = $server->accept) {
    $c->autoflush(1);

    my ($length, $chunked, $body) = (0, 0, '');

    while (my $line = <$c>) {
        $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
        $chunked = 1 if $line =~ /\Atransfer-encoding: *chunked/i;
        print $c "HTTP/1.1 100 Continue\r\n\r\n" if $line =~ /\Aexpect:/i;
        last if $line eq "\r\n";
    }

    while ($chunked && (my $size = hex((<$c> // 0) =~ s{\s+}{}r))) {
        read $c, $body, $size, length $body;
        <$c>;
    }

    read $c, $body, $length if $length;

    my $status = $n++ % 2 ? 201 : 503;

    print $log "$status to \"$body\"\n";
    print $c "HTTP/1.1 $status Answer\r\nContent-Length: 0\r\n"
        . "Connection: close\r\n\r\n";
    close $c;
}
PERL

perl server.pl &
pid=$!
tries=0

until [ -s port ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || exit 2
    sleep 0.1
done

printf one > file

said() {
    name=$1; shift
    : > log
    code=0
    curl/usr/bin/curl -q -s --noproxy '*' --retry 1 "$@" \
        "http://127.0.0.1:$(cat port)/" < file || code=$?
    echo "$name: $(paste -s -d , log | sed 's/,/, /g'), exit $code"
}

{
    said '-T -' -T -
    said '--data-binary @-' --data-binary @-
    said '-T file' -T file
} > shown

cat > expected << 'TEXT'
-T -: 503 to "one", 201 to "", exit 0
--data-binary @-: 503 to "one", 201 to "one", exit 0
-T file: 503 to "one", 201 to "one", exit 0
TEXT

curl/usr/bin/curl --version | head -n 1
cat shown
cmp -s shown expected
