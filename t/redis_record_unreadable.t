#!/usr/bin/perl

# A record that this version cannot read is never run over, not even under
# "segments_redis_failure pass", and never changed; fields that it does not know
# are none of its business.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my %gateways = map {
    $_ => nginx(upstream => $upstream, redis => $redis, set => {
        segments_redis_timeout         => slow_ms(2000),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_redis_failure         => $_,
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => '300s',
    })
} qw(reject pass);

my ($gateway) = $gateways{reject};


# the records, by state

is($gateway->create(key => 'answered')->status, 201, 'answered');
is($gateway->create(key => 'unknown', mock => 'status=500')->status, 500,
    'unknown');

my $c = $gateway->connect;

$c->send_request($gateway->create_request(key => 'claimed',
    mock => 'hold=claimed'));
$upstream->wait_held('claimed');

my $buried = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout            => slow_ms(2000),
    segments_redis_connect_timeout    => slow_ms(2000),
    segments_idempotency_lease        => '300s',
    segments_idempotency_max_response => 1,
});

is($buried->create(key => 'buried')->status, 201, 'buried');

my %names = map { (/([^:]*)\z/)[0] => $_ } $redis->keys;

is_deeply([sort keys %names], [qw(answered buried claimed unknown)],
    'a record each');


# refused by both, and left as it is

my $unreadable = 0;

sub unreadable {
    my ($state, $what, @break) = @_;

    my $name = $names{$state};
    my $sound = $redis->cmd('DUMP', $name);
    my $sent = $upstream->count;

    $redis->cmd(@$_) for @break;

    my $broken = content($name);
    my $expiry = $redis->cmd('PEXPIRETIME', $name);

    for my $failure (sort keys %gateways) {
        my $answer = $gateways{$failure}->create(key => $state);

        is(envelope($answer), '503 internal/storage_error',
            "$state, $what, $failure");
        is($answer->header('Idempotency-Status'), undef,
            "$state, $what, $failure, no bypass");
        $unreadable++;
    }

    is($upstream->count, $sent, "$state, $what, not sent");
    is_deeply(content($name), $broken, "$state, $what, unchanged");
    is($redis->cmd('PEXPIRETIME', $name), $expiry,
        "$state, $what, same expiry");

    $redis->cmd('RESTORE', $name, '86400000', $sound, 'REPLACE');
}

sub said {
    my $said = 0;

    $said += $_->told(qr/\[error\] .*(?:cannot be read|WRONGTYPE|"ERR")/)
        for values %gateways;

    return $said;
}

# a large hash has no stable order

sub content {
    my ($name) = @_;

    my $type = $redis->cmd('TYPE', $name);

    return $redis->record($name) if $type eq 'hash';
    return $redis->cmd('GET', $name) if $type eq 'string';
    return $redis->cmd('LRANGE', $name, 0, -1);
}

for my $state (sort keys %names) {
    my $name = $names{$state};

    unreadable($state, 'another version', ['HSET', $name, 'v', '2']);
    unreadable($state, 'an older version', ['HSET', $name, 'v', '0']);
    unreadable($state, 'no version', ['HDEL', $name, 'v']);
    unreadable($state, 'another state', ['HSET', $name, 'state', 'new']);
    unreadable($state, 'no fingerprint', ['HDEL', $name, 'fp']);
    unreadable($state, 'an odd time', ['HSET', $name, 'since', '1e3']);
    unreadable($state, 'a string', ['SET', $name, 'v1', 'KEEPTTL']);
    unreadable($state, 'a list', ['DEL', $name], ['RPUSH', $name, 'v', '1'],
        ['EXPIRE', $name, 1000]);
    unreadable($state, 'another hash', ['DEL', $name],
        ['HSET', $name, 'a', 'b'], ['EXPIRE', $name, 1000]);
}

my ($answered, $claimed) = @names{qw(answered claimed)};

unreadable('answered', 'no status', ['HDEL', $answered, 'status']);
unreadable('answered', 'a long status', ['HSET', $answered, 'status', '2010']);
unreadable('answered', 'an interim status',
    ['HSET', $answered, 'status', '101']);
unreadable('answered', 'no body', ['HDEL', $answered, 'body']);
unreadable('answered', 'no headers', ['HDEL', $answered, 'headers']);
unreadable('answered', 'odd headers',
    ['HSET', $answered, 'headers', "ETag: 1\nX-Injected"]);
unreadable('answered', 'a split header',
    ['HSET', $answered, 'headers', "ETag: 1\r\nSet-Cookie: a\n"]);
unreadable('answered', 'no owner', ['HDEL', $answered, 'token']);
unreadable('buried', 'no status', ['HDEL', $names{buried}, 'status']);
unreadable('claimed', 'no lease', ['HDEL', $claimed, 'lease']);
unreadable('claimed', 'an odd lease', ['HSET', $claimed, 'lease', '-1']);
unreadable('claimed', 'no owner', ['HDEL', $claimed, 'token']);
unreadable('claimed', 'no origin', ['HDEL', $claimed, 'from']);
unreadable('claimed', 'an odd origin', ['HSET', $claimed, 'from', 'here']);

wait_for { said() == $unreadable } 20, 'every one of them in the log';


# fields of a newer gateway stay where they are

$redis->cmd('HSET', $_, 'later', "\0\n1") for values %names;

is($gateway->create(key => 'answered')->summary, '201 replayed marked',
    'answered, another field');
is($gateway->create(key => 'buried')->summary,
    '409 replayed marked idempotency_answer_not_kept',
    'buried, another field');
is($gateway->create(key => 'claimed')->summary,
    '409 in-progress idempotency_in_progress', 'claimed, another field');
is($gateway->create(key => 'unknown')->summary, '201 recorded',
    'unknown, another field');

$upstream->release('claimed');
is($c->read_response->summary, '201 recorded', 'its owner answers');
is($gateway->create(key => 'claimed')->summary, '201 replayed marked',
    'and is remembered');

is_deeply([map { $redis->record($_)->{later} } values %names],
    [("\0\n1") x 4], 'and stays');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');


# A record that becomes unreadable while its request runs is left alone, and
# the client has the upstream's answer.

$c = $gateway->connect;
$c->send_request($gateway->create_request(key => 'late', mock => 'hold=late'));
$upstream->wait_held('late');

my ($late) = grep { /:late\z/ } $redis->keys;

$redis->cmd('HSET', $late, 'v', '2');
my $broken = content($late);
$upstream->release('late');

is($c->read_response->summary, '201 unstored', 'broken meanwhile');
is_deeply(content($late), $broken, 'left alone');

done_testing();
