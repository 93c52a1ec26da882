#!/usr/bin/perl

# A claim that never left for Redis leaves nothing to give back: neither a
# worker that is told to quit nor a log has to do with it any more.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = Segments::RedisServer->new;     # not started

my $gateway = nginx(
    upstream => $upstream,
    redis => $redis->url,
    set => {
        segments_redis_timeout => '100ms',
        segments_idempotency_lease => '60s'
    });

# more than one worker settles in background

my $refused = 0;

for my $round (1 .. 6) {
    $refused += grep { $_ && $_->status == 503 } parallel(map {
        [$gateway, $gateway->create_request(key => "$round-$_")]
    } 1 .. 200);
}

is($refused, 1200, 'all are refused');

my @claims = grep { /claim/ } split /\n/, $gateway->error_log;

is("@claims", '', 'no word of claims');

ok($gateway->quit(slow(10)), 'quits long before the lease ends');

done_testing;
