#!/usr/bin/perl

# A key stands for one request: with another body it is refused, whatever
# became of the first, and nothing happens to the first one's record.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout            => slow_ms(500),
    segments_redis_connect_timeout    => slow_ms(2000),
    segments_idempotency_wait         => 'off',
    segments_idempotency_lease        => slow_ms(1500),
    segments_idempotency_max_response => '1k',
});

my $REUSED = '422 mismatch idempotency_key_reused';
my @OTHER = (body => { name => 'Other' });


# refused, and the record does not change

sub mismatch {
    my ($key, $what) = @_;

    my ($name) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;
    my $before = $redis->record($name);
    my $count = $upstream->count;
    my $answer = $nginx->create(key => $key, @OTHER);

    is($answer->summary, $REUSED, "mismatch $what");
    is($answer->header('Retry-After'), undef, 'no Retry-After');
    is($answer->header('Content-Type'), 'application/json', 'envelope');
    is($upstream->count, $count, 'nothing sent');

    my $after = $redis->record($name);

    # the owner may have renewed its lease in between
    delete @$_{qw(lease left)} for $before, $after;
    is_deeply($after, $before, 'record as before');

    return;
}


# answered

$nginx->create(key => 'answered');
mismatch('answered', 'after an answer');
is($nginx->create(key => 'answered')->summary, '201 replayed marked',
    'the first one is still replayed');

# an answer that was too large to keep

$nginx->create(key => 'buried', mock => 'body=2000');
mismatch('buried', 'after a large answer');

# while the first one runs: a mismatch wins over in-progress

my $c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'running', mock => 'hold=a'));
$upstream->wait_held('a');

mismatch('running', 'while it runs');
is($nginx->create(key => 'running')->summary,
    '409 in-progress idempotency_in_progress', 'the same body has to wait');

$upstream->release('a');
is($c->read_response->summary, '201 recorded',
    'the first one is not disturbed');

# unknown outcome

$nginx->create(key => 'unknown', mock => 'rst');
mismatch('unknown', 'after an unknown outcome');
is($nginx->create(key => 'unknown')->summary, '201 recorded',
    'the same body runs');

# the owner died, and its lease ran out

$c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'orphan', mock => 'hold=b'));
$upstream->wait_held('b');

mismatch('orphan', 'before the crash');
$nginx->kill_worker;
mismatch('orphan', 'after the crash');

wait_for { $nginx->create(key => 'orphan')->summary eq '201 recorded' } 10,
    'the lease to run out';
mismatch('orphan', 'after the take-over');

# a worker dies and nobody retries until long after the lease

$c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'left', mock => 'hold=c'));
$upstream->wait_held('c');
$nginx->kill_worker;

my ($left) = grep { /:left\}:create\z/ } $redis->keys;

wait_for {
    my ($seconds, $micros) = @{ $redis->cmd('TIME') };
    $seconds * 1000 + $micros / 1000 > $redis->record($left)->{lease}
} 10, 'the lease to run out';

mismatch('left', 'when nobody holds the claim');
is($nginx->create(key => 'left')->summary, '201 recorded',
    'the same body runs');

# a key that was given back is free for another request

is($nginx->create(key => 'back', mock => 'status=429')->summary,
    '429 unstored mock_429', 'not executed');
is($nginx->create(key => 'back', @OTHER)->summary, '201 recorded',
    'another body may have the key');

my %outcomes = map { $_->{outcome} => 1 } $nginx->access;
ok($outcomes{key_reused}, 'outcome in the log');

# where a query passes, it may ask for something else

$nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT, segments_unknown_fields => 'pass' });

sub asks {
    my ($query) = @_;

    return $nginx->request('POST', "/v4/segments$query", key => 'query',
        body => { name => 'One' })->summary;
}

is(asks('?dry=1'), '201 recorded', 'a query');
is(asks('?dry=1'), '201 replayed marked', 'the same query');
is(asks($_), $REUSED, "another query: $_")
    for '', '?', '?dry=0', '?dry=1&', '?dry=1&x=2';

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
