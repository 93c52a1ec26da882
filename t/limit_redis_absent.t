#!/usr/bin/perl

# Redis is unusable: a limit that cannot be asked about refuses, or is announced
# as passed over, as segments_redis_failure says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;


my $upstream = upstream();
my $redis = Segments::RedisServer->new;

sub gateway {
    my (%set) = @_;

    return nginx(upstream => $upstream, redis => $redis,
        http => 'log_format limit escape=json'
            . ' \'$segments_outcome $segments_rate_limit_status\';',
        server => 'access_log %%DIR%%/limit.log limit;',
        set => {
            segments_redis_timeout         => slow_ms(300),
            segments_redis_connect_timeout => slow_ms(2000),
            segments_rate_limit            => 'rate=1r/h burst=1',
            %set,
        });
}

sub lines {
    my ($gateway, $count) = @_;

    my $path = $gateway->dir . '/limit.log';

    wait_for { $count <= (() = slurp($path) =~ /\n/g) };

    return join ', ', split /\n/, slurp($path);
}

my $reject = gateway();
my $pass = gateway(segments_redis_failure => 'pass');
my $keyless = gateway(segments_redis_failure => 'pass',
    segments_idempotency => 'off');

for my $key ('k1', undef) {
    my $name = $key ? 'a key' : 'no key';
    my $answer = $reject->create(key => $key);

    is(envelope($answer), '503 internal/storage_error', "$name, reject");
    is($answer->header('Retry-After'), 1, "$name, reject: try again");
    is($answer->header('Idempotency-Status'), undef, "$name, no status");
    is(limits($answer), ' ', "$name, reject: nothing is said of limits");
    is($upstream->count, 0, "$name, reject: not sent");
}

is(lines($reject, 2), 'redis_failed , redis_failed ', 'reject: outcome');

is($pass->create(key => 'k1')->summary, '201 bypassed', 'a key, pass');
is($pass->create()->summary, '201 -', 'no key, pass');
is($keyless->create(key => 'k1')->summary, '201 -', 'idempotency off, pass');
is(limits($pass->create(key => 'k2')), ' ', 'pass: nothing is said of limits');
is($upstream->count, 4, 'pass: sent');
is(lines($pass, 3), 'bypassed BYPASSED, bypassed BYPASSED, bypassed BYPASSED',
    'pass: outcome');
is(lines($keyless, 1), 'bypassed BYPASSED', 'idempotency off: outcome');

my @lines = $pass->error_log =~ /\[warn\].*?(a create goes on .*?), client/g;

is("@lines", 'a create goes on without its record a create goes on without its '
    . 'limits', 'pass: log');
wait_for { $pass->told(qr/\[warn\].*a create goes on without its record/) == 2 }
    20, 'the third one to be counted';

# Redis is there

$redis->start;

wait_for { $reject->create->status != 503 } 20, 'the gateway to notice';
wait_for { $pass->create(key => 'k0')->summary !~ /bypassed/ } 20,
    'the other gateway to notice';
$redis->cmd('FLUSHALL');

is($reject->create(key => 'k1')->summary, '201 recorded', 'Redis is there');
is($reject->create->header('RateLimit') =~ s/t=.*//r, '"default";r=0;',
    'one bucket with and without a key');
is($reject->create->status, 429, 'used up');
is($pass->create(key => 'k1')->summary, '201 replayed marked', 'replayed');

# Redis hangs

$redis->pause;
is(envelope($reject->create), '503 internal/storage_error', 'Redis hangs');
is($pass->create->status, 201, 'Redis hangs, pass');
$redis->resume;

# something else stands under the limit's name

for my $value ('not ours', undef) {
    my $name = $value // 'a hash';

    $redis->cmd('FLUSHALL');
    defined $value
        ? $redis->cmd('SET', 'segments:{live:}:limit:default', $value)
        : $redis->cmd('HSET', 'segments:{live:}:limit:default', 'a', 'b');

    for my $gateway ($reject, $pass) {
        for my $key ('u', undef) {
            is(envelope($gateway->create(key => $key)),
                '503 internal/storage_error', "$name: never run over");
        }
    }

    is($redis->cmd('DBSIZE'), 1, "$name: nothing written");
}

like($reject->error_log, qr/cannot be read, its "limit" is not understood/,
    'log');

done_testing();
