#!/usr/bin/perl

# Sent, and no definite answer, under "hold": nothing more is sent for this
# key until the record expires.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my @CASES = (
    # what happens                what the client gets
    ['hold=never',                '504 held network_error'],
    ['rst',                       '502 held network_error'],
    ['close=after-read',          '502 held network_error'],
    ['close=mid-headers',         '502 held network_error'],
    ['close=mid-body',            '502 held network_error'],
    ['close=mid-body; chunked',   '502 held network_error'],
    ['garbage',                   '502 held network_error'],
    ['status=500',                '500 held mock_500'],
    ['status=503',                '503 held mock_503'],
    ['status=301; header=Location: /v4/segments/x', '301 held mock_301'],
);

my $HELD = '504 held idempotency_outcome_unknown';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_idempotency_unknown => 'hold',
    proxy_read_timeout           => slow_ms(300),
});

for (@CASES) {
    my ($mock, $expected) = @$_;

    my $key = 'k' . $upstream->count;
    my $first = $nginx->create(key => $key, mock => $mock);

    is($first->summary, $expected, "upstream: $mock");

    my ($name) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;
    my $left = $redis->cmd('PTTL', $name);
    my $count = $upstream->count;

    for my $try (2, 3) {
        my $again = $nginx->create(key => $key);

        is($again->summary, $HELD, "try $try");
        is($again->header('Content-Type'), 'application/json', 'envelope');
    }

    is($nginx->create(key => $key, body => { name => 'x' })->summary,
        '422 mismatch idempotency_key_reused', 'another body');
    is($upstream->count, $count, 'nothing sent');
    cmp_ok($redis->cmd('PTTL', $name), '<=', $left, 'not held any longer');
}

my @log = $nginx->access(4 * @CASES);
is($log[1]{outcome}, 'held', 'outcome in the log');
is($log[3]{outcome}, 'key_reused', 'and that of another body');

# until the record expires

my $short = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_prefix          => 'short:',
    segments_redis_timeout         => slow_ms(500),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => slow_ms(1500),
    segments_idempotency_ttl       => slow_ms(2000),
    segments_idempotency_unknown   => 'hold',
});

$short->create(key => 'k', mock => 'rst');
is($short->create(key => 'k')->summary, $HELD, 'held');
wait_for { !$redis->keys('short:*') } 10, 'the record to expire';
is($short->create(key => 'k')->summary, '201 recorded', 'no longer');

# what was not carried out is not held

is($short->create(key => 'k2', mock => 'status=429')->summary,
    '429 unstored mock_429', 'not carried out');
is($short->create(key => 'k2')->summary, '201 recorded', 'retry runs');

# an answer of its own that came late is better than none

my $c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'late', mock => 'delay=0.1'));
is($c->read_response->summary, '201 recorded', 'slow answer');
is($nginx->create(key => 'late')->summary, '201 replayed marked', 'replayed');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
