#!/usr/bin/perl

# The upstream closes an idle connection just as the create is written to it:
# nobody knows whether it was read.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $redis = redis_server();

my %expected = (
    retry => ['502 unstored network_error', '201 recorded'],
    hold  => ['502 held network_error',
              '504 held idempotency_outcome_unknown'],
);

for my $policy (sort keys %expected) {
    for my $how ('close=before-read', 'close=before-read; rst') {
        my $upstream = upstream();
        my $nginx = nginx(upstream => 'http://api', redis => $redis,
            http => 'upstream api { server 127.0.0.1:' . $upstream->port
                . '; keepalive 4; }',
            set => {
                %Segments::Nginx::PATIENT,
                segments_redis_prefix        => "$policy $how:" =~ s/\W/-/gr,
                segments_idempotency_unknown => $policy,
            });

        is($nginx->create(key => 'k1')->summary, '201 recorded',
            "$policy, $how: a connection to keep");

        my $first = $nginx->create(key => 'k2', mock => $how);

        is($upstream->connections, 1, 'used again');
        is($first->summary, $expected{$policy}[0], 'closed meanwhile');

        my ($name) = grep { /:k2\}:create\z/ } $redis->keys("$policy*");

        is($redis->record($name)->{state}, 'unknown', 'unknown');
        is($nginx->create(key => 'k2')->summary, $expected{$policy}[1],
            'retry');
        is(scalar(grep { $_->header('Idempotency-Key') } $upstream->requests),
            $policy eq 'retry' ? 2 : 1, 'sent as the policy says');
    }
}

# closed before it is used: another one is opened, and nothing is unknown

my $upstream = upstream();
my $nginx = nginx(upstream => 'http://api', redis => $redis,
    http => 'upstream api { server 127.0.0.1:' . $upstream->port
        . '; keepalive 4; }', set => { %Segments::Nginx::PATIENT });

$nginx->create(key => 'k1');
$upstream->stop;
$upstream->listen;
is($nginx->create(key => 'k2')->summary, '201 recorded',
    'closed while it was idle');
is($upstream->count, 2, 'one upstream request each');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
