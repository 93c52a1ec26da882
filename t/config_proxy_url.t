#!/usr/bin/perl

# A proxy_pass with variables is judged when its value is known: before the
# request costs anything.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Lines;

my $FAILED = '500 internal/unknown_error';
my $URI = qr/evaluates to "[^"]*": it must not have a URI/;
my $UNPROTECTED = qr/evaluates to "[^"]*": the Secret Key would travel/;
my $SECRET = $Segments::Nginx::SECRET;

my $upstream = upstream();
my $redis = redis_server();
my ($tls, $certificate) = tls_front($upstream);

my $port = $upstream->port;
my $socket = $upstream->unix;
my ($tls_port) = $tls =~ /:([0-9]+)\z/;

my %args = (
    upstream => $upstream,
    redis    => $redis,
    http     => "upstream local { server 127.0.0.1:$port; }"
        . " upstream mixed { server 127.0.0.1:$port;"
        . ' server 192.0.2.1 backup; }'
        . " upstream tls { server 127.0.0.1:$tls_port; }",
);

# the location's URL is the client's to choose here, and nowhere else

my %set = (proxy_pass => '$http_x_url', segments_operations => 'all');
my %verify = (
    proxy_ssl_verify              => 'on',
    proxy_ssl_trusted_certificate => $certificate,
    proxy_ssl_name                => 'localhost',
);

my $nginx = nginx(%args, set => { %set });
my $verifying = nginx(%args, set => { %set, %verify });
my $insecure = nginx(%args, set => { %set,
    segments_upstream_insecure => 'on' });

my $n = 0;

sub requests {
    my ($server, $url) = @_;

    my @url = ('X-Url' => $url);
    my @type = ('Content-Type' => 'application/json');

    return (
        ['create with a key', $server->create_request(key => 'key-' . ++$n,
            headers => [@url, @type])],
        ['create', $server->create_request(headers => [@url, @type])],
        ['list', 'GET', '/v4/segments?limit=5', headers => [@url]],
    );
}

# good ones

for (
    [$nginx, "http://127.0.0.1:$port"], [$nginx, "HTTP://127.0.0.1:$port"],
    [$nginx, "http://unix:$socket"], [$nginx, "http://unix:$socket:"],
    [$nginx, 'http://local'], [$nginx, 'http://LOCAL'],
    [$verifying, $tls], [$verifying, 'https://tls'],
    [$insecure, $tls], [$insecure, "http://127.0.0.1:$port"],
    [$insecure, 'http://mixed'],
) {
    my ($server, $url) = @$_;

    for (requests($server, $url)) {
        my ($operation, @request) = @$_;
        my $count = $upstream->count;
        my $answer = $server->request(@request);
        my $name = "$url, $operation"
            =~ s/\Q$socket/SOCKET/r =~ s/:[0-9]+/:PORT/gr;

        like($answer->status, qr/^20[01]\z/, $name);
        is($upstream->count, $count + 1, "$name: forwarded");

        my ($seen) = reverse $upstream->requests;

        is($seen->uri, $request[1], "$name: documented path");
        is_deeply([$seen->headers('Authorization')], ["Bearer $SECRET"],
            "$name: with the Secret Key");
    }
}

# bad ones

my ($forwarded, $connections) = ($upstream->count, $upstream->connections);
my $records = () = $redis->keys;
my $commands = $redis->commands;

my @told;

for (
    map({ [$nginx, "http://127.0.0.1:$port$_", $URI] }
        qw(/ /v4/segments /? ?x=1)),
    [$nginx, "http://unix:$socket:/", $URI],
    [$nginx, "http://unix:$socket:/v4/segments", $URI],
    [$nginx, 'http://local/', $URI],
    [$nginx, 'http://mixed', $UNPROTECTED],
    [$nginx, 'http://192.0.2.1', $UNPROTECTED],
    [$nginx, 'http://api.example', $UNPROTECTED],
    [$nginx, 'http://localhost.example', $UNPROTECTED],
    [$nginx, 'http://127.0.0.1.example', $UNPROTECTED],
    [$nginx, 'http://local:81', $UNPROTECTED],
    [$nginx, "http://127.0.0.1:$port\@192.0.2.1",
        qr/in URL|the Secret Key would travel/],
    [$nginx, $tls, $UNPROTECTED],
    [$nginx, 'https://tls', $UNPROTECTED],
    [$verifying, "$tls/", $URI],
    [$verifying, 'http://192.0.2.1', $UNPROTECTED],
    [$insecure, "http://127.0.0.1:$port/", $URI],
    map({ [$nginx, $_, qr/invalid URL "[^"]*" in "proxy_pass"/] }
        '', 'local', '127.0.0.1', 'ftp://127.0.0.1', 'http:', '//local'),
    [$nginx, 'http://', qr/invalid URL|in URL/],
    [$nginx, 'http://127.0.0.1:0', qr/in URL/],
    [$nginx, 'http://127.0.0.1:x', qr/in URL/],
) {
    my ($server, $url, $line) = @$_;
    my $mark = length $server->error_log;

    push @told, [$server, $url];

    for (requests($server, $url)) {
        my ($operation, @request) = @$_;
        my $answer = $server->request(@request);
        my $name = "'$url', $operation"
            =~ s/\Q$socket/SOCKET/r =~ s/:[0-9]{2,}/:PORT/gr;

        is(envelope($answer), $FAILED, $name);
        is($answer->header('Idempotency-Status'), undef, "$name: no status");
        like($server->error_log($mark), qr/\[error\].*$line/, "$name: why");
        $told[-1][2]++;
    }
}

is($upstream->count, $forwarded, 'none was forwarded');
is($upstream->connections, $connections, 'nor connected to');
is(scalar(my @keys = $redis->keys), $records, 'no key was claimed');
is_deeply($redis->commands, $commands, 'Redis was not asked');

$_->quit for $nginx, $verifying, $insecure;

is(counted(qr/"\Q$_->[1]\E"/, told($_->[0], 0)), $_->[2],
    "'$_->[1]' is told of each time") for @told;

# a certificate that does not hold

my ($other) = certificate('other.example');
my $strict = nginx(%args, set => { %set, %verify,
    proxy_ssl_trusted_certificate => $other });

is(envelope($strict->request('GET', '/v4/segments',
    headers => ['X-Url' => $tls])), '502 internal/network_error',
    'unverified server');
is($upstream->count, $forwarded, 'unverified server gets nothing');

done_testing();
