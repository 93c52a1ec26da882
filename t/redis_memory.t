#!/usr/bin/perl

# Redis is out of memory.  Where it evicts nothing, a claim is refused and
# nothing is sent; where it evicts, a record is lost, and its retry is sent
# with the same upstream key.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();

my %gateways = map {
    my ($failure, $policy) = @$_;

    ("$failure $policy" => nginx(upstream => $upstream, redis => $redis,
        set => {
            segments_redis_timeout         => slow_ms(3000),
            segments_redis_connect_timeout => slow_ms(3000),
            segments_idempotency_scope     => "$failure-$policy",
            segments_redis_failure         => $failure,
            segments_idempotency_unknown   => $policy,
        }));
} (['reject', 'retry'], ['reject', 'hold'], ['pass', 'retry']);


# noeviction

for my $name (sort keys %gateways) {
    my $nginx = $gateways{$name};
    my $before = $nginx->create(key => 'before');
    my ($count, $connections) = ($upstream->count, $upstream->connections);

    is($before->summary, '201 recorded', "$name: before");

    $redis->cmd('CONFIG', 'SET', 'maxmemory', '1');

    my $refused = $nginx->create(key => 'new');

    if ($name =~ /pass/) {
        is($refused->summary, '201 bypassed', 'passed, and said so');
        is($upstream->count, $count + 1, 'sent');

    } else {
        is($refused->summary, '503 - storage_error', 'claim refused');
        is(envelope($refused), '503 internal/storage_error', 'the envelope');
        is($refused->header('Retry-After'), 1, 'try again');
        is($upstream->count, $count, 'nothing sent');
        is($upstream->connections, $connections, 'nor connected');
    }

    is(scalar(grep { /:new\}:create\z/ } $redis->keys), 0, 'no record');
    like($nginx->error_log, qr/\[error\].*refused a record command with "OOM /,
        'said in the error log');

    # what is there can still be read

    is($nginx->create(key => 'before')->summary, '201 replayed marked',
        'an answer is replayed');
    is($nginx->create(key => 'before', body => { name => 'x' })->summary,
        '422 mismatch idempotency_key_reused', 'another body is refused');

    $redis->cmd('CONFIG', 'SET', 'maxmemory', '0');

    is($nginx->create(key => 'new')->summary, '201 recorded', 'memory again');
    is($nginx->create(key => 'new')->summary, '201 replayed marked',
        'and remembered');
    $redis->cmd('FLUSHALL');
}

is($upstream->effects, 6, 'one effect of each key');


# allkeys-lru: others push the record out

for my $name ('reject retry', 'reject hold') {
    my $nginx = $gateways{$name};
    my $key = "evicted-$name" =~ tr/ /-/r;
    my $effects = $upstream->effects;
    my $first = $nginx->create(key => $key);
    my ($record) = grep { /:$key\}:create\z/ } $redis->keys;

    is($first->summary, '201 recorded', "$name: stored");

    my ($used) = $redis->cmd('INFO', 'memory') =~ /^used_memory:([0-9]+)/m;

    $redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    $redis->cmd('CONFIG', 'SET', 'maxmemory', $used + 4_000_000);

    my $n = 0;

    while ($redis->cmd('EXISTS', $record) && $n < 5000) {
        $redis->cmd('SET', 'other' . ++$n, 'x' x 100_000, 'EX', 600);
    }

    is($redis->cmd('EXISTS', $record), 0, 'evicted');

    my $again = $nginx->create(key => $key);

    is($again->summary, '201 recorded', 'its retry is sent');
    is($again->body, $first->body, 'the same answer');
    is($upstream->effects, $effects + 1, 'carried out once');

    my @keys = map { $_->header('Idempotency-Key') }
        ($upstream->requests)[-2, -1];

    is($keys[0], $keys[1], 'with the same upstream key');

    $redis->cmd('CONFIG', 'SET', 'maxmemory', '0');
    $redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    $redis->cmd('FLUSHALL');
}

# a claim is evicted while its request runs: the answer is stored all the same

my $nginx = $gateways{'reject retry'};
my $c = $nginx->connect;

$c->send_request($nginx->create_request(key => 'running', mock => 'hold=r'));
$upstream->wait_held('r');
is($redis->cmd('DEL', grep { /:running\}:create\z/ } $redis->keys), 1,
    'claim gone');
$upstream->release('r');
is($c->read_response->summary, '201 recorded', 'answered');
is($nginx->create(key => 'running')->summary, '201 replayed marked', 'stored');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
