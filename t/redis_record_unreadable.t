#!/usr/bin/perl

# A record that this version cannot read is never run over, not even under
# "segments_redis_failure pass", and never changed; items that it does not know
# are none of its business.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Value;


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

my %names = map { (/([^:]*)\}:create\z/)[0] => $_ } $redis->keys;

is_deeply([sort keys %names], [qw(answered buried claimed unknown)],
    'a record each');


# refused by both, and left as it is

my $unreadable = 0;

sub unreadable {
    my ($state, $what, @break) = @_;

    my $name = $names{$state};
    my $sound = $redis->cmd('DUMP', $name);
    my $sent = $upstream->count;

    ref $_ eq 'CODE' ? $redis->set_value($name, $_) : $redis->cmd(@$_)
        for @break;

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

sub content {
    my ($name) = @_;

    my $type = $redis->cmd('TYPE', $name);

    return $redis->cmd('GET', $name) if $type eq 'string';
    return [sort @{ $redis->cmd('HGETALL', $name) }] if $type eq 'hash';
    return $redis->cmd('LRANGE', $name, 0, -1);
}

for my $state (sort keys %names) {
    my $name = $names{$state};

    unreadable($state, 'another version', sub { s/^1/2/ });
    unreadable($state, 'another state', sub { substr $_, 1, 1, 'x' });
    unreadable($state, 'a flag', sub { substr $_, 2, 1, "\1" });
    unreadable($state, 'another origin', sub { substr $_, 3, 1, 'x' });
    unreadable($state, 'another record', sub { substr $_, 4, 8, 'another!' });
    unreadable($state, 'cut', sub { $_ = substr $_, 0, 43 });
    unreadable($state, 'half an item', sub { $_ .= "\1\0" });
    unreadable($state, 'an item that is cut', sub { $_ .= "\1\0\2x" });
    unreadable($state, 'empty', ['SET', $name, '', 'KEEPTTL']);
    unreadable($state, 'of others', ['SET', $name, 'v1', 'KEEPTTL']);
    unreadable($state, 'a list', ['DEL', $name], ['RPUSH', $name, 'v', '1'],
        ['EXPIRE', $name, 1000]);
    unreadable($state, 'a hash', ['DEL', $name],
        ['HSET', $name, 'v', '1'], ['EXPIRE', $name, 1000]);
}

my ($answered, $claimed) = @names{qw(answered claimed)};

unreadable('answered', 'a status too high', sub { substr $_, 60, 2, "\2\x58" });
unreadable('answered', 'an interim status', sub { substr $_, 60, 2, "\0\x65" });
unreadable('answered', 'a body that is cut', sub { chop });
unreadable('answered', 'a longer header', sub { substr $_, 62, 1, "\1" });
unreadable('answered', 'odd headers', sub {
    my ($headers, $body) = ("ETag: 1\nX-Injected", '{}');
    $_ = substr($_, 0, 62) . pack('N N', length $headers, length $body)
        . $headers . $body });
unreadable('answered', 'a split header', sub {
    my ($headers, $body) = ("ETag: 1\r\nSet-Cookie: a\n", '{}');
    $_ = substr($_, 0, 62) . pack('N N', length $headers, length $body)
        . $headers . $body });
unreadable('buried', 'no status', sub { substr $_, 60, 2, "\0\0" });
unreadable('claimed', 'no ttl', sub { substr $_, 60, 6, "\0" x 6 });
unreadable('claimed', 'no lease', sub { substr $_, 66, 6, "\0" x 6 });
unreadable('claimed', 'no origin', sub { substr $_, 3, 1, '-' });

wait_for { said() == $unreadable } 20, 'every one of them in the log';


# items of a newer gateway are skipped

my $item = Segments::Value::item(77, "\0\n1");

$redis->set_value($_, sub { $_ .= $item }) for values %names;

is($gateway->create(key => 'answered')->summary, '201 replayed marked',
    'answered, another item');
is($gateway->create(key => 'buried')->summary,
    '409 replayed marked idempotency_answer_not_kept',
    'buried, another item');
is($gateway->create(key => 'claimed')->summary,
    '409 in-progress idempotency_in_progress', 'claimed, another item');
is($gateway->create(key => 'unknown')->summary, '201 recorded',
    'unknown, another item');

$upstream->release('claimed');
is($c->read_response->summary, '201 recorded', 'its owner answers');
is($gateway->create(key => 'claimed')->summary, '201 replayed marked',
    'and is remembered');

is_deeply([map { $redis->record($names{$_})->{items} } qw(answered buried)],
    [$item, $item], 'and stay with an answer');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');


# A record that becomes unreadable while its request runs is left alone, and
# the client has the upstream's answer.

$c = $gateway->connect;
$c->send_request($gateway->create_request(key => 'late', mock => 'hold=late'));
$upstream->wait_held('late');

my ($late) = grep { /:late\}:create\z/ } $redis->keys;

$redis->set_value($late, sub { s/^1/2/ });
my $broken = content($late);
$upstream->release('late');

is($c->read_response->summary, '201 unstored', 'broken meanwhile');
is_deeply(content($late), $broken, 'left alone');

done_testing();
