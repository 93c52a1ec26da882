#!/usr/bin/perl

# A cluster whose nodes speak TLS: every connection does, and checks with whom.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Authority;
use Segments::Cluster;


my $upstream = upstream();
my $ca = Segments::Authority->new;
my $stranger = Segments::Authority->new;
my $cluster = Segments::Cluster->start(
    tls => [$ca->certificate('127.0.0.1'), $ca->file]);

my %set = (
    segments_redis_timeout         => slow_ms(1000),
    segments_redis_connect_timeout => slow_ms(1000),
    segments_idempotency_scope     => '$http_x_scope',
);

sub create {
    my ($gateway, $scope) = @_;

    return $gateway->create(key => 'k', headers => ['X-Scope' => $scope]);
}


my $gateway = nginx(upstream => $upstream, set => \%set, redis =>
    $cluster->url . ' tls_trusted_certificate=' . $ca->file);

for my $scope (map { "scope$_" } 1 .. 10) {
    is(create($gateway, $scope)->summary, '201 recorded', "$scope, created");
    is(create($gateway, $scope)->summary, '201 replayed marked',
        "$scope, replayed");
}

is(scalar(grep { scalar($_->keys) } $cluster->masters), 3, 'on every master');
$gateway->quit;

$gateway = nginx(upstream => $upstream, set => { %set,
    segments_redis_timeout => slow_ms(300) }, redis => $cluster->url
    . ' tls_trusted_certificate=' . $stranger->file);

is(create($gateway, 'a')->status, 503, 'a wrong CA');
like($gateway->error_log, qr/redis certificate verify error/,
    'a wrong CA, log');
$gateway->stop;

done_testing();
