#!/usr/bin/perl

# Redis stops for a moment, longer than the time-out of a claim that is on its
# way: the claim becomes true when Redis wakes up, and is given back.  The key
# is free long before the lease ends.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use Time::HiRes qw(time);


my $LEASE = 60;

my $upstream = upstream();
my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout         => slow_ms(200),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_redis_breaker         => 'off',    # it may still be open
    segments_idempotency_lease     => "${LEASE}s",
});

is($gateway->create(key => 'k0')->summary, '201 recorded', 'connected');

for my $round (1 .. 3) {
    my $start = time;
    my @keys = map { "k$round-$_" } 1 .. 5;

    $redis->pause;

    my @answers = parallel(map {
        [$gateway, $gateway->create_request(key => $_)]
    } @keys);

    is(scalar(grep { $_ && $_->status == 503 } @answers), 5,
        "$round, refused while Redis is silent");

    $redis->resume;

    wait_for { !grep { /:k$round-/ } $redis->keys } 20, 'the keys to be free';

    my @again = parallel(map {
        [$gateway, $gateway->create_request(key => $_)]
    } @keys);

    is(scalar(grep { $_ && $_->summary eq '201 recorded' } @again), 5,
        "$round, free again") or diag map { $_->summary . "\n" } @again;
    cmp_ok(time - $start, '<', $LEASE / 2, "$round, before the lease ends");
}

is($upstream->count, 16, 'each sent once');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

# under "pass" the create went on: its key must not be free as if nothing had
# been, but open to a retry

my $pass = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout         => slow_ms(200),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_redis_breaker         => 'off',    # it may still be open
    segments_idempotency_lease     => "${LEASE}s",
    segments_redis_failure         => 'pass',
});

is($pass->create(key => 'p0')->summary, '201 recorded', 'pass, connected');

$redis->pause;
is($pass->create(key => 'p1')->summary, '201 bypassed', 'pass, went on');
$redis->resume;

my $name = wait_for { (grep { /:p1/ } $redis->keys)[0] } 20, 'the claim';

wait_for { $redis->record($name)->{state} eq 'unknown' } 20,
    'the outcome to be unknown';

is($pass->create(key => 'p1', body => { name => 'other' })->summary,
    '422 mismatch idempotency_key_reused', 'pass, fingerprint kept');
is($pass->create(key => 'p1')->summary, '201 recorded', 'pass, retry runs');

my @keys = map { $_->header('Idempotency-Key') }
    ($upstream->requests)[-2, -1];

is($keys[1], $keys[0], 'with the same upstream key');

done_testing();
