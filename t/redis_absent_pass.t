#!/usr/bin/perl

# "segments_redis_failure pass": without Redis a create goes on, and says so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = Segments::RedisServer->new;

my $gateway = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout         => '100ms',
    segments_redis_connect_timeout => slow_ms(2000),
    segments_redis_failure         => 'pass',
});

for my $try (1, 2) {
    my $answer = $gateway->create(key => 'k1');

    is($answer->summary, '201 bypassed', "try $try");
    is($answer->header('Retry-After'), undef, "try $try, final");
    is($upstream->count, $try, "try $try, sent");
}

my ($first, $second) = map { $_->header('Idempotency-Key') }
    $upstream->requests;

is($second, $first, 'the upstream can tell that they are one');

is($_->{outcome}, 'bypassed', 'outcome') for $gateway->access(2);

like($gateway->error_log, qr/\[warn\] .* a create goes on without its record/,
    'a warning');
wait_for { $gateway->told(qr/\[warn\] .* a create goes on without its record/)
    == 2 } 20, 'a warning for each, if only counted';

# what is wrong with a request is still said

is(envelope($gateway->create(key => 'k1', body => {})),
    '400 request/invalid_data', 'validated');
is($upstream->count, 2, 'not sent');

# an upstream's own failure is not ours

is($gateway->create(key => 'k2', mock => 'status=500')->summary,
    '500 bypassed mock_500', 'upstream failed');

# and Redis is used as soon as it is there

$redis->start;

wait_for { $gateway->create(key => 'k3')->summary ne '201 bypassed' } 20,
    'the gateway to notice';

is($gateway->create(key => 'k3')->summary, '201 replayed marked',
    'Redis is used again');

done_testing();
