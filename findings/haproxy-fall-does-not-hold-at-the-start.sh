#!/bin/sh
#
# HAProxy 2.6.12 (Debian 12): with "check fall 3 rise 2", a server is up from
# the start, and gets requests, before any check of it has answered; and the
# first check that fails takes it down, at once, with requests being refused.
# Only once it has come up by its checks it takes three to bring it down.
#
# One would guess that it is taken as down until "rise" checks have passed, or,
# if it is up from the start, that it is up like any other: "fall" says how many
# checks in a row have to fail until it is dead (configuration manual, "fall").
# It is up, but with one failure left.
#
# So after a start or a reload requests go to a server that has never been
# reached, and one check that comes out badly in that moment, as a reload
# under load makes likely, takes away what three would be needed for later.
# Seen, of the server's status and a POST:
#
#     no check has answered: UP 1/3, 201
#     one has failed: DOWN, 503
#     two have passed: UP, 201
#     one has failed: UP 2/3, 201
#
# Needs: apt-get, dpkg, perl, libpcre2-8-0, libssl3, libsystemd0.  Nothing is
# installed.

set -eu

VERSION=2.6.12-1+deb12u4

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

apt-get -q download "haproxy=$VERSION" liblua5.3-0 libopentracing1 \
    libopentracing-c-wrapper0 > apt.log 2>&1 || { cat apt.log; exit 2; }

for deb in *.deb; do dpkg-deb -x "$deb" root; done

LD_LIBRARY_PATH=$(echo "$dir"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

# Answers the checks, one after the other, and looks at what HAProxy makes of
# it.  The server is HAProxy's own, only its checks come here.

cat > checks.pl << 'PERL'
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;

my $checks = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die $!;
my $port = $checks->sockport;
my ($in, $out) = map { $_->sockport } map {
    IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die $!
} 1, 2;

open my $conf, '>', 'haproxy.cfg' or die $!;
print $conf <<"CONF";
global
  stats socket unix\@stats.sock
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout check 30s
frontend in
  bind 127.0.0.1:$in
  default_backend service
backend service
  option httpchk GET /health
  server one 127.0.0.1:$out check port $port inter 1s fall 3 rise 2
frontend out
  bind 127.0.0.1:$out
  http-request return status 201 content-type text/plain string done
CONF
close $conf;

my $haproxy = fork // die $!;

if (!$haproxy) {
    open STDOUT, '>', 'haproxy.log' or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec 'root/usr/sbin/haproxy', '-db', '-f', 'haproxy.cfg' or die $!;
}

END { kill 'TERM', $haproxy if $haproxy; }

sub next_check {
    local $SIG{ALRM} = sub { die "no check\n" };

    alarm 30;
    my $check = $checks->accept;

    while (my $line = <$check>) {
        last if $line eq "\r\n";
    }

    alarm 0;
    return $check;
}

sub answer {
    my ($check, $status) = @_;

    print $check "HTTP/1.1 $status Answer\r\nContent-Length: 0\r\n"
        . "Connection: close\r\n\r\n";
    close $check;
}

sub status {
    my $stats = IO::Socket::UNIX->new('stats.sock') or die $!;

    print $stats "show stat\n";

    while (my $line = <$stats>) {
        return (split /,/, $line)[17] if $line =~ /\Aservice,one,/;
    }

    die "no such server\n";
}

# until HAProxy has taken the answer in

sub status_after {
    my ($before) = @_;

    for (1 .. 100) {
        my $status = status();

        return $status if $status ne $before;
        select undef, undef, undef, 0.05;
    }

    die "still $before\n";
}

sub said {
    my ($name, $status) = @_;
    my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$in") or die $!;

    print $c "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n";

    my ($code) = <$c> =~ /\AHTTP\S+ ([0-9]+)/;

    print "$name: $status, $code\n";
}

my $check = next_check();

said('no check has answered', status());

answer($check, 500);
said('one has failed', status_after('UP 1/3'));

answer(next_check(), 200);
status_after('DOWN');
answer(next_check(), 200);
said('two have passed', status_after('DOWN 1/2'));

answer(next_check(), 500);
said('one has failed', status_after('UP'));
PERL

perl checks.pl > shown || { cat haproxy.log; exit 2; }

cat > expected << 'TEXT'
no check has answered: UP 1/3, 201
one has failed: DOWN, 503
two have passed: UP, 201
one has failed: UP 2/3, 201
TEXT

echo "haproxy $VERSION"
cat shown
cmp -s shown expected
