#!/bin/sh
#
# HAProxy 2.6.12 (Debian 12): when the server ends the connection without an
# answer, the client gets a 502 if this was the first request of its own
# connection.  If it was a later one, HAProxy ends the connection to the client
# without an answer, too, and logs nothing of the request; a POST that the
# server has had whole is no exception.
#
# One would guess a 502 and a line in the log in both cases: a proxy that gets
# no valid answer says so (RFC 9110, 15.6.3), and the client cannot know that it
# was not the connection alone.  HAProxy means the client to try again, and many
# do, a POST included.
#
# So such failures are in no log and no count of 5xx, and the request may come
# twice.  Seen:
#
#     first request: 502, in the log
#     second request: closed, not in the log
#     the server has had: POST /first, POST /before, POST /second
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

# the client and the server of a HAProxy between them

cat > both.pl << 'PERL'
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
    or die $!;
my $in = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
my @had;

open my $conf, '>', 'haproxy.cfg' or die $!;
print $conf <<"CONF";
global
  nbthread 1
defaults
  mode http
  log stdout format raw local0
  option httplog
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:$in
  default_backend service
backend service
  server one 127.0.0.1:@{[$server->sockport]}
CONF
close $conf;

my $haproxy = fork // die $!;

if (!$haproxy) {
    open STDOUT, '>', 'haproxy.log' or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec 'root/usr/sbin/haproxy', '-db', '-f', 'haproxy.cfg' or die $!;
}

END { kill 'TERM', $haproxy if $haproxy; }

sub client {
    for (1 .. 100) {
        my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$in");

        return $c if $c;
        select undef, undef, undef, 0.1;
    }

    die "no HAProxy\n";
}

sub request {
    my ($c, $path) = @_;

    print $c "POST $path HTTP/1.1\r\nHost: a.example\r\n"
        . "Content-Length: 3\r\n\r\none";
}

# on the server's side: a request, whole

sub received {
    my ($c) = @_;
    my $first = <$c>;
    my ($length, $body) = (0, '');

    while (my $line = <$c>) {
        $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
        last if $line eq "\r\n";
    }

    read $c, $body, $length;
    push @had, $first =~ s{ HTTP/1.1\r\n}{}r;
}

# on the client's side: the status, and the body is read

sub answer {
    my ($c) = @_;
    my $first = <$c> // return 'closed';
    my ($length, $body) = (0, '');

    while (my $line = <$c>) {
        $length = $1 if $line =~ /\Acontent-length: *([0-9]+)/i;
        last if $line eq "\r\n";
    }

    read $c, $body, $length;
    return (split / /, $first)[1];
}

sub logged {
    my ($path) = @_;

    open my $log, '<', 'haproxy.log' or die $!;
    return grep { m{POST $path } } <$log>;
}

alarm 60;

# The first request of both connections.

my $client = client();

request($client, '/first');
my $kept = $server->accept;
received($kept);
close $kept;

my $first = answer($client);
close $client;

# The second one.

$client = client();
request($client, '/before');
$kept = $server->accept;
received($kept);
print $kept "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone";
answer($client);

request($client, '/second');
received($kept);
close $kept;

my $second = answer($client);
close $client;

# And another: with one thread, its line is written after those.

$client = client();
request($client, '/after');
$kept = $server->accept;
received($kept);
print $kept "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone";
answer($client);

until (logged('/after')) {
    select undef, undef, undef, 0.05;
}

pop @had;

printf "%s request: %s, %s the log\n", @$_[0, 1],
    logged("/$_->[0]") ? 'in' : 'not in'
    for ['first', $first], ['second', $second];
print "the server has had: ", join(', ', @had), "\n";
PERL

perl both.pl > shown || { cat haproxy.log; exit 2; }

cat > expected << 'TEXT'
first request: 502, in the log
second request: closed, not in the log
the server has had: POST /first, POST /before, POST /second
TEXT

echo "haproxy $VERSION"
cat shown
cmp -s shown expected
